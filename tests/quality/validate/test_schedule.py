"""When the detector at work is validated: when it is due, and nobody needs the machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.validate.schedule import (
    AGAIN_AFTER_S,
    CALM_S,
    TELL_AFTER_S,
    Capacity,
    Postpone,
    Start,
    State,
    began,
    decide,
    due_now,
    ended,
    gives_way,
)

DAY = 86_400.0
NOW = 1_800_000_000.0
IDLE = Capacity()
BUSY = Capacity(thinned=3)


def decisions(
    state: State, capacity: Capacity, seconds: float, now: float = NOW, every: float = DAY, step: float = 1.0
) -> tuple[State, list[tuple[float, object]]]:
    """What is decided in so long, and when."""
    found = []
    for number in range(int(seconds / step)):
        at = now + number * step
        state, decision = decide(state, capacity, at, every)
        if decision is not None:
            found.append((at - now, decision))
            if decision == Start():
                break
    return state, found


def test_the_first_one_comes_once_the_machine_was_idle_for_a_while() -> None:
    _, found = decisions(began(NOW, DAY, None), IDLE, 100)
    assert found == [(CALM_S, Start())]


def test_the_next_one_comes_a_day_after_the_last() -> None:
    state = ended(NOW, DAY)
    assert decisions(state, IDLE, DAY - 1, step=60.0)[1] == []
    _, found = decisions(state, IDLE, 2 * DAY, step=60.0)
    assert found == [(DAY, Start())]


def test_a_restart_does_not_bring_it_forward() -> None:
    state = began(NOW, DAY, last=NOW - DAY / 2)
    _, found = decisions(state, IDLE, DAY, step=60.0)
    assert found == [(DAY / 2, Start())]


def test_one_that_came_to_nothing_is_tried_again_in_an_hour() -> None:
    _, found = decisions(ended(NOW, DAY, failed=True), IDLE, DAY, step=60.0)
    assert found == [(AGAIN_AFTER_S, Start())]
    _, found = decisions(ended(NOW, 600.0, failed=True), IDLE, DAY, step=60.0, every=600.0)
    assert found == [(600.0, Start())], "never later than the next one would be"


def test_another_detector_is_looked_at_soon() -> None:
    state = due_now(ended(NOW, DAY), NOW + 60)
    _, found = decisions(state, IDLE, DAY, now=NOW + 60)
    assert found == [(CALM_S, Start())]


@pytest.mark.parametrize(
    ("capacity", "says"),
    [
        (Capacity(well=False), "a worker is being"),
        (Capacity(thinned=3), "3 cameras have less than they asked for"),
        (Capacity(smaller=True), "input is smaller"),
        (Capacity(detector=0.95), "the detector has no rest"),
        (Capacity(cpu=0.9), "90% of the machine's cores"),
        (Capacity(memory=200_000_000), "200 MB of memory"),
    ],
)
def test_it_is_put_off_while_there_is_no_capacity_and_that_is_told_once(
    capacity: Capacity, says: str
) -> None:
    state, found = decisions(began(NOW, DAY, None), capacity, DAY, step=10.0)
    [(after, postponed)] = found
    assert after == TELL_AFTER_S
    assert isinstance(postponed, Postpone)
    assert says in postponed.why
    assert postponed.since == NOW
    _, found = decisions(state, IDLE, 100, now=NOW + DAY)
    assert found == [(CALM_S, Start())], "and done as soon as there is some"


def test_a_moment_of_rest_is_not_enough() -> None:
    state = began(NOW, DAY, None)
    for second in range(600):
        state, decision = decide(state, BUSY if second % 20 == 0 else IDLE, NOW + second, DAY)
        assert decision is None


def test_one_that_is_under_way_ends_when_a_camera_has_less_but_not_for_the_cores_it_has_itself() -> None:
    assert gives_way(Capacity(thinned=1))
    assert gives_way(Capacity(well=False))
    assert gives_way(Capacity(smaller=True))
    assert gives_way(Capacity(cpu=1.0, detector=1.0, memory=0)) == ""


def test_a_clock_that_is_set_back_puts_it_off_by_one_turn_at_most() -> None:
    state = ended(NOW + 400 * DAY, DAY)
    state, _ = decide(state, IDLE, NOW, DAY)
    assert state.due <= NOW + DAY
    assert began(NOW, DAY, last=NOW + 400 * DAY).due <= NOW + DAY


capacities = st.builds(
    Capacity,
    well=st.booleans(),
    thinned=st.integers(0, 3),
    cpu=st.floats(0, 1),
    detector=st.floats(0, 1),
    memory=st.none() | st.integers(0, 10**9),
)


@given(st.lists(st.tuples(capacities, st.floats(-3600, 3600)), max_size=60), st.floats(60, 10 * DAY))
def test_it_never_starts_where_it_would_have_to_give_way_and_is_never_lost(
    steps: list[tuple[Capacity, float]], every: float
) -> None:
    """Whatever the load and the clock do."""
    state, now = began(NOW, every, None), NOW
    for capacity, passed in steps:
        now += passed
        state, decision = decide(state, capacity, now, every)
        assert state.due <= now + every
        if decision == Start():
            assert gives_way(capacity) == ""
            state = ended(now, every)
    step = max(CALM_S, every / 50)
    _, found = decisions(state, IDLE, every + 3 * step, now=now, step=step, every=every)
    assert [decision for _, decision in found if decision == Start()]
