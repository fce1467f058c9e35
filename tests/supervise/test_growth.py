"""How fast memory grows right now, and what does not count as growing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.supervise.growth import OVER_S, Growth

MB = 1_000_000


def grown(amounts: list[int], every: float = 2.0) -> Growth:
    growth = Growth()
    for number, amount in enumerate(amounts):
        growth.note(1000.0 + every * number, amount)
    return growth


def test_a_steady_rise_is_its_rate() -> None:
    assert grown([100 * MB + 10 * MB * n for n in range(20)]).a_second() == pytest.approx(5 * MB)


def test_a_step_is_no_growth() -> None:
    assert grown([100 * MB] * 8 + [400 * MB] * 8).a_second() == 0.0


def test_what_comes_and_goes_is_no_growth() -> None:
    assert grown([100 * MB, 160 * MB] * 10).a_second() <= 3 * MB


def test_nothing_is_said_of_a_process_that_has_just_begun() -> None:
    assert grown([100 * MB + 50 * MB * n for n in range(4)]).a_second() == 0.0


@given(st.lists(st.integers(0, 10**10), max_size=60), st.floats(0.1, 10))
def test_it_is_never_more_than_the_steepest_rise_and_never_less_than_nothing(
    amounts: list[int], every: float
) -> None:
    rate = grown(amounts, every).a_second()
    most = max((b - a for a, b in pairwise(amounts)), default=0) / every
    assert 0.0 <= rate <= max(0.0, most) + 1e-6 * abs(most)


@given(st.lists(st.integers(0, 10**10), min_size=2, max_size=60), st.integers(0, 10**9))
def test_how_much_there_was_before_does_not_matter(amounts: list[int], more: int) -> None:
    assert grown([amount + more for amount in amounts]).a_second() == pytest.approx(
        grown(amounts).a_second(), abs=1e-3
    )


def test_what_was_long_ago_is_forgotten() -> None:
    rising = [100 * MB + 10 * MB * n for n in range(20)]
    flat = [rising[-1]] * int(OVER_S)
    assert grown(rising + flat).a_second() == 0.0
