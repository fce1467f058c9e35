"""Confirmed loss: labels say, beyond doubt, that a share lies below its floor. Looked at after every frame.

A plain interval holds when it is looked at once; look after each of some hundred frames, and it will lie
below the floor one day though nothing is wrong. So doubt is measured by a bet instead (Waudby-Smith and
Ramdas, "Estimating Means of Bounded Random Variables by Betting", JRSS B 2024): somebody who bets against
"the share is at the floor or above" with what a frame shows before it is seen, and never has less than
nothing, multiplies the stake by 1/α with probability at most α, ever, however long it goes on. No
approximation, few frames included. Frames must be drawn, in the order they are reviewed in, without regard
to what is in them; where the share changes meanwhile, a loss says that it was not at its floor all the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vedette.quality.estimates.ratio import Floats, Shares

__all__ = ["ConfirmedLoss", "Floor", "confirmed_loss", "doubt", "upper_bound"]

_BETS = np.geomspace(0.01, 0.98, 12)
"""Shares of the largest bet that cannot ruin; the stake is spread over them. A large loss is soon seen by a
large bet, a small one only by a small one."""
_GRID = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """``share``: 0…1, what precision or recall must not fall below. ``most``: weight of a frame times what is
    in it, at the very most; known before the frames are seen, and the tighter the sooner a loss is confirmed:
    the largest number of boxes in a frame of the period, over the smallest probability of being drawn.
    ``level``: one minus the probability of a false alarm, per stretch of frames."""

    share: float
    most: float
    level: float = 0.99

    def __post_init__(self) -> None:
        if not (0 < self.share < 1 and 0 < self.level < 1 and self.most > 0):
            raise ValueError("a floor and its level lie between 0 and 1, and a frame can hold something")


@dataclass(frozen=True, slots=True)
class ConfirmedLoss:
    """The share is below its floor. ``value``: as the frames have it; ``upper``: what it is at most, at
    ``level``, whenever that is looked at. ``after``: frames that it took to be sure; ``frames``: by now."""

    floor: float
    value: float
    upper: float
    level: float
    after: int
    frames: int


def confirmed_loss(shares: Shares, floor: Floor) -> ConfirmedLoss | None:
    """``shares``: frames in the order of their review, from the first of the stretch that is judged: a batch
    that was opened for a suspected loss, or all since the model was set. None = not sure, or no loss."""
    wealth = doubt(shares, floor.share, floor.most)
    sure = np.flatnonzero(wealth >= 1 / (1 - floor.level))
    if not len(sure):
        return None
    upper = min(floor.share, upper_bound(shares, floor.most, floor.level))
    return ConfirmedLoss(floor.share, shares.share, upper, floor.level, int(sure[0]) + 1, len(shares.weight))


def doubt(shares: Shares, share: float, most: float) -> Floats:
    """By how much a stake of 1 against "at least ``share``" has grown after each frame: float64 [frames].

    ValueError where a frame has more than ``most``.
    """
    mass = shares.weight * shares.wholes
    if (mass > most * (1 + 1e-12)).any():
        raise ValueError(f"a frame weighs {mass.max():g}, more than the {most:g} that were called the most")
    missing = shares.weight * (share * shares.wholes - shares.parts) / ((1 - share) * most)
    grown = np.cumsum(np.log1p(_BETS[:, np.newaxis] * missing), axis=1)
    wealth: Floats = np.exp(np.minimum(grown, 600.0)).mean(axis=0)
    return wealth


def upper_bound(shares: Shares, most: float, level: float) -> float:
    """The share is at most this, at ``level``, however often that is asked while frames come. To 0.0001."""
    low, high = 0.0, 1.0
    while high - low > _GRID:
        middle = (low + high) / 2
        refuted = doubt(shares, middle, most).max(initial=0.0) >= 1 / (1 - level)
        low, high = (low, middle) if refuted else (middle, high)
    return high
