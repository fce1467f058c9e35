"""H.264 as it travels in RTP: Annex B in, payloads out (RFC 6184, packetisation mode 1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = [
    "IDR",
    "MAX_PAYLOAD",
    "PPS",
    "SEI",
    "SPS",
    "annexb",
    "fragment",
    "kind",
    "packetise",
    "split_annexb",
]

IDR, SEI, SPS, PPS = 5, 6, 7, 8
_FU_A = 28

MAX_PAYLOAD = 1400
"""Bytes. With RTP, UDP and IP headers it stays under an Ethernet MTU of 1500, tunnels included."""

_START_CODE = re.compile(rb"\x00\x00\x01")


def split_annexb(data: bytes) -> Iterator[bytes]:
    """NAL units of a byte stream, without start codes.

    Zero bytes before a start code belong to no NAL unit (a NAL unit never ends in a zero byte).
    """
    begins = [match.end() for match in _START_CODE.finditer(data)]
    ends = [begin - 3 for begin in begins[1:]] + [len(data)]
    for begin, end in zip(begins, ends, strict=False):
        if nal := data[begin:end].rstrip(b"\x00"):
            yield nal


def kind(nal: bytes) -> int:
    """nal_unit_type: 1 a slice, 5 a slice of a keyframe, 6 SEI, 7 SPS, 8 PPS…"""
    return nal[0] & 0x1F


def fragment(nal: bytes, limit: int = MAX_PAYLOAD) -> Iterator[bytes]:
    """Payloads of at most ``limit`` (≥ 3) bytes that carry one NAL unit: itself, or FU-A fragments."""
    if len(nal) <= limit:
        yield nal
        return
    indicator = nal[0] & 0xE0 | _FU_A
    step = limit - 2
    for begin in range(1, len(nal), step):
        end = begin + step
        header = kind(nal) | (0x80 if begin == 1 else 0) | (0x40 if end >= len(nal) else 0)
        yield bytes((indicator, header)) + nal[begin:end]


def packetise(nals: Iterable[bytes], limit: int = MAX_PAYLOAD) -> tuple[bytes, ...]:
    """RTP payloads of one access unit, in order; the last one gets the marker bit."""
    return tuple(payload for nal in nals for payload in fragment(nal, limit))


def annexb(payloads: Iterable[bytes]) -> bytes:
    """The byte stream of an access unit that :func:`packetise` cut into payloads."""
    parts: list[bytes] = []
    for payload in payloads:
        if kind(payload) != _FU_A:
            parts.append(b"\x00\x00\x00\x01" + payload)
        elif payload[1] & 0x80:
            parts.append(b"\x00\x00\x00\x01" + bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) + payload[2:])
        else:
            parts.append(payload[2:])
    return b"".join(parts)
