"""Whose silence is it? The kernel's word, read rightly."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vedette.causes import Blame
from vedette.ingest.rtsp.evidence import LinkEvidence, TcpState, judge, parse_tcp_info, tcp_state

IDLE = TcpState(unacknowledged=0, retransmits=0, ack_s=0.1, rtt_s=0.001)
STUCK = TcpState(unacknowledged=1, retransmits=3, ack_s=4.0, rtt_s=0.001)
ASKED = LinkEvidence(silent_s=5.0, unanswered_s=5.0, probe_s=2.0, answered=False, unsent=0, tcp=IDLE)


def test_nobody_is_blamed_before_anything_was_asked() -> None:
    assert judge(replace(ASKED, probe_s=None)) == (None, "")


def test_a_camera_that_answers_and_sends_no_pictures_is_to_blame() -> None:
    blame, why = judge(replace(ASKED, answered=True, tcp=STUCK))
    assert (blame, "answers" in why) == (Blame.CAMERA, True)


def test_a_camera_of_which_other_data_comes_is_to_blame() -> None:
    assert judge(replace(ASKED, silent_s=0.1, tcp=None))[0] is Blame.CAMERA


def test_a_camera_whose_kernel_acknowledges_is_to_blame() -> None:
    assert judge(ASKED)[0] is Blame.CAMERA


def test_a_network_in_which_nothing_is_acknowledged_is_to_blame() -> None:
    blame, why = judge(replace(ASKED, tcp=STUCK))
    assert (blame, "3 times" in why) == (Blame.NETWORK, True)
    assert judge(replace(ASKED, unsent=100))[0] is Blame.NETWORK


def test_an_acknowledgement_may_take_a_while() -> None:
    assert judge(replace(ASKED, probe_s=0.1, tcp=STUCK))[0] is None
    far = replace(STUCK, rtt_s=1.0)
    assert judge(replace(ASKED, probe_s=2.0, tcp=far))[0] is None


def test_where_the_platform_does_not_say_nobody_is_blamed() -> None:
    assert judge(replace(ASKED, tcp=None)) == (None, "")
    assert replace(ASKED, tcp=None).acknowledged is None
    assert (replace(ASKED, tcp=None).retransmits, replace(ASKED, tcp=STUCK).retransmits) == (0, 3)


def test_the_numbers_are_found_where_linux_puts_them() -> None:
    raw = bytearray(200)
    raw[2] = 7
    struct.pack_into("=I", raw, 24, 11)
    struct.pack_into("=I", raw, 56, 2500)
    struct.pack_into("=I", raw, 68, 40_000)
    assert parse_tcp_info(bytes(raw)) == TcpState(11, 7, 2.5, 0.04)


@given(st.binary(max_size=300))
def test_any_answer_of_a_kernel_is_read_or_left(raw: bytes) -> None:
    state = parse_tcp_info(raw)
    assert (state is None) == (len(raw) < 104)


def test_a_real_kernel_says_that_nothing_waits_on_an_idle_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
        with theirs, ours:
            state = tcp_state(ours)
            assert state is None or (state.unacknowledged, state.retransmits) == (0, 0)
        assert tcp_state(ours) is None
    assert tcp_state(None) is None
