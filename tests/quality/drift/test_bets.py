"""Bets pay at most what they cost while nothing is worse than usual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.quality.drift.bets import BETS, NORMAL, error, expected, factors, payoffs

values = st.lists(st.floats(-50, 50), min_size=2, max_size=12, unique=True)


def standard(points: list[float]) -> NDArray[np.float64]:
    """Equally likely points with mean 0 and variance 1."""
    z = np.array(points)
    spread = float(z.std())
    return (z - z.mean()) / spread if spread > 1e-3 else np.array([-1.0, 1.0])


@given(values, st.floats(0, 5))
def test_no_distribution_makes_a_bet_fair_to_us(points: list[float], better: float) -> None:
    z = standard(points)
    moments = [float(np.mean(z**k)) for k in range(7)]
    expectations = np.array([[expected(bet, moments) for bet in BETS]] * len(z))
    assert (payoffs(z - better, expectations).mean(axis=0) <= 1 + 1e-9).all()


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1))
def test_no_bet_takes_more_than_there_is(paid: float, before: float, alike: float) -> None:
    one = np.ones((1, len(BETS)))
    gains = factors(paid * one, before * one, np.array([alike]))
    assert (gains > 0).all()
    assert (gains <= factors(paid * one, one, np.array([alike]))).all()


@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9])
def test_levels_that_last_are_paid_once(alike: float) -> None:
    """Of a level that is kept with probability r, else drawn anew, E[L | the one before] is 1 at most."""
    rng = np.random.default_rng(3)
    level = rng.standard_normal(200_000)
    normal = np.array([[expected(bet, NORMAL) for bet in BETS]])
    fresh = payoffs(level, np.repeat(normal, len(level), axis=0))
    for before in (0.0, 2.0, 6.0):
        earlier = payoffs(np.array([before]), normal)
        kept = rng.random(len(level)) < alike
        now = np.where(kept[:, None], earlier, fresh)
        gains = factors(now, np.repeat(earlier, len(level), axis=0), np.full(len(level), alike))
        assert (gains.mean(axis=0) <= 1.01).all()


def test_the_error_of_what_is_expected_is_that_of_a_sample() -> None:
    rng = np.random.default_rng(4)
    z = rng.standard_normal((4000, 200))
    for bet in BETS:
        learnt = ((1 + bet.theta * z) ** bet.power).mean(axis=1)
        assert learnt.mean() == pytest.approx(expected(bet, NORMAL), rel=0.02)
        assert learnt.std() / learnt.mean() == pytest.approx(error(bet, 200), rel=0.15)
