"""When to try again: a pure policy."""

from __future__ import annotations

import random
from dataclasses import dataclass

from vedette.facts import EndReason

__all__ = ["Backoff"]

HEALTHY_AFTER_S = 10.0
"""A session that lived this long was no failed attempt: the next wait starts small again."""


@dataclass(frozen=True)
class _Pace:
    """``first`` and ``most``: seconds to wait after the first failure, and after many."""

    first: float
    most: float


_PACES = {
    # Trying a wrong password often locks accounts, and time does not mend it.
    EndReason.UNAUTHORISED: _Pace(10.0, 120.0),
    EndReason.UNSUPPORTED: _Pace(10.0, 120.0),
    EndReason.CORRUPT: _Pace(1.0, 30.0),
    EndReason.REFUSED: _Pace(0.5, 15.0),
}
_USUAL = _Pace(0.25, 15.0)


class Backoff:
    """Waits of one camera. Each failure in a row doubles the wait, to a limit that depends on the reason."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    def after(self, reason: EndReason, lived: float) -> float:
        """Seconds to wait after a session that gave frames for ``lived`` seconds and ended for ``reason``."""
        if lived >= HEALTHY_AFTER_S:
            self._failures = 0
        pace = _PACES.get(reason, _USUAL)
        wait = min(pace.most, pace.first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        # Jitter only ever stretches the wait, so cameras that went down together stop retrying in lock-step.
        return wait * self._rng.uniform(1.0, 1.5)
