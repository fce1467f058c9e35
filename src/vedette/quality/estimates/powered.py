"""Prediction-powered means and shares: labels tell the truth, scores of everything else narrow it down.

Angelopoulos, Duchi and Zrnic, "PPI++: Efficient Prediction-Powered Inference" (2023): a mean of labels, moved
by how far the proxies of the labelled lie from the proxies of all, times λ, tuned to the least spread. With a
proxy that knows nothing λ is near 0 and the mean of the labels remains. For surveys the same is known as the
difference estimator (Särndal, Swensson and Wretman 1992, 6.3), which is how frames with weights and shares
of boxes, rather than means of frames, come in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from vedette.quality.estimates.calibration import left_out
from vedette.quality.estimates.emitted import Emitted
from vedette.quality.estimates.intervals import Estimate, Method, estimate
from vedette.quality.estimates.ratio import Floats, Shares, cautious, effective, enough

__all__ = ["Cells", "Mean", "powered", "powered_mean"]


@dataclass(frozen=True, slots=True)
class Mean:
    """``power``: λ, 0…1."""

    value: float
    lower: float
    upper: float
    power: float


def powered_mean(labels: Floats, proxies: Floats, others: Floats, level: float) -> Mean:
    """The mean of independent draws, without weights: the plain case of the paper, with a normal interval.

    ``labels``, ``proxies``: of the labelled, float64 [n]; ``others``: proxies of the unlabelled, float64 [N].
    """
    n, many = len(labels), len(others)
    together = float(np.mean((labels - labels.mean()) * (proxies - proxies.mean())))
    alone = float(np.var(np.concatenate([proxies, others]), ddof=1))
    power = min(1.0, max(0.0, together / ((1 + n / many) * alone))) if alone > 0 else 0.0
    value = float(labels.mean() + power * (others.mean() - proxies.mean()))
    spread = math.sqrt(float(np.var(labels - power * proxies)) / n + power**2 * float(np.var(others)) / many)
    half = NormalDist().inv_cdf((1 + level) / 2) * spread
    return Mean(value, value - half, value + half, power)


@dataclass(frozen=True, eq=False)
class Cells:
    """Reviewed frames by cell of :class:`Emitted`. ``weight``: as in :class:`Shares`, [frames]. ``right``,
    ``wrong``: boxes [frames, cells]. ``unjudged``: those that nobody is to blame for [frames, cells]."""

    weight: Floats
    right: Floats
    wrong: Floats
    unjudged: Floats

    @property
    def shares(self) -> Shares:
        parts = self.right.sum(axis=1)
        return Shares(self.weight, parts, parts + self.wrong.sum(axis=1))


def powered(cells: Cells, emitted: Emitted, level: float, taught: Cells | None = None) -> Estimate:
    """The share of all emitted boxes that is right. Where labels are too few, as :func:`cautious`.

    ``taught``: frames that were not drawn by chance. They only teach what a score is worth.
    """
    shares = cells.shares
    if not enough(shares) or not emitted.total:
        return cautious(shares, level)
    off = _off(cells, emitted, taught)
    influence = shares.influence
    apart = off - off.mean()
    alone = float(apart @ apart)
    power = min(1.0, max(0.0, float(influence @ apart) / alone)) if alone > 0 else 0.0
    value = shares.share - power * float(off.mean())
    draws = effective(value, influence - power * off, 1 + (power > 0)) if 0 < value < 1 else 0.0
    if not 0 < draws < math.inf:
        return cautious(shares, level)
    return estimate(
        value,
        draws,
        shares.informed - 1 - (power > 0),
        level,
        Method.POWERED,
        frames=len(cells.weight),
        judged=int(shares.wholes.sum()),
        power=power,
    )


def _off(cells: Cells, emitted: Emitted, taught: Cells | None) -> Floats:
    """How far the boxes of each frame lie from all that were emitted, by what a score was worth in the other
    frames; as an influence on a share, [frames]. Its mean would be 0 if every frame were reviewed."""
    features, stiffness = emitted.features()
    weight = (cells.weight / cells.weight.mean())[:, np.newaxis]
    none = np.zeros((2, len(features)))
    others = none if taught is None else np.stack([taught.right.sum(axis=0), taught.wrong.sum(axis=0)])
    worth = left_out(cells.right * weight, cells.wrong * weight, features, stiffness, others)
    boxes = cells.right + cells.wrong + cells.unjudged
    everywhere = worth @ emitted.of_cells / emitted.total
    there = (boxes * worth).sum(axis=1) - boxes.sum(axis=1) * everywhere
    off: Floats = cells.weight * there * (len(there) / float(cells.weight @ boxes.sum(axis=1)))
    return off
