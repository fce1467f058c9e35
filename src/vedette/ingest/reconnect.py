"""When to try again, and how long an attempt may take: a pure policy."""

from __future__ import annotations

import random
from dataclasses import dataclass

from vedette.facts import EndReason

__all__ = ["HEALTHY_AFTER_S", "Backoff", "attempt_timeout"]

HEALTHY_AFTER_S = 10.0
"""A session that gave pictures for so long ended the outage before it: the next wait starts small again."""

OUTAGE_SHARE = 1 / 20
"""No wait is longer than this share of the outage so far: a camera that comes back is found after 5% more."""
WAIT_LEAST_MOST_S, WAIT_MOST_S = 1.0, 15.0
"""Within these: 1 s while the outage is young, four attempts a minute when it is hours old."""

FLAP_FIRST_S = 0.25
"""The least wait after a session that opened and soon died. Each further one in an outage doubles it."""

SHORT_LEAST_S = 1.5
"""TCP asks again after 1 s: an attempt that is given up before has not noticed a host that just came back."""
SHORT_TIMES_USUAL = 5.0
FULL_EVERY = 3

_DOUBLINGS = 16


@dataclass(frozen=True)
class _Pace:
    """Seconds to wait after the first failure, and after many; ``most`` None: a share of the outage."""

    first: float
    most: float | None = None


_SLOW = _Pace(10.0, 120.0)
_PACES = {
    # Trying a wrong password often locks accounts, and time does not mend it.
    EndReason.UNAUTHORISED: _SLOW,
    EndReason.UNSUPPORTED: _SLOW,
    EndReason.CORRUPT: _Pace(1.0, 30.0),
    EndReason.TLS: _Pace(1.0, 30.0),
}
_USUAL = _Pace(0.25)


class Backoff:
    """Waits of one camera. Each failure in a row doubles the wait, to a limit that depends on the reason.

    An outage lasts until a session gives pictures for :data:`HEALTHY_AFTER_S`; sessions that die sooner are
    part of it, and make the next wait longer.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._away_since: float | None = None
        self._now = 0.0
        self._usual: float | None = None
        self._forget()

    def _forget(self) -> None:
        self._away_since = None
        self._failures = self._refusals = self._flaps = self._attempts = 0

    def after(self, reason: EndReason, lived: float, now: float | None = None) -> float:
        """Seconds to wait after a session that gave pictures for ``lived`` seconds and ended for ``reason``
        at ``now`` (monotonic seconds; None: nothing but sessions and waits has taken time since the last)."""
        self._now = self._now + lived if now is None else now
        if lived >= HEALTHY_AFTER_S:
            self._forget()
        if self._away_since is None:
            self._away_since = self._now
        if 0.0 < lived < HEALTHY_AFTER_S:
            self._flaps += 1
        # Jitter only ever stretches the wait, so cameras that went down together stop retrying in lock-step.
        wait = max(self._pause(reason), self._damping()) * self._rng.uniform(1.0, 1.5)
        self._now += wait
        return wait

    def opened(self, seconds: float) -> None:
        """An attempt succeeded within ``seconds``: what is usual for this camera."""
        self._usual = seconds if self._usual is None else self._usual + 0.3 * (seconds - self._usual)

    def timeout(self, full: float) -> float:
        """Seconds the next attempt may take. Call it once per attempt."""
        self._attempts += 1
        return attempt_timeout(self._attempts, self._usual, full)

    @property
    def outage(self) -> float:
        """Seconds since the outage began, as of the last ``after``; 0.0 without one."""
        return 0.0 if self._away_since is None else self._now - self._away_since

    def _pause(self, reason: EndReason) -> float:
        pace = _PACES.get(reason, _USUAL)
        if pace is _SLOW:
            # Counted by themselves: a camera that boots is unreachable, then refuses, then knows no users
            # yet, and must not pay for the first with minutes for the last.
            count, self._refusals = self._refusals, self._refusals + 1
        else:
            count, self._failures = self._failures, self._failures + 1
        most = pace.most
        if most is None:
            most = min(WAIT_MOST_S, max(WAIT_LEAST_MOST_S, self.outage * OUTAGE_SHARE))
        return min(most, pace.first * 2.0 ** min(count, _DOUBLINGS))

    def _damping(self) -> float:
        if not self._flaps:
            return 0.0
        return min(WAIT_MOST_S, FLAP_FIRST_S * 2.0 ** min(self._flaps - 1, _DOUBLINGS))


def attempt_timeout(attempt: int, usual: float | None, full: float) -> float:
    """Seconds that attempt number ``attempt`` (from 1) of an outage may take to open; ``full`` at most.

    Most are short, so that a host which swallows packets does not hide its return for long. Every third gets
    all the time there is, and so does the first to a camera that never opened (``usual`` None).
    """
    if attempt % FULL_EVERY == 0 or (usual is None and attempt == 1):
        return full
    return min(full, max(SHORT_LEAST_S, SHORT_TIMES_USUAL * (usual or 0.0)))
