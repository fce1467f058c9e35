"""What counts as a leak, in simulated time; figures over many worker-days are in benchmarks/resources."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.supervise.history import BIN_S, BINS_MOST, WARM_UP_S
from vedette.supervise.leaks import NAMES_MOST, Leak, Leaks, watched
from vedette.supervise.seen import Kind, Limits, Measure, Seen
from vedette.supervise.slope import kendall, theil_sen

HOUR = 3600.0
LIMITS = Limits(most={Measure.MEMORY: 1e9, Measure.GPU: 8e9, Measure.FILES: 1024, Measure.THREADS: 500})
EVERY_S = 300.0
Amount = Callable[[float], float]


def worker(name: str = "camera-1", **more: object) -> Seen:
    return Seen(name=name, kind=Kind.CAMERA, started_at=0.0, **more)  # type: ignore[arg-type]


def after(hours: float, *amounts: Amount, measure: str = "uss", state: Leaks | None = None) -> Leaks:
    """Workers ``camera-0…``, each with so much of the measure, by its age in hours."""
    state = state or Leaks()
    for step in range(round(hours * HOUR / EVERY_S) + 1):
        now = step * EVERY_S
        seen = [
            worker(f"camera-{number}", **{measure: int(amount(now / HOUR))})
            for number, amount in enumerate(amounts)
        ]
        state = watched(state, seen, LIMITS, now)
    return state


def leak(state: Leaks, name: str = "camera-0", measure: Measure = Measure.MEMORY) -> Leak | None:
    return next((each for each in state.found.get(name, ()) if each.measure is measure), None)


def noisy(rise: float, base: float = 300e6, seed: int = 1) -> Amount:
    rng = random.Random(seed)
    return lambda hours: base + rise * hours + rng.gauss(0, 2e6)


def test_a_steady_rise_is_named_with_its_slope_once_six_hours_are_known() -> None:
    peers = [noisy(0, seed=seed) for seed in range(2, 6)]
    assert leak(after(6.9, noisy(5e6), *peers)) is None
    found = leak(after(8, noisy(5e6), *peers))
    assert found is not None
    assert found.named
    assert found.slope_per_hour == pytest.approx(5e6, rel=0.2)


def test_one_hit_alone_names_nobody() -> None:
    once = leak(after(7.1, noisy(20e6)))
    assert once is not None
    assert once.lower > 0
    assert not once.named


def test_a_leak_is_urgent_when_its_limit_is_less_than_four_days_away() -> None:
    peers = [noisy(0, seed=seed) for seed in range(2, 6)]
    slow, fast = leak(after(8, noisy(5e6), *peers)), leak(after(8, noisy(20e6), *peers))
    assert slow is not None
    assert fast is not None
    assert (slow.named, slow.urgent) == (True, False)
    assert (fast.named, fast.urgent) == (True, True)
    assert fast.forecast_s == pytest.approx((1e9 - 460e6) / 20e6 * HOUR, rel=0.1)


def test_what_is_flat_or_falls_or_fills_up_after_the_start_is_no_leak() -> None:
    flat, falls = noisy(0), noisy(-5e6)
    fills: Amount = lambda hours: 300e6 + 200e6 * (1 - math.exp(-hours * 6))  # noqa: E731
    state = after(12, flat, falls, fills)
    assert not any(each.named for leaks in state.found.values() for each in leaks)


def jittered(amount: Amount, seed: int) -> Amount:
    rng = random.Random(seed)
    return lambda hours: amount(hours) + rng.gauss(0, 2e6)


def step_at(at: float) -> Amount:
    return lambda hours: 300e6 + 25e6 * (hours > at)


def test_a_step_is_no_leak() -> None:
    state = after(10, *[jittered(step_at(at), at) for at in range(2, 9)])
    assert not any(each.named for leaks in state.found.values() for each in leaks)


def test_what_rises_with_its_peers_follows_the_day() -> None:
    def day(hours: float) -> float:
        return 300e6 - 15e6 * math.cos(hours / 24 * 2 * math.pi)

    state = after(14, *[jittered(day, seed) for seed in range(5)])
    assert not any(each.named for leaks in state.found.values() for each in leaks)


def test_peers_that_all_leak_hide_none_of_them_for_longer_than_a_day_can_explain() -> None:
    state = after(9, *[noisy(20e6, seed=seed) for seed in range(5)])
    assert all(each.named for leaks in state.found.values() for each in leaks)


def test_a_lonely_worker_is_named_when_it_rises_faster_than_a_day_can() -> None:
    assert (found := leak(after(9, noisy(5e6)))) is not None
    assert not found.named
    assert (found := leak(after(9, noisy(15e6)))) is not None
    assert found.named


@pytest.mark.parametrize(("measure", "field"), [(Measure.FILES, "files"), (Measure.THREADS, "threads")])
def test_descriptors_and_threads_that_grow_are_named_and_a_few_more_are_not(
    measure: Measure, field: str
) -> None:
    rng = random.Random(1)
    grows: Amount = lambda hours: 40 + math.floor(4 * hours) + rng.randrange(3)  # noqa: E731
    steps: Amount = lambda hours: 40 + 3 * (hours > 4) + 2 * (hours > 6) + rng.randrange(3)  # noqa: E731
    state = after(9, grows, steps, measure=field)
    leaks, well = leak(state, "camera-0", measure), leak(state, "camera-1", measure)
    assert leaks is not None
    assert well is not None
    assert leaks.named
    assert not well.named


def test_a_new_instance_begins_anew_and_remembers_how_fast_the_one_before_leaked() -> None:
    state = after(9, noisy(20e6))
    slope = leak(state).slope_per_hour  # type: ignore[union-attr]
    state = watched(state, [], LIMITS, 9 * HOUR + 10)
    assert not state.histories
    for step in range(round(9 * HOUR / EVERY_S)):
        now = 10 * HOUR + step * EVERY_S
        newer = replace(
            worker("camera-0", uss=int(300e6 + 19e6 * step * EVERY_S / HOUR)), started_at=10 * HOUR
        )
        state = watched(state, [newer], LIMITS, now)
    found = leak(state)
    assert found is not None
    assert found.before == slope
    assert found.again


def test_an_instance_that_was_judged_and_did_not_leak_ends_the_memory_of_it() -> None:
    known = Leaks(before={("camera-0", Measure.MEMORY): 20e6, ("camera-1", Measure.MEMORY): 20e6})
    state = after(9, noisy(0), state=known)
    state = watched(state, [], LIMITS, 10 * HOUR)
    assert set(state.before) == {("camera-1", Measure.MEMORY)}


def test_a_machine_that_slept_leaves_bins_out_and_judges_on() -> None:
    state = Leaks()
    for step in range(round(12 * HOUR / EVERY_S)):
        now = step * EVERY_S + (5 * HOUR if step > 50 else 0)
        state = watched(state, [worker("camera-0", uss=int(300e6 + 20e6 * now / HOUR))], LIMITS, now)
    assert (found := leak(state)) is not None
    assert found.slope_per_hour == pytest.approx(20e6, rel=0.01)


def test_what_a_worker_does_not_have_is_not_judged() -> None:
    state = after(9, noisy(0))
    assert [each.measure for each in state.found["camera-0"]] == [Measure.MEMORY]


@given(
    moments=st.lists(st.floats(1, 30 * HOUR), max_size=120),
    amounts=st.lists(st.integers(0, 10**10), min_size=1, max_size=8),
    starts=st.lists(st.integers(0, 10), min_size=1, max_size=5),
)
def test_the_state_is_bounded_whatever_is_seen(
    moments: list[float], amounts: list[int], starts: list[int]
) -> None:
    state, now = Leaks(), 0.0
    for step, moment in enumerate(moments):
        now += moment
        amount, start = amounts[step % len(amounts)], starts[step % len(starts)]
        seen = Seen(name=f"camera-{start}", kind=Kind.CAMERA, started_at=now * (start % 2), uss=amount)
        state = watched(state, [seen], LIMITS, now)
        assert len(state.histories) == 1
        assert all(len(bins) <= BINS_MOST for each in state.histories.values() for bins in each.bins.values())
        assert len(state.before) <= NAMES_MOST


def test_no_more_than_a_day_is_kept() -> None:
    state = after(40, noisy(0))
    bins = state.histories["camera-0"].bins[Measure.MEMORY]
    assert len(bins) == BINS_MOST
    assert bins[-1].number - bins[0].number == BINS_MOST - 1


def test_bins_are_minima_and_begin_after_the_warm_up() -> None:
    spikes: Amount = lambda hours: 500e6 if round(hours * 12) % 4 else 300e6  # noqa: E731
    bins = after(5, spikes).histories["camera-0"].bins[Measure.MEMORY]
    assert bins[0].number * BIN_S == WARM_UP_S
    assert {each.least for each in bins} == {300e6}


series = st.lists(st.integers(-1000, 1000), min_size=3, max_size=30)


@given(values=series, add=st.integers(-(10**6), 10**6), rise=st.integers(-100, 100))
def test_a_constant_does_not_change_the_slope_and_a_rise_adds_itself(
    values: list[int], add: int, rise: int
) -> None:
    at, given_values = np.arange(len(values), dtype=float), np.array(values, dtype=float)
    before, after_it = theil_sen(at, given_values, 1.645), theil_sen(at, given_values + add, 1.645)
    assert (after_it.slope, after_it.lower) == (before.slope, before.lower)
    assert theil_sen(at, given_values + rise * at, 0).slope == pytest.approx(
        theil_sen(at, given_values, 0).slope + rise
    )


@given(values=series, z=st.floats(0, 4), more=st.floats(0, 4))
def test_the_bound_is_below_the_slope_and_lower_the_surer_it_is(
    values: list[int], z: float, more: float
) -> None:
    at, given_values = np.arange(len(values), dtype=float), np.array(values, dtype=float)
    sure, surer = theil_sen(at, given_values, z), theil_sen(at, given_values, z + more)
    assert surer.lower <= sure.lower <= sure.slope
    assert surer.slope == sure.slope


def test_slopes_and_bounds_are_those_of_the_textbook() -> None:
    # By hand: the slopes are -1, 0.5, 2, 2, 2 and 5.
    at, values = np.array([0.0, 1, 2, 3]), np.array([10.0, 12, 11, 16])
    assert theil_sen(at, values, 0).slope == pytest.approx(2.0)
    assert kendall(np.arange(10.0)) == pytest.approx((45 - 1) / math.sqrt(125))
    assert kendall(np.zeros(10)) == 0.0
