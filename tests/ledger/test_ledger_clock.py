"""The ledger's time never runs backwards, whatever the machine's clock does; a sleep is told exactly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.ledger.clock import JUMP_S, SLOWER, LedgerClock

BOOT = 1_700_000_000.0
"""Unix seconds at monotonic zero."""

ROUNDING_US = 2
"""Floats of Unix seconds are exact to a quarter of a microsecond, and each step rounds."""

passed = st.floats(0.0, 30.0, allow_nan=False)
"""Seconds between two ticks on the monotonic clock."""
set_by = st.one_of(
    st.just(0.0),
    st.floats(-1e-3, 1e-3, allow_nan=False),
    st.floats(-60.0, 60.0, allow_nan=False),
    st.floats(-1e6, 1e6, allow_nan=False),
)
"""Seconds by which the machine's clock ran ahead, or was set back, meanwhile."""


def us(seconds: float) -> int:
    return round((BOOT + seconds) * 1e6)


@given(st.lists(st.tuples(passed, set_by), max_size=30), st.floats(0.0, 1.0, allow_nan=False))
def test_time_never_runs_backwards(steps: list[tuple[float, float]], part: float) -> None:
    now, wall = 1000.0, BOOT + 1000.0
    clock = LedgerClock(now, wall)
    latest = clock.when(now)
    for seconds, ahead in steps:
        for moment in (now + part * seconds, now + seconds):
            assert clock.when(moment) >= latest, "between two ticks"
            latest = clock.when(moment)
        now, wall = now + seconds, wall + seconds + ahead
        slept = clock.tick(now, wall)
        assert clock.when(now) >= latest - ROUNDING_US, "across a tick"
        latest = clock.when(now)
        if slept is not None:
            assert slept[0] < slept[1] <= latest + ROUNDING_US


@given(st.lists(st.tuples(passed, set_by), max_size=30))
def test_from_tick_to_tick_it_goes_forward_at_nine_tenths_of_the_speed_or_more(
    steps: list[tuple[float, float]],
) -> None:
    now, wall = 1000.0, BOOT + 1000.0
    clock = LedgerClock(now, wall)
    for seconds, ahead in steps:
        before = clock.when(now)
        now, wall = now + seconds, wall + seconds + ahead
        clock.tick(now, wall)
        assert clock.when(now) - before >= (1 - SLOWER) * seconds * 1e6 - ROUNDING_US


@given(passed, st.floats(JUMP_S + 0.001, 1e7, allow_nan=False))
def test_a_sleep_is_told_exactly(seconds: float, ahead: float) -> None:
    clock = LedgerClock(0.0, BOOT)
    slept = clock.tick(seconds, BOOT + seconds + ahead)
    assert slept is not None
    start, end = slept
    assert abs(start - us(0.0)) <= ROUNDING_US, (
        "from the last moment that is known to have been lived through"
    )
    assert abs((end - start) - ahead * 1e6) <= ROUNDING_US, "for as long as the machine's clock ran alone"
    assert abs(clock.when(seconds) - us(seconds + ahead)) <= ROUNDING_US
    # What was lived through before the sleep or after it: no second is counted twice, none is lost.
    lived = round(seconds * 1e6)
    assert abs((start - us(0.0)) + (end - start) + lived - (clock.when(seconds) - us(0.0))) <= 2 * ROUNDING_US


@given(passed, st.floats(0.0, JUMP_S - 0.001, allow_nan=False))
def test_a_clock_that_is_set_forward_a_little_is_followed_and_nothing_is_told(
    seconds: float, ahead: float
) -> None:
    clock = LedgerClock(0.0, BOOT)
    assert clock.tick(seconds, BOOT + seconds + ahead) is None
    assert abs(clock.when(seconds) - us(seconds + ahead)) <= ROUNDING_US


@given(st.floats(0.1, 100.0, allow_nan=False))
def test_a_clock_that_is_set_back_is_met_again_in_time(back: float) -> None:
    clock = LedgerClock(0.0, BOOT)
    ticks = int(back / SLOWER) + 12
    for second in range(1, ticks + 1):
        assert clock.tick(float(second), BOOT + second - back) is None
    assert abs(clock.when(float(ticks)) - us(ticks - back)) <= ROUNDING_US


@given(st.floats(0.0, 1e8, allow_nan=False), st.lists(st.tuples(passed, set_by), max_size=10))
def test_nothing_new_is_older_than_what_is_in_the_ledger(
    newer: float, steps: list[tuple[float, float]]
) -> None:
    """The clock was set back while the node was down."""
    not_before = us(newer)
    now, wall = 0.0, BOOT
    clock = LedgerClock(now, wall, not_before)
    assert clock.when(now) >= not_before - ROUNDING_US
    for seconds, ahead in steps:
        now, wall = now + seconds, wall + seconds + ahead
        clock.tick(now, wall)
        assert clock.when(now) >= not_before - ROUNDING_US


def test_a_clock_that_agrees_is_left_alone_for_a_year() -> None:
    clock = LedgerClock(0.0, BOOT)
    for hour in range(365 * 24):
        assert clock.tick(hour * 3600.0, BOOT + hour * 3600.0) is None
    assert clock.when(365 * 86400.0) == us(365 * 86400.0)
