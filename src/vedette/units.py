"""Amounts as people write them."""

from __future__ import annotations

import math
import re

__all__ = ["parse_duration", "parse_size"]

_DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>ms|s|m|h|d)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, None: 1.0}

_SIZE = re.compile(r"\s*(?P<number>\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})\s*(?P<unit>[kMGT]|[kKMGT]i)?B\s*")
_BYTES = {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12} | {
    "ki": 2**10,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def parse_duration(value: object) -> float:
    """Seconds of ``30``, ``"500ms"``, ``"1s"``, ``"2m"``, ``"1.5h"`` or ``"3d"``; a bare number is seconds.

    Raises ValueError, without the value in its message.
    """
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return float(match["number"]) * _SECONDS[match["unit"]]
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
    ):
        return float(value)
    raise ValueError("must be a duration: seconds, or a number with a unit such as 500ms, 1s, 2m, 1h, 3d")


def parse_size(value: object) -> int:
    """Bytes of ``"512MB"``, ``"4GB"`` (powers of ten) or ``"1.5GiB"`` (powers of two).

    A whole number is bytes; text needs a unit, because ``4`` is a mistake more often than four bytes. Raises
    ValueError, without the value in its message.
    """
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return round(float(match["number"]) * _BYTES[match["unit"]])
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("must be a size: a number with a unit such as 512MB, 4GB, 2GiB")
