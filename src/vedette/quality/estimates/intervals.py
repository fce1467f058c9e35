"""Intervals for a share, from how many independent draws the labels are worth. None has a width of 0.

Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927); Clopper and
Pearson, "The Use of Confidence or Fiducial Limits", Biometrika 26 (1934); both on an effective number of
draws as in Korn and Graubard, "Confidence Intervals for Proportions with Small Expected Number of Positive
Counts Estimated from Survey Data", Survey Methodology 24 (1998), and Dean and Pagano, "Evaluating Confidence
Interval Methods for Binomial Proportions in Clustered Surveys", J. Survey Statistics and Methodology 3
(2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Estimate", "Method", "clopper_pearson", "estimate", "student", "wilson"]


class Method(StrEnum):
    """How an interval was made. The first three are asked for, the last is what too few labels get."""

    POWERED = "powered"
    """Prediction-powered: labels, and what the scores of all boxes say."""
    STRATIFIED = "stratified"
    """Labels within strata of score and light, whose sizes are known."""
    CLASSICAL = "classical"
    """Labels alone."""
    CAUTIOUS = "cautious"
    """Labels alone, and a frame counts once, however many boxes it has. Nothing is learnt of the spread."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, 0…1, and where it may lie.

    ``frames``: reviewed, with or without boxes. ``judged``: the boxes, or objects, in them. ``effective``: so
    many independent boxes, drawn one by one, would tell as much. ``freedom``: degrees of freedom of the
    spread. ``power``: λ of PPI++, 0 = the scores told nothing, 1 = they are taken at their word; None where
    scores were not used.
    """

    value: float
    lower: float
    upper: float
    level: float
    method: Method
    frames: int
    judged: int
    effective: float
    freedom: float
    power: float | None = None

    @property
    def half_width(self) -> float:
        """Half of the whole: near 0 and 1 the value is not in the middle."""
        return (self.upper - self.lower) / 2


def estimate(
    value: float,
    effective: float,
    freedom: float,
    level: float,
    method: Method,
    *,
    frames: int,
    judged: int,
    power: float | None = None,
) -> Estimate:
    """With the interval that ``method`` has. ``effective`` above 0."""
    if method is Method.CAUTIOUS:
        lower, upper = clopper_pearson(value, effective, level)
    else:
        lower, upper = wilson(value, effective, student(freedom, level))
    return Estimate(value, lower, upper, level, method, frames, judged, effective, freedom, power)


def wilson(value: float, effective: float, z: float) -> tuple[float, float]:
    """Lower and upper bound of a share that was ``value`` in ``effective`` draws; ``z`` deviations wide."""
    spread = z * z / effective
    middle = (value + spread / 2) / (1 + spread)
    half = math.sqrt(spread * value * (1 - value) + spread * spread / 4) / (1 + spread)
    return max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half))


def clopper_pearson(value: float, effective: float, level: float) -> tuple[float, float]:
    """Lower and upper bound that hold at least ``level`` of the time; ``effective`` need not be whole."""
    from scipy import special  # 20 MB, and a node may never have anything to estimate

    tail = (1 - level) / 2
    hits, misses = value * effective, (1 - value) * effective
    lower = float(special.betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    upper = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
    return min(value, lower), max(value, upper)


def student(freedom: float, level: float) -> float:
    """How many deviations to each side hold ``level`` of Student's t."""
    from scipy import special

    return float(special.stdtrit(freedom, (1 + level) / 2))
