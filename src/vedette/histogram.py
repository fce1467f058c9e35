"""Latency histograms that are cheap to record into and may live in shared memory.

Logarithmic buckets: every bucket is about 3.2% wider than the one before, from 10 µs to 100 s, so a
percentile read from the counts is within 1.6% of the true one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "BUCKETS",
    "COARSE",
    "COARSE_BUCKETS",
    "bounds",
    "bucket_of",
    "percentile",
    "percentiles",
    "percentiles_of_each",
]

BUCKETS = 512
COARSE = 4
"""So many neighbouring buckets are one where there are many histograms: percentiles within 6.5%."""
COARSE_BUCKETS = BUCKETS // COARSE
_LOWEST_S = 1e-5
_STEP = math.log(1e7) / BUCKETS
_LOG_LOWEST = math.log(_LOWEST_S)


def bucket_of(seconds: float) -> int:
    """Index of the bucket a duration belongs to; what lies outside the range goes to the outermost ones."""
    if seconds <= _LOWEST_S:
        return 0
    return min(BUCKETS - 1, int((math.log(seconds) - _LOG_LOWEST) / _STEP))


def percentile(counts: npt.NDArray[Any], share: float) -> float:
    """The duration in seconds below which ``share`` (0..1) of the recorded ones lie; 0.0 when none are."""
    total = int(counts.sum())
    if total == 0:
        return 0.0
    index = int(np.searchsorted(np.cumsum(counts), max(1, math.ceil(share * total))))
    return math.exp(_LOG_LOWEST + (index + 0.5) * _STEP * (BUCKETS / len(counts)))


def percentiles_of_each(counts: npt.NDArray[Any], *shares: float) -> npt.NDArray[np.float64]:
    """The same for many histograms at once: ``counts`` [..., buckets] → seconds [..., shares]."""
    running = np.cumsum(counts, axis=-1, dtype=np.int64)
    total = running[..., -1]
    found = np.zeros((*counts.shape[:-1], len(shares)))
    step = _STEP * (BUCKETS / counts.shape[-1])
    for place, share in enumerate(shares):
        wanted = np.maximum(1, np.ceil(share * total))
        index = (running < wanted[..., np.newaxis]).sum(axis=-1)
        found[..., place] = np.where(total > 0, np.exp(_LOG_LOWEST + (index + 0.5) * step), 0.0)
    return found


def bounds(buckets: int = BUCKETS) -> npt.NDArray[np.float64]:
    """The upper bound in seconds of each of so many buckets; the last one holds all that is longer, too."""
    step = _STEP * (BUCKETS / buckets)
    found: npt.NDArray[np.float64] = np.exp(_LOG_LOWEST + np.arange(1, buckets + 1) * step)
    return found


def percentiles(counts: npt.NDArray[Any], *shares: float) -> list[float]:
    """Several of them, in seconds."""
    return [percentile(counts, share) for share in shares]
