"""All boxes that left a detector in a period, by light and score: what the labelled few are held against."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vedette.quality.estimates.ratio import Floats

__all__ = ["ROUNDING", "Emitted"]

ROUNDING = 1e-6
"""Of scores: detectors have them as float32."""

_BEND = 2.0
_LIGHT = 1.0
_SLOPE = 0.2
_FREE = 0.01
"""How strongly coefficients of the calibration are held at 0, in boxes' worth of knowledge."""


@dataclass(frozen=True, eq=False)
class Emitted:
    """Histograms of scores. A cell is a bin of one light; cells are numbered light by light.

    ``counts``: int64 [lights, bins], every box at or above the detector's threshold in every frame that could
    have been drawn for review, those that were among them. ``edges``: float64 [bins + 1], rising; the first
    is the threshold, or the lower edge of its bin. ``lights``: their names, ``("",)`` where none are told
    apart.
    """

    counts: NDArray[np.int64]
    edges: Floats
    lights: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        if self.counts.shape != (len(self.lights), len(self.edges) - 1):
            raise ValueError("counts must have a row for each light and a column for each bin of scores")
        if any(low >= high for low, high in pairwise(self.edges.tolist())):
            raise ValueError("edges must rise")
        if (self.counts < 0).any():
            raise ValueError("counts must not be negative")

    def __add__(self, other: Emitted) -> Emitted:
        """Of both: other cameras, or another period. ValueError where the bins differ."""
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("histograms with different bins cannot be added")
        lights = tuple(dict.fromkeys(self.lights + other.lights))
        counts = np.zeros((len(lights), self.counts.shape[1]), np.int64)
        for each in (self, other):
            np.add.at(counts, [lights.index(light) for light in each.lights], each.counts)
        return Emitted(counts, self.edges, lights)

    def under(self, light: str) -> Emitted:
        """What was emitted in one light; ValueError where it is not among them."""
        row = self._row(light)
        return Emitted(self.counts[row : row + 1], self.edges, (light,))

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def of_cells(self) -> Floats:
        """[cells]"""
        return self.counts.reshape(-1).astype(np.float64)

    def cell(self, light: str, score: float) -> int:
        """Where a box belongs. ValueError where no such box can have been counted."""
        if not self.edges[0] - ROUNDING <= score <= self.edges[-1] + ROUNDING:
            raise ValueError(f"a score of {score:g} lies outside the bins")
        bins = len(self.edges) - 1
        found = int(np.searchsorted(self.edges, score, side="right")) - 1
        return self._row(light) * bins + min(max(found, 0), bins - 1)

    def _row(self, light: str) -> int:
        if light not in self.lights:
            raise ValueError(f"no boxes were counted in light {light!r}")
        return self.lights.index(light)

    def features(self) -> tuple[Floats, Floats]:
        """What :mod:`~vedette.quality.estimates.calibration` goes by: [cells, p], and its stiffness [p]."""
        middles = np.clip((self.edges[:-1] + self.edges[1:]) / 2, 0.01, 0.99)
        odds = np.tile(np.log(middles / (1 - middles)), len(self.lights))
        counts = self.of_cells
        share = counts / counts.sum() if counts.sum() else np.full(len(counts), 1 / len(counts))
        odds = odds - share @ odds
        odds = odds / max(float(np.sqrt(share @ odds**2)), 1e-6)
        steps = np.repeat(np.eye(len(self.lights)), len(middles), axis=0)[:, 1:]
        features = np.column_stack([np.ones(len(odds)), odds, odds**2 - 1, steps])
        return features, np.array([_FREE, _SLOPE, _BEND] + [_LIGHT] * (len(self.lights) - 1))
