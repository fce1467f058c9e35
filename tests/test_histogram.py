"""Percentiles from buckets are close to the true ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.histogram import BUCKETS, bucket_of, percentile, percentiles

durations = st.floats(1.1e-5, 99.0)


def recorded(seconds: list[float]) -> np.ndarray:
    counts = np.zeros(BUCKETS, np.uint32)
    for value in seconds:
        counts[bucket_of(value)] += 1
    return counts


def test_nothing_recorded_is_zero() -> None:
    assert percentiles(recorded([]), 0.5, 0.99) == [0.0, 0.0]


@given(values=st.lists(durations, min_size=1, max_size=200), share=st.floats(0.01, 1.0))
def test_a_percentile_is_within_two_percent_of_the_true_one(values: list[float], share: float) -> None:
    true = float(np.quantile(values, share, method="inverted_cdf"))
    # The true value or a neighbour that ends up in the same bucket.
    assert percentile(recorded(values), share) == pytest.approx(true, rel=0.02)


@given(values=st.lists(durations, min_size=1, max_size=50))
def test_percentiles_are_in_order(values: list[float]) -> None:
    found = percentiles(recorded(values), 0.0, 0.1, 0.5, 0.9, 0.99, 1.0)
    assert found == sorted(found)


@given(one=durations, other=durations)
def test_longer_durations_are_in_no_earlier_bucket(one: float, other: float) -> None:
    shorter, longer = sorted([one, other])
    assert 0 <= bucket_of(shorter) <= bucket_of(longer) < BUCKETS


@pytest.mark.parametrize(("seconds", "bucket"), [(-1, 0), (0, 0), (1e-9, 0), (1e-5, 0), (1e3, BUCKETS - 1)])
def test_what_lies_outside_goes_to_the_outermost_buckets(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


def test_histograms_of_several_workers_add_up() -> None:
    both = recorded([0.001] * 10) + recorded([1.0] * 10)
    assert percentile(both, 0.5) == pytest.approx(0.001, rel=0.02)
    assert percentile(both, 0.51) == pytest.approx(1.0, rel=0.02)
