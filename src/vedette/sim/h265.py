"""H.265 as it travels in RTP: NAL units in, payloads out (RFC 7798, without DON)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vedette.sim.h264 import MAX_PAYLOAD

__all__ = ["PPS", "SEI", "SPS", "VPS", "fragment", "is_keyframe", "kind", "packetise"]

VPS, SPS, PPS = 32, 33, 34
SEI = (39, 40)
_FU = 49


def kind(nal: bytes) -> int:
    """nal_unit_type, of a NAL unit or a payload."""
    return nal[0] >> 1 & 0x3F


def is_keyframe(nal: bytes) -> bool:
    """A slice from which decoding can begin (BLA, IDR, CRA)."""
    return 16 <= kind(nal) <= 21


def fragment(nal: bytes, limit: int = MAX_PAYLOAD) -> Iterator[bytes]:
    """Payloads of at most ``limit`` (≥ 4) bytes that carry one NAL unit: itself, or fragmentation units."""
    if len(nal) <= limit:
        yield nal
        return
    header = bytes((nal[0] & 0x81 | _FU << 1, nal[1]))
    step = limit - 3
    for begin in range(2, len(nal), step):
        end = begin + step
        flags = kind(nal) | (0x80 if begin == 2 else 0) | (0x40 if end >= len(nal) else 0)
        yield header + bytes((flags,)) + nal[begin:end]


def packetise(nals: Iterable[bytes], limit: int = MAX_PAYLOAD) -> tuple[bytes, ...]:
    """RTP payloads of one access unit, in order; the last one gets the marker bit."""
    return tuple(payload for nal in nals for payload in fragment(nal, limit))
