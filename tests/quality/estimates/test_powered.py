from dataclasses import replace

import numpy as np
import pytest
from benchmarks.drift.intervals import SETTINGS, World, period, samples, widths
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.quality.estimates.calibration import left_out
from vedette.quality.estimates.emitted import Emitted
from vedette.quality.estimates.intervals import Method
from vedette.quality.estimates.powered import Cells, powered
from vedette.quality.estimates.ratio import classical
from vedette.quality.estimates.stratified import stratified

WORLD = period(World(precision=0.8, worth=3.5), np.random.default_rng(5))
METHODS = (powered, stratified)


def cells(frames: int, seed: int = 1) -> Cells:
    return next(samples(WORLD, frames, 1, np.random.default_rng(seed)))


def parts(of: Cells, frames: np.ndarray, unit: float = 1.0) -> Cells:
    return Cells(of.weight[frames] * unit, of.right[frames], of.wrong[frames], of.unjudged[frames])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 90))
def test_an_interval_contains_its_value_and_has_a_width(seed: int, frames: int) -> None:
    some = cells(frames, seed)
    if not some.shares.wholes.sum():
        return
    for method in METHODS:
        found = method(some, WORLD.emitted, 0.95)
        assert 0 <= found.lower <= found.value <= found.upper <= 1
        assert found.half_width > 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-6, 1e6))
def test_neither_the_order_of_frames_nor_the_unit_of_weights_matters(seed: int, unit: float) -> None:
    some = cells(60, seed)
    other = parts(some, np.random.default_rng(seed).permutation(60), unit)
    for method in METHODS:
        one, two = method(some, WORLD.emitted, 0.95), method(other, WORLD.emitted, 0.95)
        assert (one.value, one.lower, one.upper) == pytest.approx((two.value, two.lower, two.upper), abs=1e-9)


def test_twice_as_many_boxes_of_the_same_kind_change_nothing() -> None:
    for method in METHODS:
        once, twice = (
            method(cells(80), each, 0.95) for each in (WORLD.emitted, WORLD.emitted + WORLD.emitted)
        )
        assert twice == once


def test_scores_that_tell_right_from_wrong_narrow_an_interval() -> None:
    found = powered(cells(200), WORLD.emitted, 0.95)
    assert found.method is Method.POWERED
    assert found.power == pytest.approx(1, abs=0.2)
    assert found.half_width < 0.7 * classical(cells(200).shares, 0.95).half_width


def test_a_mean_of_labels_is_moved_towards_what_the_scores_of_all_boxes_say() -> None:
    """Twice as many unsure boxes emitted as are among the reviewed: the precision is lower than theirs."""
    counts = WORLD.emitted.counts.copy()
    counts[:, :10] *= 2
    some = cells(200)
    usual, unsure = (
        powered(some, each, 0.95) for each in (WORLD.emitted, replace(WORLD.emitted, counts=counts))
    )
    assert unsure.value < usual.value - 0.02


def test_with_few_labels_scores_are_not_used() -> None:
    for method in METHODS:
        found = method(cells(20), WORLD.emitted, 0.95)
        assert found == classical(cells(20).shares, 0.95)
        assert found.method is Method.CAUTIOUS


def test_boxes_that_nobody_is_to_blame_for_are_in_no_share() -> None:
    some = cells(100)
    rain = some.right.copy()
    rain[:, ::2] = 0
    judged = Cells(some.weight, rain, some.wrong, some.right - rain)
    found = powered(judged, WORLD.emitted, 0.95)
    assert found.judged == int((rain + some.wrong).sum())
    assert abs(found.value - classical(judged.shares, 0.95).value) < 0.1


def test_frames_that_were_picked_teach_but_are_not_counted() -> None:
    some, picked = cells(40), cells(400, seed=2)
    alone, taught = powered(some, WORLD.emitted, 0.95), powered(some, WORLD.emitted, 0.95, picked)
    assert (taught.frames, taught.judged) == (alone.frames, alone.judged)
    assert taught.value != alone.value


def test_a_frame_is_judged_by_a_curve_that_never_saw_it() -> None:
    some = cells(40)
    features, stiffness = WORLD.emitted.features()
    none = np.zeros((2, len(features)))
    each = left_out(some.right, some.wrong, features, stiffness, none)
    for number in (0, 7, 39):
        others = np.delete(np.arange(40), number)
        blank = np.zeros((1, len(features)))
        rest = np.stack([some.right[others].sum(axis=0), some.wrong[others].sum(axis=0)])
        assert each[number] == pytest.approx(left_out(blank, blank, features, stiffness, rest)[0], abs=1e-6)


def test_a_curve_stays_within_bounds_where_all_of_a_score_are_right() -> None:
    emitted = Emitted(np.array([[10, 10]]), np.array([0.2, 0.6, 1.0]))
    right, wrong = np.array([[0.0, 5.0]] * 8), np.array([[5.0, 0.0]] * 8)
    shares = left_out(right, wrong, *emitted.features(), np.zeros((2, 2)))
    assert ((shares > 0) & (shares < 1)).all()
    assert (shares[:, 0] < 0.1).all()
    assert (shares[:, 1] > 0.9).all()


@pytest.mark.parametrize(
    ("setting", "narrower"),
    [
        ("precision 0.6, scores good", 0.7),
        ("precision 0.95, scores usual", 1.0),
        ("no day, no night, say nothing", 1.05),
        ("drawn by size, usual", 0.9),
    ],
)
def test_intervals_hold_as_often_as_they_say(setting: str, narrower: float) -> None:
    """300 trials: 0.90 is four standard errors below 0.95."""
    assert setting in SETTINGS
    found = widths(setting, 60, 300, seed=11)
    assert min(found["held"], found["held_powered"], found["held_stratified"]) >= 0.90
    assert found["ratio"] <= narrower
