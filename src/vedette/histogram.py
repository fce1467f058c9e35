"""Latency histograms that are cheap to record into and may live in shared memory.

Logarithmic buckets: every bucket is about 3.2% wider than the one before, from 10 µs to 100 s, so a
percentile read from the counts is within 1.6% of the true one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BUCKETS", "bucket_of", "percentile", "percentiles"]

BUCKETS = 512
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
    return math.exp(_LOG_LOWEST + (index + 0.5) * _STEP)


def percentiles(counts: npt.NDArray[Any], *shares: float) -> list[float]:
    """Several of them, in seconds."""
    return [percentile(counts, share) for share in shares]
