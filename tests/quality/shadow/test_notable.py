"""Of the frames that differ, those that differ most are shown to people."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.shadow.notable import Notable


def test_a_frame_without_a_difference_is_never_offered() -> None:
    notable = Notable()
    assert not any(notable.offers("gate", 0) for _ in range(100))


def test_the_first_difference_is() -> None:
    assert Notable().offers("gate", 1)


def test_where_each_frame_differs_about_one_in_ten_is_offered_and_those_that_differ_most() -> None:
    notable, rng = Notable(), np.random.default_rng(2)
    counts = rng.poisson(10, 5000) + 1
    offers = [notable.offers("gate", int(count)) for count in counts]
    offered = counts[500:][offers[500:]]  # once it has learnt what is much
    assert 0.05 < len(offered) / len(counts) < 0.25
    assert min(offered) > np.median(counts)


def test_each_camera_has_its_own_measure() -> None:
    notable = Notable()
    for _ in range(200):
        notable.offers("square", 20)
    assert not notable.offers("square", 5)
    assert notable.offers("gate", 1)


@given(st.lists(st.integers(0, 50), max_size=200), st.integers(1, 50))
def test_one_that_differs_more_than_any_before_is_offered(counts: list[int], more: int) -> None:
    notable = Notable()
    for count in counts:
        notable.offers("gate", count)
    assert notable.offers("gate", 2 * max(counts, default=0) + more)
