"""Was it the camera or the network? What a connection knows about the other side's silence.

A server that hangs and a cable that is cut look alike to who only reads. So a silent server is asked
something: its kernel acknowledges the question even where the server itself no longer answers; a cut cable
does not.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from vedette.causes import Blame

__all__ = ["LinkEvidence", "TcpState", "judge", "parse_tcp_info", "tcp_state"]

# struct tcp_info of Linux up to tcpi_total_retrans, which every kernel since 2.6 has: eight bytes, then 24
# numbers of 32 bits. Newer kernels append to it and never change what was there.
_TCP_INFO = struct.Struct("=8B24I")
_RETRANSMITS, _UNACKNOWLEDGED, _LAST_ACK_MS, _RTT_US = 2, 8 + 4, 8 + 12, 8 + 15

_MIN_ACK_S = 0.3
"""An acknowledgement may be delayed by up to 0.2 s on purpose; before that its absence means nothing."""

_ACK_IN_ROUND_TRIPS = 3.0


@dataclass(frozen=True, slots=True)
class TcpState:
    """What the kernel knows of one TCP connection.

    ``unacknowledged``: segments sent and not acknowledged. ``retransmits``: how often in a row the oldest of
    them was sent again. ``ack_s``: seconds since the last acknowledgement came. ``rtt_s``: smoothed round
    trip in seconds.
    """

    unacknowledged: int
    retransmits: int
    ack_s: float
    rtt_s: float


@dataclass(frozen=True, slots=True)
class LinkEvidence:
    """What is known about a connection at one moment. Seconds count back from that moment.

    ``silent_s``: since the last byte came. ``unanswered_s``: since the last RTSP reply or RTCP packet; both
    count from the connect where none has come. ``probe_s``: since the server was last asked something, None:
    not yet. ``answered``: whether it answered since then. ``unsent``: bytes the kernel would not take.
    ``tcp``: None where the platform does not say.
    """

    silent_s: float
    unanswered_s: float
    probe_s: float | None
    answered: bool
    unsent: int
    tcp: TcpState | None

    @property
    def acknowledged(self) -> bool | None:
        """Whether all that we sent has reached the other machine; None: cannot be told."""
        if self.unsent:
            return False
        return None if self.tcp is None else self.tcp.unacknowledged == 0

    @property
    def retransmits(self) -> int:
        """How often in a row the oldest unacknowledged segment was sent again; 0 where that is not known."""
        return 0 if self.tcp is None else self.tcp.retransmits


def judge(evidence: LinkEvidence) -> tuple[Blame | None, str]:
    """Whose silence it is, and the words for it; (None, "") where the evidence says nothing.

    A camera without power looks like a cut cable: from here it is one.
    """
    if evidence.probe_s is None:
        return None, ""
    if evidence.answered:
        return Blame.CAMERA, "its server still answers"
    if evidence.silent_s < evidence.probe_s:
        return Blame.CAMERA, "other data still comes from it"
    if evidence.acknowledged:
        return Blame.CAMERA, "its machine takes what is sent to it and its server does not answer"
    tcp = evidence.tcp
    if tcp is None or evidence.probe_s < max(_MIN_ACK_S, _ACK_IN_ROUND_TRIPS * tcp.rtt_s):
        return None, ""
    again = f", sent again {tcp.retransmits} times" if tcp.retransmits else ""
    return Blame.NETWORK, f"nothing acknowledges what is sent to it{again}"


def tcp_state(sock: socket.socket | None) -> TcpState | None:
    """Ask the kernel; None where it has no answer (not Linux, or the socket is closed)."""
    option = getattr(socket, "TCP_INFO", None)
    if sock is None or option is None:
        return None
    try:
        return parse_tcp_info(sock.getsockopt(socket.IPPROTO_TCP, option, _TCP_INFO.size))
    except OSError:
        return None


def parse_tcp_info(raw: bytes) -> TcpState | None:
    """Read ``struct tcp_info``; None where it is shorter than any Linux makes it."""
    if len(raw) < _TCP_INFO.size:
        return None
    fields = _TCP_INFO.unpack_from(raw)
    return TcpState(
        unacknowledged=fields[_UNACKNOWLEDGED],
        retransmits=fields[_RETRANSMITS],
        ack_s=fields[_LAST_ACK_MS] / 1000,
        rtt_s=fields[_RTT_US] / 1_000_000,
    )
