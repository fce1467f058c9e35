"""What the next reviews are worth, in words that keep somebody going: "38 more frames narrow ±6 to ±4"."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vedette.quality.estimates.intervals import Estimate
from vedette.quality.estimates.now import TooFew, more_frames

__all__ = ["Narrowing", "narrowing", "points"]

BY = 2 / 3
"""To so much of its width: about twice as many frames as there are, which is a goal that can be reached."""
SMALLEST = 0.001
"""Half a width that nobody needs to be below."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """``frames`` more, drawn as those before, narrow an interval from ± ``now`` to ± ``then``: shares, 0…1.
    Before there is an estimate ``now`` and ``then`` are None, and so many are needed for one."""

    frames: int
    now: float | None = None
    then: float | None = None

    def __str__(self) -> str:
        frames = f"{self.frames} more frame{'' if self.frames == 1 else 's'}"
        if self.now is None or self.then is None:
            return f"{frames} for an estimate"
        verb = "narrows" if self.frames == 1 else "narrow"
        return f"{frames} {verb} ±{points(self.now)} to ±{points(self.then)}"


def narrowing(known: Estimate | TooFew) -> Narrowing | None:
    """The next goal worth having: two thirds of the width, in whole points while that is more than one, else
    in tenths. None where it is narrow enough, or would take more than a million frames."""
    if isinstance(known, TooFew):
        return Narrowing(max(1, known.needed - known.frames))
    wide = known.half_width
    step = 0.01 if wide * BY >= 0.01 else 0.001
    # A goal of 2.0000001 steps is one of two.
    then = max(SMALLEST, math.floor(wide * BY / step + 1e-9) * step)
    if wide <= then:
        return None
    frames = more_frames(known, then)
    return None if frames is None else Narrowing(max(1, frames), wide, then)


def points(share: float) -> str:
    """A share, or half a width, in points: ``6``, ``0.8``; never fewer than a tenth."""
    value = max(0.1, round(100 * share, 1))
    return f"{value:.0f}" if value >= 1.95 or value == round(value) else f"{value:.1f}"
