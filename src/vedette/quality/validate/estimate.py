"""How sure figures are: the bootstrap over pictures, and pairs of runs on the same ones. Pure.

Efron, "Bootstrap methods: another look at the jackknife" (1979); intervals are percentiles. Pictures are
drawn, not boxes, because the boxes of one picture stand and fall together. For two runs the same pictures are
drawn for both, so that what is hard about a picture takes no part in their difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.quality.validate.precision import Choices, average_precision, found_and_right
from vedette.quality.validate.records import IOUS, Records

__all__ = ["FIGURES", "RESAMPLES", "Estimate", "differences", "estimates"]

RESAMPLES = 1000
SEED = 20
LEVEL = 0.95

FIGURES = ("ap", "ap50", "ap75", "recall", "precision")
"""Means over labels, and what the pipeline would hand out at its threshold, at an overlap of one half."""


class Estimate(msgspec.Struct, frozen=True):
    """A figure, or a difference of two, and the interval it lies in; None where there is nothing to say."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def lies_below(self) -> float:
        """By how much the whole interval lies below 0; 0 where it does not."""
        return 0.0 if self.high is None else max(0.0, -self.high)


def estimates(
    records: Records,
    confidence: float,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Each of ``FIGURES``. ``confidence``: the threshold of the pipeline."""
    drawn = _drawn(len(records.pictures), resamples, seed)
    return {name: _estimate(values, level) for name, values in _figures(records, drawn, confidence).items()}


def differences(
    candidate: tuple[Records, float],
    running: tuple[Records, float],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Candidate less running, each with its own threshold. Raises ValueError where the pictures or labels are
    not the same ones."""
    if candidate[0].keys != running[0].keys or candidate[0].labels != running[0].labels:
        raise ValueError("two runs are compared on the same pictures and labels, or not at all")
    drawn = _drawn(len(candidate[0].pictures), resamples, seed)
    theirs, ours = _figures(*_with(candidate, drawn)), _figures(*_with(running, drawn))
    return {name: _estimate(theirs[name] - ours[name], level) for name in theirs}


def _with(run: tuple[Records, float], drawn: Choices) -> tuple[Records, Choices, float]:
    records, confidence = run
    return records, drawn, confidence


def _drawn(pictures: int, resamples: int, seed: int) -> Choices:
    """[1 + resamples, N]: first all pictures once, then as many as there are, drawn with repeats."""
    all_of_them = np.ones((1, pictures), np.int32)
    if not pictures:
        return all_of_them
    drawn = np.random.default_rng(seed).multinomial(pictures, np.full(pictures, 1 / pictures), resamples)
    return np.concatenate([all_of_them, drawn.astype(np.int32)])


def _figures(records: Records, drawn: Choices, confidence: float) -> Mapping[str, NDArray[np.float64]]:
    every = average_precision(records, drawn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no label with an object: NaN is the answer
        ap, ap50, ap75 = (
            np.nanmean(values.reshape(len(drawn), -1), axis=1)
            for values in (every, every[:, 0], every[:, IOUS.index(0.75)])
        )
    recall, precision = found_and_right(records, drawn, confidence)
    return {"ap": ap, "ap50": ap50, "ap75": ap75, "recall": recall, "precision": precision}


def _estimate(values: NDArray[np.float64], level: float) -> Estimate:
    value, drawn = values[0], values[1:][np.isfinite(values[1:])]
    if not np.isfinite(value):
        return Estimate(None)
    if not len(drawn):
        return Estimate(float(value))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(low), float(high))
