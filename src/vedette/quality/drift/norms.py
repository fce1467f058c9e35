"""What is usual for a camera, in the form in which new windows are held against it; and how sure that is.

Two questions have to be answered from the moments of a stretch of hours or days.

**How far apart must blocks be to count as separate evidence?** Windows are autocorrelated, by tracks that
last seconds, traffic that lasts minutes. A bet per window would count one lucky minute six times. So for each
measure the *spacing* is chosen: the least of 1, 6 or 60 windows whose means are nearly uncorrelated, told by
the variance of ten-minute means: were blocks independent, it would be that of one block by their number.
Where too little is known of ten-minute means, 60.

**How well is the usual known?** A reference of n windows is worth n / (variance ratio) independent ones. The
tolerance is ``Care.tolerance`` deviations of a window, at least what matters to anybody, plus two standard
errors of the mean so counted; what bets are expected to pay is raised by its error likewise. So a short
reference makes the test slower, not wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.drift.bets import BETS, error, expected
from vedette.quality.drift.light import LIGHTS
from vedette.quality.drift.measured import JUDGED, LEARNT, OF_BOXES, SIDES, Floats, Measure, Side
from vedette.quality.drift.moments import BLOCKS, LAGS, LONGEST, Moments

Singles = NDArray[np.float32]

__all__ = ["LAYERS", "PHASES", "Care", "Norms", "norms_of", "spacings"]

PHASES = 6
"""A spacing above 1 is looked at twice: in whole blocks, and in sixths of it, each sixth in a chain of its
own in which it follows the one a spacing before. The first is sharper, the second sooner."""
LAYERS = 2
"""Whole, and sixths."""

RATIO_MOST = 1.6
"""By how much the variance ratio may be more than what the likeness of neighbours explains: that likeness the
bets account for. What lasts longer they do not see."""
ALIKE_MOST = 0.5
"""Blocks more alike than that hardly say anything new."""
ALIKE_BRIEFLY = 0.6
"""So alike may neighbours be where ten minutes later less than ``LEFT_MOST`` is left of it. Levels that last
a block in the mean make neighbours alike to 0.54: each is bet on for what it says beyond the one before."""
LEFT_MOST = 0.1
BLOCKS_LEAST = 12
"""Ten-minute blocks without which nothing is said of how long things last."""
WORTH_LEAST = 8.0
"""Independent blocks that a reference must be worth for a light to be judged."""
ERRORS = 2.0

_SMALLEST = np.array([0.02, 0.005, 0.02, 0.005, 0.005, 0.01])
"""Deviation of a block that is taken for the least there is, by measure: an empty scene has none at all."""
_MATTERS = np.array([0.02, 0.01, 0.05, 0.01, 0.01, 0.03])
"""Shifts that matter to nobody, by measure."""


@dataclass(frozen=True, slots=True)
class Care:
    """``tolerance``: deviations of a window by which the mean may shift and nobody is told."""

    tolerance: float = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Norms:
    """Of all lights of one camera, float32. Axes: light [9], measure [6], side [8], layer [2], bet [3].

    ``mean``, ``often`` [light, measure]: the usual value, and the number of boxes or looks it is the mean of
    (the harmonic mean of it, by which a mean varies). ``number`` [light, measure of boxes]: the plain mean.
    ``sure`` [light]: the usual number of sure boxes, windows without any included.
    ``tolerance``, ``spread``, ``alike`` [light, side, layer]; ``expectation`` [light, side, layer, bet]: see
    :mod:`~vedette.quality.drift.bets`. NaN where the reference is too short. ``spacing`` [side]: windows.
    """

    mean: Singles
    often: Singles
    number: Singles
    sure: Singles
    tolerance: Singles
    spread: Singles
    alike: Singles
    expectation: Singles
    spacing: NDArray[np.int16]

    @property
    def nbytes(self) -> int:
        usual = (self.mean, self.often, self.number, self.sure)
        bets = (self.tolerance, self.spread, self.alike, self.expectation)
        return sum(each.nbytes for each in (*usual, *bets, self.spacing))


def norms_of(lights: Mapping[int, Moments], care: Care) -> Norms:
    """``lights``: those that are known well enough to be judged; the others stay NaN."""
    spacing = spacings(lights)
    mean, often = (_blank(LIGHTS, LEARNT) for _ in range(2))
    number, sure = _blank(LIGHTS, OF_BOXES), _blank(LIGHTS)
    tolerance, spread, alike = (_blank(LIGHTS, SIDES, LAYERS) for _ in range(3))
    expectation = _blank(LIGHTS, SIDES, LAYERS, len(BETS))
    for light, moments in lights.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            mean[light] = moments.origin + moments.sums[:, 0, 1] / moments.sums[:, 0, 0]
            often[light] = moments.rarity[:, 0] / moments.rarity[:, 1]
            number[light] = moments.seen / moments.rarity[:OF_BOXES, 0]
            sure[light] = _usually_sure(moments)
        for place, side in enumerate(JUDGED):
            for layer, block in enumerate(_blocks(int(spacing[side.measure]))):
                lag = 1 if layer == 0 else PHASES
                inflation = _inflation(lights, side.measure, block)
                norm = _norm(moments, side, block, lag, inflation, care)
                if norm is not None:
                    tolerance[light, place, layer] = norm.tolerance
                    spread[light, place, layer] = norm.spread
                    alike[light, place, layer] = norm.alike
                    expectation[light, place, layer] = norm.expectation
    sides = spacing[[side.measure for side in JUDGED]]
    return Norms(mean, often, number, sure, tolerance, spread, alike, expectation, sides)


def _usually_sure(moments: Moments) -> float:
    """The harmonic mean of the sure boxes of a window: a few windows with few make it small. Those with
    hardly any, of which nothing else is learnt, count as having one."""
    windows = moments.rarity[:, 0].max()
    known, inverse = moments.rarity[Measure.CONFIDENCE]
    return float(windows / (inverse + windows - known)) if windows else float("nan")


def _blank(*shape: int) -> Singles:
    return np.full(shape, np.nan, np.float32)


def spacings(lights: Mapping[int, Moments]) -> NDArray[np.int16]:
    """Windows by which blocks of each measure must be apart, int16 [6]: 1, 6 or 60. All lights together."""
    found = np.full(LEARNT, LONGEST, np.int16)
    for measure in range(LEARNT):
        long_blocks = sum(moments.sums[measure, -1, 0] for moments in lights.values())
        if long_blocks < BLOCKS_LEAST:
            continue
        surely = 1 + (2 / long_blocks) ** 0.5
        for block in (1, 6):
            r = max(0.0, _correlation_of_all(lights, measure, block))
            explained = (1 + r) / max(1 - r, 0.1)
            left = _correlation_of_all(lights, measure, 10, PHASES)
            most = ALIKE_BRIEFLY if left < LEFT_MOST else ALIKE_MOST
            if r <= most and _variance_ratio(lights, measure, block) * surely <= RATIO_MOST * explained:
                found[measure] = block
                break
    return found


def _blocks(spacing: int) -> tuple[int, ...]:
    return (spacing,) if spacing == 1 else (spacing, spacing // PHASES)


def _variance_ratio(lights: Mapping[int, Moments], measure: int, block: int) -> float:
    """Of ten-minute means against what that of ``block`` windows would make it; 1 = nothing lasts longer."""
    ours = _within(lights, measure, BLOCKS.index(block)) * block / LONGEST
    return float(_within(lights, measure, -1) / ours) if ours > 0 else 1.0


def _correlation_of_all(lights: Mapping[int, Moments], measure: int, block: int, lag: int = 1) -> float:
    pairs = [
        (m.pairs[measure, LAGS.index((block, lag)), 0], _correlation(m, measure, block, lag))
        for m in lights.values()
    ]
    total = sum(count for count, _ in pairs)
    return sum(count * r for count, r in pairs) / total if total else 0.0


def _within(lights: Mapping[int, Moments], measure: int, place: int) -> float:
    """Variance of blocks within their light."""
    squares = count = 0.0
    for moments in lights.values():
        n, first, second = moments.sums[measure, place, :3]
        if n > 1:
            squares += max(0.0, second - first**2 / n)
            count += n - 1
    return squares / count if count else 0.0


@dataclass(frozen=True, slots=True)
class _Norm:
    tolerance: float
    spread: float
    alike: float
    expectation: Floats


def _norm(moments: Moments, side: Side, block: int, lag: int, inflation: float, care: Care) -> _Norm | None:
    measure = side.measure
    place = BLOCKS.index(block)
    n = moments.sums[measure, place, 0]
    if n < WORTH_LEAST:
        return None
    worth = n / inflation
    if worth < WORTH_LEAST:
        return None
    variance, shape = _shape(moments.sums[measure, place], float(_SMALLEST[measure]), side.sign)
    spread = (variance * (1 + ERRORS * ((max(3.0, shape[4]) - 1) / worth) ** 0.5)) ** 0.5
    window = _shape(moments.sums[measure, 0], 0.0, side.sign)[0] ** 0.5
    tolerance = max(care.tolerance * window, float(_MATTERS[measure])) + ERRORS * (variance / worth) ** 0.5
    # The error of a variance is in the spread already.
    surely = [1 + ERRORS * error(bet, worth) if bet.power > 2 else 1.0 for bet in BETS]
    expectation = np.array([expected(bet, shape) * sure for bet, sure in zip(BETS, surely, strict=True)])
    return _Norm(tolerance, spread, _alike(moments, measure, block, lag), expectation)


def _shape(sums: Floats, least: float, sign: int) -> tuple[float, list[float]]:
    """Variance (at least ``least`` squared), and E z^k, k = 0…6, of ``sign`` z in its deviations."""
    n, *powers = sums.tolist()
    about_origin = [1.0, *(power / n for power in powers)]
    mean = about_origin[1]
    central = [
        sum(math.comb(k, i) * about_origin[i] * (-mean) ** (k - i) for i in range(k + 1)) for k in range(7)
    ]
    variance = max(central[2], least**2, 1e-12)
    return variance, [sign**k * moment / variance ** (k / 2) for k, moment in enumerate(central)]


def _inflation(lights: Mapping[int, Moments], measure: int, block: int) -> float:
    """How many blocks are worth one independent one; where that is not known, all of ten minutes.

    Of all lights together: in one that lasts only as long as dusk there are hardly any ten minutes.
    """
    most = LONGEST / block
    if sum(moments.sums[measure, -1, 0] for moments in lights.values()) < BLOCKS_LEAST:
        return most
    r = min(0.9, max(0.0, _correlation_of_all(lights, measure, LONGEST)))
    return max(1.0, _variance_ratio(lights, measure, block)) * (1 + r) / (1 - r)


def _alike(moments: Moments, measure: int, block: int, lag: int) -> float:
    """Correlation of a block with the one before it in its chain, raised by its error, 0…1."""
    count = moments.pairs[measure, LAGS.index((block, lag)), 0]
    if count < 4:
        return 1.0
    error = (lag / count) ** 0.5
    return float(min(1.0, max(0.0, _correlation(moments, measure, block, lag) + min(error, 0.5))))


def _correlation(moments: Moments, measure: int, block: int, lag: int) -> float:
    count, product, both = moments.pairs[measure, LAGS.index((block, lag))]
    n, first, second = moments.sums[measure, BLOCKS.index(block), :3]
    variance = second / n - (first / n) ** 2 if n else 0.0
    if count == 0 or variance <= 1e-12:
        return 0.0
    mean = first / n
    return float((product / count - mean * both / count + mean * mean) / variance)
