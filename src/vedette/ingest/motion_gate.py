"""Which pictures need not be analysed because nothing moved in them since one that was."""

from __future__ import annotations

import math
from typing import Any

from vedette.ingest.motion import Look, Motion

__all__ = ["MotionGate"]


STILL_LEAST = 3
"""Pictures in which nothing moved, between two that are let through all the same: a camera that is looked at
so seldom that each would be due leaves the detector to those in which something moves."""


class MotionGate:
    """One camera's. ``wanted``: else every picture is let through. ``every``: one is let through at least so
    often, in seconds, where there are enough of them."""

    def __init__(self, *, wanted: bool, every: float) -> None:
        self._motion = Motion() if wanted else None
        self._every = every
        self._offered_at = -math.inf
        self._still = 0
        """Pictures in which nothing moved since."""
        self.answered = True
        """Whether what a detector took last was analysed, too."""

    def look(self, image: Any) -> Look | None:
        """Look at an ``av.VideoFrame``; outside of locks."""
        return None if self._motion is None else self._motion.look(image)

    def still(self, look: Look | None, now: float) -> bool:
        """Whether nothing moved, and it is not time for one all the same."""
        if self._motion is None or self._offered_at == -math.inf:
            return False
        if now - self._offered_at >= self._every and self._still >= STILL_LEAST:
            return False
        if self._motion.moved(look):
            return False
        self._still += 1
        return True

    def offered(self, now: float) -> None:
        """A detector took a picture."""
        self._offered_at, self._still, self.answered = now, 0, False

    def analysed(self, look: Look | None) -> None:
        """And its result left: it is what others are compared with."""
        self.answered = True
        if self._motion is not None:
            self._motion.analysed(look)

    def look_again(self) -> None:
        """What had moved in a picture that was not analysed after all may be still in the next one."""
        self._offered_at = -math.inf

    def reset(self) -> None:
        """Another view, or another stream."""
        if self._motion is not None:
            self._motion.reset()
