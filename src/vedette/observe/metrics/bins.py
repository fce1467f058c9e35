"""Vedette's many narrow buckets as the few that Prometheus is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vedette.histogram import bounds

__all__ = ["AGES", "CAMERA_STAGES", "STAGES", "Bins"]

AGES = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)
"""Seconds. Close together where results are when all is well, and just below the usual ``max_age`` of 1 s."""
STAGES = (
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.015,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
CAMERA_STAGES = (0.001, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0)
"""Few: there are eight stages for each camera."""


class Bins:
    """Upper edges in seconds; beyond the last one lies infinity."""

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = tuple(edges)

    def sums(self, counts: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Cumulative counts [..., edges + 1] of ``counts`` [..., narrow buckets].

        A narrow bucket belongs below an edge when its middle does: it is 3.2% wide (13% in a coarse
        histogram), so an edge may be off by half of that.
        """
        ends = np.searchsorted(_middles(counts.shape[-1]), self.edges, side="right")
        running = np.zeros((*counts.shape[:-1], counts.shape[-1] + 1), np.int64)
        np.cumsum(counts, axis=-1, dtype=np.int64, out=running[..., 1:])
        return running[..., [*ends.tolist(), counts.shape[-1]]]

    def totals(self, counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """About the sum of all that was observed, in seconds: each counts as its narrow bucket's middle."""
        found: npt.NDArray[np.float64] = counts @ _middles(counts.shape[-1])
        return found


def _middles(buckets: int) -> npt.NDArray[np.float64]:
    """The geometric middle of each, where :func:`vedette.histogram.percentile` reads them."""
    upper = bounds(buckets)
    found: npt.NDArray[np.float64] = upper / np.exp(np.log(1e7) / buckets / 2)
    return found
