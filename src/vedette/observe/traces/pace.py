"""How often people are told of a collector that is away: soon at first, then seldom."""

from __future__ import annotations

__all__ = ["Pace"]

AGAIN_AFTER_S = 60.0
"""From the first time to the second."""

THEN_EVERY_S = 600.0

WELL_AFTER_S = 600.0
"""A collector that took everything for so long is as if nothing had been; before, it comes and goes."""


class Pace:
    """Values in, whether to tell out; ``now`` is in monotonic seconds."""

    def __init__(self) -> None:
        self._next_at: float | None = None
        self._well_since: float | None = None
        self._times = 0
        self.away = False
        """Whether the last that was told is that it is away."""

    def lost(self, now: float) -> bool:
        """Frames were lost: whether to tell of it."""
        if self._well_since is not None and now - self._well_since >= WELL_AFTER_S:
            self._next_at, self._times = None, 0
        self._well_since = None
        if self._next_at is not None and now < self._next_at:
            return False
        self._times += 1
        self._next_at = now + (AGAIN_AFTER_S if self._times == 1 else THEN_EVERY_S)
        self.away = True
        return True

    def taken(self, now: float) -> bool:
        """Everything was taken: whether to tell that it works again."""
        if self._well_since is None:
            self._well_since = now
        was_away, self.away = self.away, False
        return was_away
