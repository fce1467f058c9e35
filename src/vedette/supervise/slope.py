"""How fast a series rises, and how sure that is: Theil–Sen with Sen's interval, for noise of any shape.

Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63 (1968); the variance with ties
as in Gilbert, "Statistical Methods for Environmental Pollution Monitoring" (1987), 16.4 and 17.3.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Slope", "kendall", "theil_sen"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slope:
    """Per unit of time. ``lower``: the bound below the slope, ``-inf`` where there are too few values."""

    slope: float
    lower: float


def theil_sen(at: Floats, values: Floats, z: float) -> Slope:
    """The median of the slopes between all pairs, float64 [N] each, N ≥ 2, ``at`` rising.

    ``z``: how far below it the bound lies, in deviations of Kendall's S if there were no trend.
    """
    early, late = _pairs(len(at))
    slopes = np.sort((values[late] - values[early]) / (at[late] - at[early]))
    middle = len(slopes) // 2
    median = slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2
    rank = math.floor((len(slopes) - z * math.sqrt(_variance(values))) / 2)
    return Slope(float(median), float(slopes[rank - 1]) if rank >= 1 else -math.inf)


def kendall(values: Floats) -> float:
    """Mann and Kendall's statistic, S over its deviation: how far the order is from that of chance."""
    early, late = _pairs(len(values))
    s = float(np.sign(values[late] - values[early]).sum())
    variance = _variance(values)
    return (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance > 0 else 0.0


@lru_cache(maxsize=128)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    early, late = np.triu_indices(count, 1)
    return early, late


def _variance(values: Floats) -> float:
    """Of Kendall's S without a trend. Values that occur more than once say less."""
    n = len(values)
    ties = [count for count in Counter(values.tolist()).values() if count > 1]
    tied = sum(count * (count - 1) * (2 * count + 5) for count in ties)
    return (n * (n - 1) * (2 * n + 5) - tied) / 18
