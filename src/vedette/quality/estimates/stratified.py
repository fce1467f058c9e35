"""A share from strata whose sizes are known: scores, by light, are cut into strata of about equal size.

Post-stratification (Särndal, Swensson and Wretman 1992, 7.6), its spread by each frame's influence: boxes of
a frame fall into several strata and are still alike.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vedette.quality.estimates.emitted import Emitted
from vedette.quality.estimates.intervals import Estimate, Method, estimate
from vedette.quality.estimates.powered import Cells
from vedette.quality.estimates.ratio import Shares, cautious, effective, enough

__all__ = ["stratified"]

STRATA = 5
"""Of scores, in each light."""
LEAST_FRAMES = 10
"""In a stratum; one that fewer frames have boxes in goes together with its neighbour."""


def stratified(cells: Cells, emitted: Emitted, level: float) -> Estimate:
    """The share of all emitted boxes that is right. Where labels are too few, as :func:`cautious`."""
    shares = cells.shares
    if not enough(shares) or not emitted.total:
        return cautious(shares, level)
    strata = _strata(cells, emitted)
    value, unseen, influence = 0.0, 0.0, np.zeros(len(cells.weight))
    for number in range(int(strata.max()) + 1):
        own = strata == number
        size = float(emitted.of_cells[own].sum()) / emitted.total
        parts = cells.right[:, own].sum(axis=1)
        stratum = Shares(cells.weight, parts, parts + cells.wrong[:, own].sum(axis=1))
        value += size * stratum.share
        influence += size * stratum.influence
        unseen += size**2 * _unseen(stratum)
    draws = _with(unseen, value, effective(value, influence, 1)) if 0 < value < 1 else 0.0
    if not 0 < draws < math.inf:
        return cautious(shares, level)
    return estimate(
        value,
        draws,
        shares.informed - int(strata.max()) - 1,
        level,
        Method.STRATIFIED,
        frames=len(cells.weight),
        judged=int(shares.wholes.sum()),
    )


def _unseen(stratum: Shares) -> float:
    """The spread of a stratum in which all are right, or none is: there is one, if not in the labels."""
    if 0 < stratum.share < 1:
        return 0.0
    mass = stratum.weight * stratum.wholes
    draws = float(mass.sum() ** 2 / (mass @ mass))
    share = 0.5 / (draws + 1)
    return share * (1 - share) / draws


def _with(unseen: float, value: float, draws: float) -> float:
    """Effective draws, when the spread is larger by ``unseen``."""
    return 1 / (1 / draws + unseen / (value * (1 - value)))


def _strata(cells: Cells, emitted: Emitted) -> NDArray[np.intp]:
    """The stratum of each cell, [cells]. Labels have no say in it."""
    there = (cells.right + cells.wrong) > 0
    bins = emitted.counts.shape[1]
    strata = np.zeros(emitted.counts.size, np.intp)
    known: list[NDArray[np.bool_]] = []
    for light, counts in enumerate(emitted.counts):
        for places in np.array_split(*_cut(counts)):
            if not len(places):
                continue
            own = light * bins + places
            frames: NDArray[np.bool_] = np.any(there[:, own], axis=1)
            if known and (known[-1].sum() < LEAST_FRAMES or frames.sum() < LEAST_FRAMES):
                known[-1] |= frames
            else:
                known.append(frames)
            strata[own] = len(known) - 1
    return strata


def _cut(counts: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Bins, and where among them the next stratum begins."""
    running = np.cumsum(counts) / max(1, int(counts.sum()))
    ends = np.searchsorted(running, np.arange(1, STRATA) / STRATA) + 1
    return np.arange(len(counts)), np.minimum(ends, len(counts))
