from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vedette.quality.estimates.intervals import Method
from vedette.quality.estimates.ratio import Shares, cautious, classical

FRAMES = st.lists(
    st.tuples(st.floats(0.1, 10), st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=60
).filter(lambda frames: sum(right + wrong > 0 for _, right, wrong in frames) > 1)


def shares(frames: list[tuple[float, int, int]]) -> Shares:
    weight, right, wrong = np.array(frames, np.float64).T
    return Shares(weight, right, right + wrong)


def made(frames: int, seed: int = 1) -> Shares:
    rng = np.random.default_rng(seed)
    wholes = rng.integers(1, 7, frames)
    return Shares(np.ones(frames), rng.binomial(wholes, 0.8).astype(float), wholes.astype(float))


@given(FRAMES)
def test_an_interval_contains_its_share_and_has_a_width(frames: list[tuple[float, int, int]]) -> None:
    for method in (classical, cautious):
        found = method(shares(frames), 0.95)
        assert 0 <= found.lower <= found.value <= found.upper <= 1
        assert found.half_width > 0


@given(FRAMES, st.floats(1e-6, 1e6), st.randoms())
def test_neither_the_order_of_frames_nor_the_unit_of_weights_matters(
    frames: list[tuple[float, int, int]], unit: float, random: Random
) -> None:
    other = [(weight * unit, right, wrong) for weight, right, wrong in frames]
    random.shuffle(other)
    one, two = classical(shares(frames), 0.95), classical(shares(other), 0.95)
    assert one.method is two.method
    assert (one.value, one.lower, one.upper) == pytest.approx((two.value, two.lower, two.upper), abs=1e-9)


@given(FRAMES)
def test_the_influence_of_a_frame_is_what_the_share_moves_by_without_it(
    frames: list[tuple[float, int, int]],
) -> None:
    all_of_them = shares(frames)
    mass = all_of_them.weight * all_of_them.wholes
    assume(mass.max() < 0.99 * mass.sum())
    for number in range(len(frames)):
        without = shares(frames[:number] + frames[number + 1 :])
        moved = len(frames) * (all_of_them.share - without.share)
        assert all_of_them.influence[number] == pytest.approx(moved, abs=1e-6 * len(frames))


def test_a_frame_of_weight_two_says_what_two_frames_say() -> None:
    one = Shares(np.array([2.0, 1.0]), np.array([3.0, 0.0]), np.array([4.0, 2.0]))
    two = Shares(np.ones(3), np.array([3.0, 3.0, 0.0]), np.array([4.0, 4.0, 2.0]))
    assert one.share == two.share


def test_boxes_that_are_all_alike_in_a_frame_count_as_one() -> None:
    rng = np.random.default_rng(2)
    right = (rng.random(200) < 0.8).astype(float)
    once = classical(Shares(np.ones(200), right, np.ones(200)), 0.95)
    often = classical(Shares(np.ones(200), 5 * right, np.full(200, 5.0)), 0.95)
    assert often.half_width == pytest.approx(once.half_width)
    assert often.effective == pytest.approx(once.effective)


def test_below_thirty_frames_an_interval_is_cautious_and_wider_than_if_the_spread_were_believed() -> None:
    assert classical(made(29), 0.95).method is Method.CAUTIOUS
    assert classical(made(30), 0.95).method is Method.CLASSICAL
    assert cautious(made(30), 0.95).half_width > classical(made(30), 0.95).half_width


def test_without_errors_an_interval_is_cautious_and_says_that_there_may_be_some() -> None:
    found = classical(Shares(np.ones(100), np.full(100, 3.0), np.full(100, 3.0)), 0.95)
    assert found.method is Method.CAUTIOUS
    assert found.value == found.upper == 1
    assert 0.95 < found.lower < 0.98


def test_empty_frames_are_counted_but_say_nothing() -> None:
    full = made(60)
    none = np.zeros(40)
    more = Shares(np.ones(100), np.append(full.parts, none), np.append(full.wholes, none))
    one, two = classical(full, 0.95), classical(more, 0.95)
    assert (two.frames, two.judged, two.value) == (100, one.judged, one.value)
    assert two.half_width == pytest.approx(one.half_width, rel=0.02)


@pytest.mark.parametrize(
    ("weight", "parts", "wholes"),
    [([1.0], [2.0], [1.0]), ([0.0], [1.0], [1.0]), ([np.inf], [1.0], [1.0]), ([1.0], [1.0], [1.0, 1.0])],
)
def test_frames_that_cannot_be_are_refused(
    weight: list[float], parts: list[float], wholes: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"weights|parts"):
        Shares(np.array(weight), np.array(parts), np.array(wholes))


def test_nothing_judged_is_no_estimate() -> None:
    with pytest.raises(ValueError, match="nothing"):
        cautious(Shares(np.ones(3), np.zeros(3), np.zeros(3)), 0.95)
