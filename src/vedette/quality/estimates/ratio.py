"""A share over frames that were drawn with known probabilities: of what is in them, how much is so.

Boxes of one frame are alike (the same light, the same rain), so frames are counted, not boxes: the share is a
ratio of two weighted sums (Hájek), and its spread that of each frame's influence on it. Särndal, Swensson and
Wretman, "Model Assisted Survey Sampling" (1992), 5.7, 8.6 and 11.5; frames are taken as drawn with
replacement, which is at most too cautious.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.estimates.intervals import Estimate, Method, estimate

__all__ = ["Floats", "Shares", "cautious", "classical", "effective", "enough"]

Floats = NDArray[np.float64]

ENOUGH_FRAMES = 30
"""With something in them. Below, a spread is not known well enough to be believed."""
ENOUGH_OF_EACH = 5
"""Frames with something that is so, and with something that is not: a spread comes from the rarer."""


@dataclass(frozen=True, eq=False)
class Shares:
    """Frames that were reviewed, float64 [frames] each; the order does not matter.

    ``weight``: one over the probability of having been drawn, up to a factor. ``parts``: how many of
    ``wholes`` in that frame are so.
    """

    weight: Floats
    parts: Floats
    wholes: Floats

    def __post_init__(self) -> None:
        if not len(self.weight) == len(self.parts) == len(self.wholes):
            raise ValueError("weights, parts and wholes must be of the same frames")
        if not (np.isfinite(self.weight).all() and (self.weight > 0).all()):
            raise ValueError("weights must be above 0: a frame that could not be drawn was not")
        if (self.parts < 0).any() or (self.parts > self.wholes).any():
            raise ValueError("parts must lie between 0 and the whole")

    @property
    def share(self) -> float:
        """0…1; nan where there is nothing."""
        whole = float(self.weight @ self.wholes)
        return float(self.weight @ self.parts) / whole if whole > 0 else float("nan")

    @property
    def informed(self) -> int:
        """Frames with something in them."""
        return int((self.wholes > 0).sum())

    @property
    def influence(self) -> Floats:
        """How far the share moves without each frame, times their number (jackknife); float64 [frames].

        A frame that holds much of all there is has pulled the share towards itself: what it would be without
        says more of how far off it is. More than one frame must have something in it.
        """
        mass = self.weight * self.wholes
        off = self.weight * (self.parts - self.share * self.wholes)
        return len(off) * off / (float(mass.sum()) - mass)


def enough(shares: Shares) -> bool:
    """Whether the spread between frames can be believed. Where it cannot, intervals only become wider."""
    some, others = int((shares.parts > 0).sum()), int((shares.parts < shares.wholes).sum())
    return shares.informed >= ENOUGH_FRAMES and min(some, others) >= ENOUGH_OF_EACH


def classical(shares: Shares, level: float) -> Estimate:
    """From the labels alone. Something must be in the frames; where it is too little, as :func:`cautious`."""
    if not enough(shares):
        return cautious(shares, level)
    draws = effective(shares.share, shares.influence, 1)
    return estimate(
        shares.share,
        draws,
        shares.informed - 1,
        level,
        Method.CLASSICAL,
        frames=len(shares.weight),
        judged=int(shares.wholes.sum()),
    )


def cautious(shares: Shares, level: float) -> Estimate:
    """As if all that is in a frame were the same thing seen many times: the most that frames can be alike.

    Of the frames so many count as Kish, "Survey Sampling" (1965), has for unequal weights.
    """
    mass = shares.weight * shares.wholes
    if mass.sum() <= 0:
        raise ValueError("nothing in these frames was judged")
    draws = float(mass.sum() ** 2 / (mass @ mass))
    return estimate(
        min(1.0, max(0.0, shares.share)),
        draws,
        max(1, shares.informed - 1),
        level,
        Method.CAUTIOUS,
        frames=len(shares.weight),
        judged=int(shares.wholes.sum()),
    )


def effective(share: float, influence: Floats, fitted: int) -> float:
    """So many independent draws have the spread of these frames; ``fitted``: numbers that were fitted."""
    frames = len(influence)
    off = influence - influence.mean()
    spread = float(off @ off) / (frames - fitted) / frames
    return share * (1 - share) / spread if spread > 0 else float("inf")
