"""When to ask for the next batch: late enough to be fresh, early enough to be there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.infer.asker import Rhythm

STARTED = 5_000.0
durations = st.floats(0.0001, 10)


def told(batches: list[float], answers: list[float]) -> Rhythm:
    rhythm = Rhythm()
    for seconds in batches:
        rhythm.took(seconds)
    for seconds in answers:
        rhythm.answered(seconds)
    return rhythm


def test_before_anything_is_known_it_asks_at_once() -> None:
    assert Rhythm().ask_at(STARTED) == STARTED
    assert told([], [0.002]).ask_at(STARTED) == STARTED


def test_it_asks_a_little_before_the_end_of_a_steady_batch() -> None:
    early = STARTED + 0.050 - told([0.050] * 10, [0.002] * 10).ask_at(STARTED)
    assert 0.002 < early < 0.004


def test_slow_answers_are_asked_for_earlier() -> None:
    quick = told([0.050] * 10, [0.001] * 10).ask_at(STARTED)
    slow = told([0.050] * 10, [0.020] * 10).ask_at(STARTED)
    assert quick - slow == pytest.approx(0.019, abs=0.002)


def test_one_slow_batch_does_not_make_the_next_ones_late() -> None:
    steady = told([0.010] * 14, [0.001]).ask_at(STARTED)
    assert told([0.010] * 14 + [3.0], [0.001]).ask_at(STARTED) == pytest.approx(steady)


def test_one_slow_answer_does_not_make_the_next_frames_old() -> None:
    steady = told([0.050] * 10, [0.001] * 20).ask_at(STARTED)
    assert told([0.050] * 10, [0.001] * 20 + [0.045]).ask_at(STARTED) == pytest.approx(steady)


def test_a_detector_that_became_slower_is_followed() -> None:
    assert told([0.010] * 100 + [0.040] * 15, [0.001]).ask_at(STARTED) > STARTED + 0.035


def test_where_answers_take_longer_than_batches_it_asks_at_once() -> None:
    assert told([0.002] * 10, [0.010] * 10).ask_at(STARTED) == STARTED


@given(batches=st.lists(durations, max_size=60), answers=st.lists(durations, max_size=60))
def test_it_never_asks_before_the_batch_began_or_after_it_should_be_over(
    batches: list[float], answers: list[float]
) -> None:
    at = told(batches, answers).ask_at(STARTED)
    assert STARTED <= at <= STARTED + max([*batches, 0.0])
