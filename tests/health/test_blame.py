"""Whose doing it is, by the evidence, with the numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.causes import Blame
from vedette.facts import EndReason
from vedette.health.blame import (
    LateEvidence,
    blame_behind,
    blame_corrupt,
    blame_end,
    blame_late,
    blame_slow,
    blame_stall,
)
from vedette.ingest.rtsp.evidence import LinkEvidence, TcpState, judge

IDLE = TcpState(unacknowledged=0, retransmits=0, ack_s=0.1, rtt_s=0.001)
STUCK = TcpState(unacknowledged=1, retransmits=3, ack_s=2.0, rtt_s=0.001)
ASKED = LinkEvidence(silent_s=2.0, unanswered_s=2.0, probe_s=1.0, answered=False, unsent=0, tcp=IDLE)


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


@given(reason=st.sampled_from(EndReason), detail=st.text(max_size=40))
def test_every_end_has_a_blame_and_a_sentence(reason: EndReason, detail: str) -> None:
    assert blame_end(reason, detail).why == (detail or blame_end(reason).why)
    assert blame_end(reason).why


def test_the_detail_of_an_end_is_its_sentence() -> None:
    assert blame_end(EndReason.REFUSED, "The server answered 404.").why == "The server answered 404."


def test_a_certificate_is_the_operators_and_a_broken_handshake_the_cameras() -> None:
    assert blame_end(EndReason.TLS, "The certificate has expired.").blame is Blame.OPERATOR
    assert blame_end(EndReason.TLS, "The handshake broke.").blame is Blame.CAMERA


@pytest.mark.parametrize(
    ("link", "blame"),
    [
        (None, Blame.CAMERA),
        (ASKED, Blame.CAMERA),
        (replace(ASKED, answered=True, tcp=STUCK), Blame.CAMERA),
        (replace(ASKED, tcp=STUCK), Blame.NETWORK),
        (replace(ASKED, tcp=STUCK, probe_s=0.1), Blame.CAMERA),
        (replace(ASKED, tcp=STUCK, probe_s=None), Blame.CAMERA),
        (replace(ASKED, tcp=None), Blame.CAMERA),
    ],
)
def test_a_stall_is_judged_by_whether_the_other_side_is_there(
    link: LinkEvidence | None, blame: Blame
) -> None:
    judged = blame_stall(link)
    assert judged.blame is blame
    assert link is None or "2.0 s" in judged.why


@given(
    st.builds(
        LinkEvidence,
        silent_s=st.floats(0, 60),
        unanswered_s=st.floats(0, 60),
        probe_s=st.none() | st.floats(0, 60),
        answered=st.booleans(),
        unsent=st.integers(0, 1),
        tcp=st.sampled_from([None, IDLE, STUCK]),
    )
)
def test_a_session_that_ends_for_a_stall_and_one_that_is_told_of_are_judged_alike(link: LinkEvidence) -> None:
    blame, why = judge(link)
    told = blame_stall(link)
    assert told.blame is (blame or Blame.CAMERA)
    assert why in told.why


def test_damaged_frames_are_the_networks_where_packets_are_missing() -> None:
    assert blame_corrupt(3, 5, 20).blame is Blame.NETWORK
    assert blame_corrupt(3, 5, 20).why == "5 of 20 frames could not be decoded, and 3 packets are missing."
    assert "1 packet is missing" in blame_corrupt(1).why
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
