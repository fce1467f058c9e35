"""A camera's turns with simulated time: on a grid, so that a limit gives what it says, and never more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.turns import Turns

START = 1000.0


def row(keyframe_every: float = 0.0, limit: float = 0.0) -> dict[str, Any]:
    """What of a camera's row the turns read and write. ``limit``: the ladder's, seconds."""
    return {"not_before": 0.0, "limit": limit, "keyframe_every": keyframe_every}


def taken(turns: Turns, arrivals: list[float], *, keyframes_only: bool = False) -> list[float]:
    """When pictures are chosen by somebody who takes each that is not too early."""
    chosen = []
    for now in arrivals:
        if not turns.too_early(now):
            turns.taken(now, keyframes_only=keyframes_only)
            chosen.append(now)
    return chosen


def every(interval: float, seconds: float) -> list[float]:
    return [START + number * interval for number in range(int(seconds / interval) + 1)]


# A rate that divides neither the other nor 1 exactly: (10, 10) would ask how floating point rounds.
@pytest.mark.parametrize(("fps", "limit"), [(25, 10), (25, 24), (30, 7), (8, 8), (25, 1), (25, 1000)])
def test_a_limit_gives_what_it_says_and_not_the_next_rate_that_divides_the_cameras(
    fps: float, limit: float
) -> None:
    chosen = taken(Turns(row(), limit), every(1 / fps, 100))
    assert len(chosen) == pytest.approx(100 * min(fps, limit), abs=2)
    # The grid itself: each is taken with the first picture that comes on or after its turn.
    if limit < fps:
        late = [at - (START + number / limit) for number, at in enumerate(chosen)]
        assert -1e-6 < min(late) <= max(late) < 1 / fps + 1e-6


def test_pictures_that_come_late_do_not_push_the_grid_on() -> None:
    chosen = taken(Turns(row(), 8), [START + number / 8 + (number % 3) / 32 for number in range(301)])
    assert len(chosen) == 301


def test_a_pause_earns_nothing() -> None:
    turns = Turns(row(), 4)
    taken(turns, every(1 / 32, 2))
    after = [at + 22 for at in every(1 / 32, 2)]
    assert len(taken(turns, after)) == 9


def test_a_keyframe_that_is_a_little_early_is_taken_and_the_limit_holds() -> None:
    # Once a second but for a little, and a limit of one a second: no second one is left out for that little.
    arrivals = [START + number + (-0.1 if number % 2 else 0.1) for number in range(100)]
    assert len(taken(Turns(row(keyframe_every=1.0), 1), arrivals, keyframes_only=True)) == 100
    assert len(taken(Turns(row(keyframe_every=1.0), 1), arrivals)) < 100
    often = taken(Turns(row(keyframe_every=0.4), 1), every(0.4, 100), keyframes_only=True)
    assert len(often) == pytest.approx(100, abs=2)


def test_of_two_limits_the_lower_one_counts_and_without_any_there_is_no_turn() -> None:
    pictures = every(0.04, 10)
    assert len(taken(Turns(row(limit=0.5), 10), pictures)) == pytest.approx(20, abs=1)
    assert len(taken(Turns(row(limit=0.1), 2), pictures)) == pytest.approx(20, abs=1)
    assert len(taken(Turns(row(), None), pictures)) == len(pictures)


@settings(deadline=None)
@given(
    limit=st.floats(0.05, 50),
    keyframe_every=st.floats(0, 20),
    between=st.lists(st.floats(0, 3) | st.floats(0, 0.05), min_size=2, max_size=200),
    keyframes=st.booleans(),
    data=st.data(),
)
def test_however_pictures_come_so_many_take_as_long_as_the_limit_says(
    limit: float, keyframe_every: float, between: list[float], keyframes: bool, data: st.DataObject
) -> None:
    """The first may have been late by less than an interval, which the grid makes up for, and the last one
    early by the slack that keyframes have."""
    turns, now, chosen = Turns(row(keyframe_every), limit), START, []
    for pause in between:
        now += pause
        only = keyframes and data.draw(st.booleans())
        chosen += taken(turns, [now], keyframes_only=only)
    slack = min(1 / limit, keyframe_every) / 2 if keyframes else 0.0
    for first in range(len(chosen)):
        for last in range(first, len(chosen)):
            late = 1 / limit if first else 0.0  # the very first one of all begins the grid
            assert chosen[last] - chosen[first] >= (last - first) / limit - late - slack - 1e-6
