"""Running sums of what windows were like, at four lengths of block: enough to say later how they spread.

The numbers of neighbouring windows are alike: what goes on before a camera lasts. So the sums are kept for
means over 1, 6, 10 and 60 windows (10 s to 10 min), and products of blocks that follow each other.
"""

from __future__ import annotations

import numpy as np

from vedette.quality.drift.measured import LEARNT, OF_BOXES, Floats

__all__ = ["BLOCKS", "BREAK_WINDOWS", "LAGS", "LONGEST", "POWERS", "Moments"]

BLOCKS = (1, 6, 10, 60)
"""Windows."""
LONGEST = BLOCKS[-1]
LAGS = ((1, 1), (1, 6), (6, 1), (10, 6), (60, 1))
"""(windows of a block, how many blocks on)."""

POWERS = 6
BREAK_WINDOWS = 6
"""After so many windows without a word a block is not gone on with: a minute of absence."""


class Moments:
    """Of one light of one camera. Time of each measure runs in windows that had it.

    ``sums``: float64 [6 measures, 4 blocks, 7]: count, and sums of the first six powers about ``origin``.
    ``pairs``: float64 [6, 5 lags, 3]: count, sum of products, sum of both. ``rarity``: [6, 2]: windows, and
    the sum of 1 / observations in the window. ``seen``: [3 measures of boxes], the sum of observations.
    """

    def __init__(self) -> None:
        self.origin: Floats = np.full(LEARNT, np.nan)
        self.sums: Floats = np.zeros((LEARNT, len(BLOCKS), 1 + POWERS))
        self.pairs: Floats = np.zeros((LEARNT, len(LAGS), 3))
        self.rarity: Floats = np.zeros((LEARNT, 2))
        self.seen: Floats = np.zeros(OF_BOXES)

    @property
    def nbytes(self) -> int:
        arrays = (self.origin, self.sums, self.pairs, self.rarity, self.seen)
        return sum(each.nbytes for each in arrays)

    def add(self, measure: int, values: Floats, before: Floats, counts: Floats) -> None:
        """``values`` [n ≤ 60] of windows in a row, ``before`` [60 or 0] those that came right before them.

        ``counts`` [n]: how many boxes or looks each value is the mean of.
        """
        if np.isnan(self.origin[measure]):
            self.origin[measure] = values[0]
        self.rarity[measure] += len(values), float((1.0 / counts).sum())
        if measure < OF_BOXES:
            self.seen[measure] += counts.sum()
        now = {block: _means(values, block) - self.origin[measure] for block in BLOCKS}
        for place, block in enumerate(BLOCKS):
            means = now[block]
            self.sums[measure, place, 0] += len(means)
            power = means
            for degree in range(1, POWERS + 1):
                self.sums[measure, place, degree] += power.sum()
                power = power * means
        for place, (block, lag) in enumerate(LAGS):
            earlier = _means(before, block) - self.origin[measure]
            joined = np.concatenate([earlier, now[block]])
            count = min(len(now[block]), len(joined) - lag)
            if count > 0:
                late, early = joined[len(joined) - count :], joined[-count - lag : -lag]
                self.pairs[measure, place] += count, float(late @ early), float(late.sum() + early.sum())


def _means(values: Floats, block: int) -> Floats:
    whole = len(values) // block
    means: Floats = values[: whole * block].reshape(whole, block).mean(axis=1)
    return means
