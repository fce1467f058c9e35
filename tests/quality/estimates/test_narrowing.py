"""What the next reviews are worth is said as a goal that can be reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.estimates import Estimate, Method, Narrowing, TooFew, more_frames, narrowing
from vedette.quality.estimates.intervals import estimate


def known(value: float, effective: float, frames: int) -> Estimate:
    return estimate(value, effective, frames - 1, 0.95, Method.CLASSICAL, frames=frames, judged=3 * frames)


def test_it_is_said_in_whole_points() -> None:
    goal = narrowing(known(0.8, 150.0, 60))
    assert goal is not None
    assert goal.then == pytest.approx(0.04)
    assert str(goal) == f"{goal.frames} more frames narrow ±6 to ±4"
    assert 40 < goal.frames < 150


def test_below_a_point_it_is_said_in_tenths() -> None:
    assert str(Narrowing(900, 0.012, 0.008)) == "900 more frames narrow ±1.2 to ±0.8"
    assert str(Narrowing(1, 0.02, 0.013)) == "1 more frame narrows ±2 to ±1.3"


def test_before_there_is_an_estimate_it_says_how_many_that_takes() -> None:
    assert str(narrowing(TooFew(3))) == "7 more frames for an estimate"


def test_what_is_narrow_enough_has_no_goal() -> None:
    assert narrowing(known(0.5, 1e7, 1_000_000)) is None


@given(st.floats(0.01, 0.99), st.floats(8, 1e5), st.integers(30, 5000))
def test_so_many_frames_reach_the_goal_and_fewer_do_not(value: float, effective: float, frames: int) -> None:
    some = known(value, effective, frames)
    goal = narrowing(some)
    if goal is None or goal.now is None or goal.then is None:
        return
    assert goal.now == some.half_width
    assert goal.then < goal.now
    assert more_frames(some, goal.then) == goal.frames
