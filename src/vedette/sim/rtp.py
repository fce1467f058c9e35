"""RTP and RTCP as bytes (RFC 3550), plain and interleaved into an RTSP connection (RFC 2326, 10.12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

__all__ = ["CLOCK_RATE", "PAYLOAD_TYPE", "framed", "goodbye", "interleaved", "packets", "sender_report"]

CLOCK_RATE = 90_000
"""RTP clock of all video payloads, ticks a second."""

PAYLOAD_TYPE = 96
_MARKER = 0x80
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""

_RTP = struct.Struct("!BBHII")
_INTERLEAVED_RTP = struct.Struct("!BBHBBHII")
_SENDER_REPORT = struct.Struct("!BBHIIIIII")


def interleaved(payloads: Sequence[bytes], channel: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """One access unit's packets, each behind its ``$`` header, as one run of bytes for one write.

    This is the hot path of the simulator: one pack per packet and one join per frame, nothing else.
    """
    pack = _INTERLEAVED_RTP.pack
    parts: list[bytes] = []
    for payload in payloads:
        parts.append(pack(0x24, channel, len(payload) + 12, 0x80, PAYLOAD_TYPE, sequence, timestamp, ssrc))
        parts.append(payload)
        sequence = (sequence + 1) & 0xFFFF
    last, size = (sequence - 1) & 0xFFFF, len(payloads[-1]) + 12
    parts[-2] = pack(0x24, channel, size, 0x80, PAYLOAD_TYPE | _MARKER, last, timestamp, ssrc)
    return b"".join(parts)


def packets(payloads: Sequence[bytes], sequence: int, timestamp: int, ssrc: int) -> Iterator[bytes]:
    """One access unit's RTP packets, one datagram each."""
    last = len(payloads) - 1
    for index, payload in enumerate(payloads):
        flags = PAYLOAD_TYPE | _MARKER if index == last else PAYLOAD_TYPE
        yield _RTP.pack(0x80, flags, (sequence + index) & 0xFFFF, timestamp, ssrc) + payload


def framed(channel: int, data: bytes) -> bytes:
    """``data`` as one interleaved message."""
    return struct.pack("!BBH", 0x24, channel, len(data)) + data


def sender_report(
    *, ssrc: int, wall: float, timestamp: int, packet_count: int, octet_count: int, name: str
) -> bytes:
    """A compound RTCP packet: sender report and the CNAME.

    It says: the RTP clock showed ``timestamp`` at ``wall`` (Unix seconds). Octets are those of payloads.
    """
    seconds = int(wall)
    fraction = int((wall - seconds) * 2**32)
    report = _SENDER_REPORT.pack(
        0x80,
        200,
        6,
        ssrc,
        (seconds + _NTP_EPOCH) & 0xFFFFFFFF,
        fraction,
        timestamp & 0xFFFFFFFF,
        packet_count & 0xFFFFFFFF,
        octet_count & 0xFFFFFFFF,
    )
    return report + _description(ssrc, name)


def goodbye(ssrc: int) -> bytes:
    """RTCP BYE: this stream is over. Preceded by the empty report that a compound packet begins with."""
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc) + struct.pack("!BBHI", 0x81, 203, 1, ssrc)


def _description(ssrc: int, name: str) -> bytes:
    """SDES with a CNAME; items end with a zero byte and fill up to whole words."""
    encoded = name.encode()[:255]
    items = struct.pack("!BB", 1, len(encoded)) + encoded
    items += bytes(4 - len(items) % 4)
    return struct.pack("!BBHI", 0x81, 202, 1 + len(items) // 4, ssrc) + items
