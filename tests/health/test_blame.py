"""Whose doing it is, by the evidence, with the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.causes import Blame
from vedette.facts import EndReason
from vedette.health.blame import (
    LateEvidence,
    LinkEvidence,
    blame_behind,
    blame_corrupt,
    blame_end,
    blame_late,
    blame_slow,
    blame_stall,
)


@pytest.mark.parametrize(
    ("reason", "blame"),
    [
        (EndReason.REFUSED, Blame.CAMERA),
        (EndReason.ENDED, Blame.CAMERA),
        (EndReason.UNAUTHORISED, Blame.OPERATOR),
        (EndReason.UNSUPPORTED, Blame.OPERATOR),
        (EndReason.UNREACHABLE, Blame.NETWORK),
        (EndReason.NAME_UNKNOWN, Blame.NETWORK),
        (EndReason.CONNECTION_LOST, Blame.NETWORK),
        (EndReason.WORKER_LOST, Blame.NODE),
    ],
)
def test_each_reason_has_somebody_to_blame(reason: EndReason, blame: Blame) -> None:
    assert blame_end(reason).blame is blame


@given(reason=st.sampled_from(EndReason), detail=st.text(max_size=40), gaps=st.integers(0, 9))
def test_every_end_has_a_blame_and_a_sentence(reason: EndReason, detail: str, gaps: int) -> None:
    assert blame_end(reason, detail, sequence_gaps=gaps).why


def test_the_detail_of_an_end_is_its_sentence() -> None:
    assert blame_end(EndReason.REFUSED, "The server answered 404.").why == "The server answered 404."


def test_a_certificate_is_the_operators_and_a_broken_handshake_the_cameras() -> None:
    assert blame_end(EndReason.TLS, "The certificate has expired.").blame is Blame.OPERATOR
    assert blame_end(EndReason.TLS, "The handshake broke.").blame is Blame.CAMERA


@pytest.mark.parametrize(
    ("link", "blame"),
    [
        (None, Blame.CAMERA),
        (LinkEvidence(silent=2.0, acked=True), Blame.CAMERA),
        (LinkEvidence(silent=2.0, replied=True, acked=False), Blame.CAMERA),
        (LinkEvidence(silent=2.0, acked=False, retransmits=3), Blame.NETWORK),
        (LinkEvidence(silent=2.0, retransmits=2), Blame.NETWORK),
        (LinkEvidence(silent=2.0), Blame.CAMERA),
    ],
)
def test_a_stall_is_judged_by_whether_the_other_side_is_there(
    link: LinkEvidence | None, blame: Blame
) -> None:
    judged = blame_stall(link)
    assert judged.blame is blame
    assert blame_end(EndReason.STALLED, link=link) == judged
    assert link is None or "2.0 s" in judged.why


def test_damaged_frames_are_the_networks_where_packets_are_missing() -> None:
    assert blame_corrupt(3, 5, 20).blame is Blame.NETWORK
    assert "5 of 20" in blame_corrupt(3, 5, 20).why
    assert blame_corrupt(0, 5, 20).blame is Blame.CAMERA


@pytest.mark.parametrize(
    ("evidence", "blame"),
    [
        (LateEvidence(lag=3.0, decode=0.002, rate=25), Blame.NETWORK),
        (LateEvidence(lag=3.0, decode=0.002, rate=25, retransmits=4), Blame.NETWORK),
        (LateEvidence(lag=3.0, decode=0.05, rate=25), Blame.DECODE),
        (LateEvidence(lag=0.1, queued=2.0, decode=0.03, rate=25, backlog=16), Blame.DECODE),
        (LateEvidence(lag=0.1, decode=0.002, rate=25, wait=1.8), Blame.INFERENCE),
    ],
)
def test_lateness_is_the_largest_waits(evidence: LateEvidence, blame: Blame) -> None:
    judged = blame_late(evidence)
    assert judged.blame is blame
    assert f"{evidence.lag:.2f} s" in judged.why


def test_few_frames_that_arrive_at_once_are_the_cameras() -> None:
    assert blame_slow(8.0, 0.3, lag=0.05).blame is Blame.CAMERA
    assert blame_slow(8.0, 0.3, lag=2.0).blame is Blame.NETWORK
    assert "30%" in blame_slow(8.0, 0.3, lag=2.0).why


def test_frames_before_our_decoder_are_ours() -> None:
    judged = blame_behind(16, 40, decode=0.05, rate=25)
    assert judged.blame is Blame.DECODE
    assert "50 ms" in judged.why
