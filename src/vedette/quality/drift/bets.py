"""Bets against "no worse than usual": what each block of windows multiplies the evidence by.

With z how far a block lies beyond the usual, in the direction of harm, less the tolerance, in deviations of
such blocks, a bet on moments pays q(z) = max(0, 1 + θz)^p / E (1 + θz)^p with p = 2 or 4. Where z is what it
was while learning, shifted for the better or not at all, the mean of q is at most 1, whatever the
distribution: only its second to fourth moments are used, which can be learnt, as measures are bounded.
θ = 1, p = 2 loses little to the likelihood ratio for small shifts; p = 4 pays at once what large ones are
worth.

A stake κ of the wealth is bet: L = 1 − κ + κ q / m. ``m`` is what q is expected to be after the block before
it: blocks that follow each other are alike, to the degree r that was learnt, so after a q above 1 another is
expected, m = 1 + r max(0, q_before − 1). For levels that last and then are drawn anew this is the conditional
mean; for Gaussian autoregression it is right within 2% above one deviation, and too much below.

Betting on bounded means: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting"
(2024). As increments of an e-detector: Shin, Ramdas, Rinaldo (2023), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vedette.quality.drift.measured import Floats

__all__ = ["BETS", "Bet", "expected", "factors", "payoffs"]

FARTHEST = 100.0
"""Deviations. What is farther pays no more: 10^7 for p = 4 is evidence enough for any setting."""


@dataclass(frozen=True, slots=True)
class Bet:
    theta: float
    power: int
    stake: float


BETS = (Bet(0.5, 2, 0.4), Bet(1.0, 2, 0.7), Bet(1.0, 4, 0.9))
_STAKES = np.array([bet.stake for bet in BETS])


def expected(bet: Bet, skew: Floats, kurtosis: Floats) -> Floats:
    """E (1 + θz)^p of z with mean 0, variance 1 and at most these third and fourth moments (arrays alike)."""
    t = bet.theta
    if bet.power == 2:
        return np.full_like(skew, 1 + t**2)
    least = 1 + 6 * t**2
    return np.asarray(np.maximum(least + 4 * t**3 * skew + t**4 * kurtosis, least))


def payoffs(z: Floats, expectations: Floats) -> Floats:
    """q of each bet: ``z`` [n], ``expectations`` [n, bets] → [n, bets]."""
    z = np.minimum(z, FARTHEST)
    paid = np.empty((len(z), len(BETS)))
    for place, bet in enumerate(BETS):
        base = np.maximum(1 + bet.theta * z, 0.0)
        square = base * base
        paid[:, place] = square if bet.power == 2 else square * square
    return paid / expectations


def factors(paid: Floats, before: Floats, alike: Floats) -> Floats:
    """L of each bet, [n, bets]. ``before``: the payoffs of the blocks before, ``alike``: r, [n]."""
    after = 1 + alike[:, None] * np.maximum(before - 1, 0.0)
    return np.asarray(1 - _STAKES + _STAKES * paid / after)
