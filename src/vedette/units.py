"""Amounts as people write them."""

from __future__ import annotations

import math
import re

__all__ = ["parse_duration"]

_DURATION = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>ms|s|m|h)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def parse_duration(value: object) -> float:
    """Seconds of ``30``, ``"500ms"``, ``"1s"``, ``"2m"`` or ``"1.5h"``; a bare number is seconds.

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
    raise ValueError("must be a duration: seconds, or a number with a unit such as 500ms, 1s, 2m, 1h")
