"""Stages of the last minutes: what was counted in them, and over how long."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.observe.stages_lately import KEPT_EVERY_S, OVER_S, StagesLately


def counts(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_at_first_nothing_was_counted_lately() -> None:
    over, lately = StagesLately().over(100.0, counts(7, 9))
    assert over == 0
    assert lately.tolist() == [0, 0]


def test_what_was_counted_before_that_is_left_out() -> None:
    stages = StagesLately()
    for second in range(0, 1000, 2):
        over, lately = stages.over(float(second), counts(second, 2 * second))
        assert over <= OVER_S + KEPT_EVERY_S
        assert lately.tolist() == [over, 2 * over]
    assert over >= OVER_S


def test_where_nobody_asked_for_long_it_is_over_longer_and_says_so() -> None:
    stages = StagesLately()
    stages.over(0.0, counts(5))
    over, lately = stages.over(3600.0, counts(25))
    assert over == 3600
    assert lately.tolist() == [20]


@given(st.lists(st.tuples(st.floats(0, 400), st.integers(0, 1000)), min_size=1))
def test_it_never_counts_more_than_there_was(steps: list[tuple[float, int]]) -> None:
    stages, now, total = StagesLately(), 0.0, 0
    for passed, more in steps:
        now, total = now + passed, total + more
        over, lately = stages.over(now, counts(total))
        assert 0 <= int(lately[0]) <= total
        assert 0 <= over <= now
