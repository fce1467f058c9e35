"""How sure figures are: the bootstrap over pictures, and pairs of runs on the same ones. Pure.

Efron, "Bootstrap methods: another look at the jackknife" (1979). Pictures are drawn, not boxes, because the
boxes of one picture stand and fall together; and so do the pictures of one camera's hour, so where these are
known and enough, they are drawn whole (Field, Welsh, "Bootstrapping clustered data", 2007). For two runs the
same ones are drawn for both, so that what is hard about a picture takes no part in their difference.

Intervals have the spread of the draws and Student's shape, since few pictures spread less than they should,
and are moved by what the draws say of their own bias: average precision is the higher the fewer objects there
are, because precision made falling keeps what chance put on top. How often they hold: docs/validation.md.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.quality.validate.precision import Choices, average_precision, found_and_right
from vedette.quality.validate.records import IOUS, Records

__all__ = ["CLUSTERS_FROM", "FIGURES", "RESAMPLES", "Estimate", "differences", "estimates", "units_of"]

RESAMPLES = 1000
SEED = 20
LEVEL = 0.95

CLUSTERS_FROM = 10
"""Of fewer clusters draws say little: how much they differ is then a guess from a handful."""

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
    units = units_of(records)
    count = len(np.unique(units))
    figures = _figures(records, _drawn(units, resamples, seed), confidence)
    found = {name: _estimate(values, count, level, (0, 1)) for name, values in figures.items()}
    telling = len(np.unique(units[records.truths.sum(axis=1) > 0]))
    return {name: _unless_all_agree(each, telling, level) for name, each in found.items()}


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
    # A run of long ago does not know its clusters, and the pictures are the same.
    units = units_of(candidate[0] if candidate[0].clusters else running[0])
    count, drawn = len(np.unique(units)), _drawn(units, resamples, seed)
    theirs, ours = _figures(*_with(candidate, drawn)), _figures(*_with(running, drawn))
    return {name: _estimate(theirs[name] - ours[name], count, level, (-1, 1)) for name in theirs}


def _with(run: tuple[Records, float], drawn: Choices) -> tuple[Records, Choices, float]:
    records, confidence = run
    return records, drawn, confidence


def units_of(records: Records) -> NDArray[np.intp]:
    """[N]: numbers from 0, the same for pictures that are drawn as one: those of a cluster, where there are
    ``CLUSTERS_FROM`` of them; else each is by itself."""
    place = {name: number for number, name in enumerate(dict.fromkeys(records.clusters))}
    if len(place) < CLUSTERS_FROM:
        return np.arange(len(records.pictures))
    return np.array([place[name] for name in records.clusters], np.intp)


def _drawn(units: NDArray[np.intp], resamples: int, seed: int) -> Choices:
    """[1 + resamples, N]: first all pictures once, then as many units as there are, drawn with repeats."""
    all_of_them = np.ones((1, len(units)), np.int32)
    if not len(units):
        return all_of_them
    count = int(units.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return np.concatenate([all_of_them, drawn.astype(np.int32)[:, units]])


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


def _estimate(values: NDArray[np.float64], units: int, level: float, within: tuple[float, float]) -> Estimate:
    value, drawn = float(values[0]), values[1:][np.isfinite(values[1:])]
    if not np.isfinite(value):
        return Estimate(None)
    if len(drawn) < 2 or units < 2:
        return Estimate(value)
    middle = value - (float(drawn.mean()) - value)
    reach = _student((1 + level) / 2, units - 1) * float(drawn.std(ddof=1))
    low, high = (min(max(end, within[0]), within[1]) for end in (middle - reach, middle + reach))
    # The figure itself is in its interval, also where that ends at an edge.
    return Estimate(value, min(low, value), max(high, value))


def _unless_all_agree(found: Estimate, units: int, level: float) -> Estimate:
    """Where no picture shows a mistake, or none anything right, draws of them do not differ either. What the
    next ones may show is told by their number alone: n without a mistake leave room for 1 − (α/2)^(1/n).
    ``units``: those with an object."""
    if found.low is None or found.high is None or found.low != found.high or not units:
        return found
    sure = ((1 - level) / 2) ** (1 / units)
    if found.value == 1:
        return Estimate(1.0, sure, 1.0)
    return Estimate(0.0, 0.0, 1 - sure) if found.value == 0 else found


def _student(share: float, freedom: int) -> float:
    """Quantile of Student's distribution (Abramowitz, Stegun 26.7.5), times what a sample's own spread lacks;
    within 0.02 from 5 degrees of freedom on."""
    z = NormalDist().inv_cdf(share)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    quantile = z + first / freedom + second / freedom**2 + third / freedom**3
    return quantile * math.sqrt((freedom + 1) / freedom)
