"""Bets against "no worse than usual": what each block of windows multiplies the evidence by.

With z how far a block lies beyond the usual, in the direction of harm, less the tolerance, in deviations of
such blocks, a bet on moments pays q(z) = max(0, 1 + θz)^p / E (1 + θz)^p with p = 2 or 6. Where z is what it
was while learning, shifted for the better or not at all, the mean of q is at most 1, whatever the
distribution: only its second to sixth moments are used, which can be learnt, as measures are bounded.
θ = 1, p = 2 loses little to the likelihood ratio for small shifts; p = 6 pays at once what large ones are
worth. Higher powers would pay more, and rest on what lies too far out to be met in a few days: (1 + z)^6 has
its mean from 2 deviations, where there is one block in 20.

A stake κ of the wealth is bet: L = 1 − κ + κ q / m. ``m`` is what q is expected to be after the block before
it: blocks that follow each other are alike, to the degree r that was learnt, so after a q above 1 another is
expected, m = 1 + r max(0, q_before − 1). For levels that last and then are drawn anew this is the conditional
mean; for Gaussian autoregression it is right within 2% above one deviation, and too much below.

Betting on bounded means: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting"
(2024). As increments of an e-detector: Shin, Ramdas, Rinaldo (2023), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vedette.quality.drift.measured import Floats

__all__ = ["BETS", "NORMAL", "Bet", "error", "expected", "factors", "payoffs"]

FARTHEST = 100.0
"""Deviations. What is farther pays no more: 10^10 for p = 6 is evidence enough for any setting."""


@dataclass(frozen=True, slots=True)
class Bet:
    """``power``: 2 or 6."""

    theta: float
    power: int
    stake: float


BETS = (Bet(0.5, 2, 0.4), Bet(1.0, 2, 0.7), Bet(1.0, 6, 0.9))
NORMAL = (1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0)
"""E z^k of a normal z."""
_STAKES = np.array([bet.stake for bet in BETS])


def expected(bet: Bet, moments: Sequence[float]) -> float:
    """E (1 + θz)^p, from E z^k for k = 0…6 of a z with mean 0 and variance 1. At least that of a normal z."""
    terms = [math.comb(bet.power, k) * bet.theta**k for k in range(bet.power + 1)]
    return max(
        sum(term * moment for term, moment in zip(terms, of, strict=False)) for of in (moments, NORMAL)
    )


def error(bet: Bet, worth: float) -> float:
    """Standard error of that, as a share, when it is learnt from so many independent normal z."""
    terms = [math.comb(2 * bet.power, k) * bet.theta**k for k in range(0, 2 * bet.power + 1, 2)]
    squares = sum(term * math.prod(range(1, 2 * half, 2)) for half, term in enumerate(terms))
    return float((squares / expected(bet, NORMAL) ** 2 - 1) ** 0.5 / worth**0.5)


def payoffs(z: Floats, expectations: Floats) -> Floats:
    """q of each bet: ``z`` [n], ``expectations`` [n, bets] → [n, bets]."""
    z = np.minimum(z, FARTHEST)
    paid = np.empty((len(z), len(BETS)))
    for place, bet in enumerate(BETS):
        base = np.maximum(1 + bet.theta * z, 0.0)
        square = base * base
        paid[:, place] = square if bet.power == 2 else square * square * square
    return paid / expectations


def factors(paid: Floats, before: Floats, alike: Floats) -> Floats:
    """L of each bet, [n, bets]. ``before``: the payoffs of the blocks before, ``alike``: r, [n]."""
    after = 1 + alike[:, None] * np.maximum(before - 1, 0.0)
    return np.asarray(1 - _STAKES + _STAKES * paid / after)
