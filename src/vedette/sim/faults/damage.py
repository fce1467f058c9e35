"""Payloads that arrive wrong: flipped bits, and NAL units that end too soon."""

from __future__ import annotations

import random

from vedette.sim import h264, h265
from vedette.sim.clip import AccessUnit

__all__ = ["damaged"]

_TRUNCATED = 0.3
"""Share of the damaged frames that are cut short instead of having bits flipped."""

_HEADER = 3
"""Bytes at the front of a payload that stay whole, so that it is still RTP's and the decoder's trouble."""

_BITS_PER_BYTES = 100
"""A flipped bit for each so many bytes."""


def damaged(unit: AccessUnit, codec: str, draw: random.Random) -> AccessUnit:
    """``unit`` with its pictures damaged; parameter sets stay as they are."""
    payloads = list(unit.payloads)
    hit = [index for index, payload in enumerate(payloads) if not _is_parameter_set(payload, codec)]
    if draw.random() < _TRUNCATED:
        index = draw.choice(hit)
        payloads[index] = payloads[index][: max(_HEADER, len(payloads[index]) // 4)]
        # What came after it in the same NAL unit never existed.
        return AccessUnit(unit.keyframe, tuple(payloads[: index + 1]))
    for index in hit:
        payloads[index] = _flipped(payloads[index], draw)
    return AccessUnit(unit.keyframe, tuple(payloads))


def _is_parameter_set(payload: bytes, codec: str) -> bool:
    if codec == "h265":
        return h265.kind(payload) in (h265.VPS, h265.SPS, h265.PPS)
    return h264.kind(payload) in (h264.SPS, h264.PPS)


def _flipped(payload: bytes, draw: random.Random) -> bytes:
    changed = bytearray(payload)
    if len(changed) > _HEADER:
        for _ in range(max(1, len(changed) // _BITS_PER_BYTES)):
            changed[draw.randrange(_HEADER, len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)
