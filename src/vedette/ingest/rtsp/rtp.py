"""RTP and RTCP (RFC 3550), as far as a receiver over TCP needs them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = [
    "Reception",
    "RtpClock",
    "RtpError",
    "SenderReport",
    "parse_rtcp",
    "payload_bounds",
    "receiver_report",
]

_WRAP = 1 << 32
_HALF = 1 << 31
# Seconds between the epochs of NTP (1900) and Unix (1970).
_NTP_TO_UNIX = 2_208_988_800
# Senders without a set clock count from their boot or from 1970: that says nothing about wall time.
_PLAUSIBLE_SINCE = 946_684_800.0  # 2000-01-01
# A packet this much late or fewer is old; further back, the sender has begun a new count (RFC 3550, A.1).
_MAX_MISORDER = 100
# So far ahead it has as well: nobody loses that much and goes on as if nothing were.
_MAX_DROPOUT = 3000

_SENDER_REPORT, _BYE = 200, 203


class RtpError(ValueError):
    """What came on the channel is no RTP."""


def payload_bounds(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """First and one past the last byte of the payload of the packet ``data[start:stop]``.

    For packets that are not plain: with CSRC list, header extension or padding. Raises RtpError.
    """
    flags = data[start]
    if flags >> 6 != 2:
        raise RtpError("a packet that is not RTP version 2")
    first = start + 12 + 4 * (flags & 0x0F)
    if flags & 0x10:
        if first + 4 > stop:
            raise RtpError("an RTP header extension longer than its packet")
        first += 4 + 4 * int.from_bytes(data[first + 2 : first + 4], "big")
    if flags & 0x20:
        stop -= data[stop - 1]
    if first > stop:
        raise RtpError("an RTP header longer than its packet")
    return first, stop


class Reception:
    """Counts sequence numbers: what is missing, what comes late, how far the sender is."""

    __slots__ = ("cycles", "expected", "late", "lost", "ssrc")

    def __init__(self) -> None:
        self.ssrc = -1
        self.expected = -1
        """Next sequence number; 65536 just before the wrap, so the fast path needs no masking."""
        self.cycles = 0
        self.lost = 0
        self.late = 0

    def unexpected(self, sequence: int, ssrc: int) -> tuple[bool, bool]:
        """Judge a packet out of line: (use it, packets before it are missing)."""
        if ssrc != self.ssrc:
            first = self.ssrc < 0
            self.ssrc, self.cycles = ssrc, 0
            return True, not first
        gap = (sequence - self.expected) & 0xFFFF
        if gap >= 0x10000 - _MAX_MISORDER:
            self.late += 1
            return False, False
        if sequence < self.expected:
            self.cycles += 1
        if gap < _MAX_DROPOUT:
            self.lost += gap
        return True, gap > 0

    @property
    def highest(self) -> int:
        """Extended highest sequence number received (32 bits)."""
        return ((self.cycles << 16) + self.expected - 1) & 0xFFFFFFFF


class RtpClock:
    """32-bit RTP timestamps as seconds, and as Unix time once the sender has reported."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._raw: int | None = None
        self._ticks = 0
        self._reference: tuple[int, float] | None = None

    def seconds(self, timestamp: int) -> float:
        """Unwrapped; goes back where the stream does (B-frames). The origin means nothing."""
        self._ticks = self._unwrap(timestamp)
        self._raw = timestamp
        return self._ticks / self._rate

    def unix(self, timestamp: int) -> float | None:
        """When the sender says this was captured."""
        if self._reference is None:
            return None
        ticks, unix = self._reference
        return unix + (self._unwrap(timestamp) - ticks) / self._rate

    def report(self, report: SenderReport) -> None:
        """Take in which timestamp belongs to which wall time."""
        if report.unix >= _PLAUSIBLE_SINCE:
            self._reference = (self._unwrap(report.timestamp), report.unix)

    def restart(self) -> None:
        """Another sender: what the former reported is void."""
        self._reference = None

    def _unwrap(self, timestamp: int) -> int:
        if self._raw is None:
            self._raw = self._ticks = timestamp
        return self._ticks + (timestamp - self._raw + _HALF) % _WRAP - _HALF


@dataclass(frozen=True, slots=True)
class SenderReport:
    """``unix``: seconds; ``timestamp``: the RTP timestamp of that moment; ``middle``: for the reply."""

    ssrc: int
    unix: float
    timestamp: int
    middle: int


def parse_rtcp(data: bytes) -> tuple[list[SenderReport], list[int]]:
    """Sender reports, and the sources that say goodbye, of a compound packet. Ignores what it cannot read."""
    reports: list[SenderReport] = []
    leaving: list[int] = []
    at = 0
    while at + 4 <= len(data) and data[at] >> 6 == 2:
        size = 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        packet = data[at : at + size]
        if packet[1] == _SENDER_REPORT and len(packet) >= 20:
            ssrc, seconds, fraction, timestamp = struct.unpack_from("!IIII", packet, 4)
            unix = seconds - _NTP_TO_UNIX + fraction / _WRAP
            middle = (seconds & 0xFFFF) << 16 | fraction >> 16
            reports.append(SenderReport(ssrc, unix, timestamp, middle))
        elif packet[1] == _BYE:
            count = min(packet[0] & 0x1F, (len(packet) - 4) // 4)
            leaving += struct.unpack_from(f"!{count}I", packet, 4)
        at += size
    return reports, leaving


def receiver_report(own_ssrc: int, reception: Reception, middle: int, delay: float) -> bytes:
    """A receiver report. ``middle``: of the sender's last report; ``delay``: seconds since that came.

    Jitter is given as 0: over TCP it says something about the reader, not about the network.
    """
    block = struct.pack(
        "!IIIIII",
        reception.ssrc & 0xFFFFFFFF,
        min(reception.lost, 0x7FFFFF),
        reception.highest,
        0,
        middle,
        min(int(delay * 65536), 0xFFFFFFFF),
    )
    return struct.pack("!BBHI", 0x81, 201, 7, own_ssrc) + block
