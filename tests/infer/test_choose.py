from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.infer.choose import (
    OWED_AT_MOST,
    PATIENCE,
    SHORTEST_INTERVAL_S,
    Waiting,
    charge,
    choose,
    forgive,
    next_due,
)


def waiting(captured: list[float], **changes: object) -> Waiting:
    n = len(captured)
    given: dict[str, object] = {
        "captured": np.array(captured, float),
        "not_before": np.zeros(n),
        "max_age": np.ones(n),
        "interval": np.full(n, 0.04),
        "weight": np.ones(n),
        "served": np.zeros(n),
        "fresh": np.ones(n, bool),
    }
    given.update({key: np.asarray(value) for key, value in changes.items()})
    return Waiting(**given)  # type: ignore[arg-type]


def test_takes_the_freshest_frame_when_nobody_is_owed_anything() -> None:
    assert choose(waiting([9.90, 9.99, 9.95]), 1, now=10.0) == [1]


def test_takes_several_in_order() -> None:
    assert choose(waiting([9.90, 9.99, 9.95]), 2, now=10.0) == [1, 2]
    assert choose(waiting([9.90, 9.99]), 8, now=10.0) == [1, 0]


def test_nothing_waits_nothing_is_chosen() -> None:
    assert choose(waiting([9.9, 9.9], fresh=[False, False]), 1, now=10.0) == []
    assert choose(waiting([]), 1, now=10.0) == []


def test_leaves_frames_that_are_too_old() -> None:
    assert choose(waiting([8.9, 9.5], max_age=[1.0, 0.4]), 2, now=10.0) == []


def test_a_source_that_waits_is_never_too_old() -> None:
    assert choose(waiting([1.0], max_age=[np.inf]), 1, now=10.0) == [0]


def test_keeps_to_the_rate_limit_and_says_when_it_ends() -> None:
    held = waiting([9.99, 9.9], not_before=[10.5, 9.0])
    assert choose(held, 2, now=10.0) == [1]
    assert next_due(held, now=10.0) == 10.5
    assert next_due(waiting([9.9]), now=10.0) is None


def test_a_camera_that_is_owed_more_goes_before_a_fresher_one() -> None:
    assert choose(waiting([9.995, 9.980], served=[4.0, 0.0]), 1, now=10.0) == [1]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.5), st.floats(0, 50), st.booleans(), st.floats(0.02, 1.0), st.floats(0.1, 10)
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 8),
)
def test_a_fresher_frame_is_passed_over_only_for_a_camera_that_is_owed_more(
    cameras: list[tuple[float, float, bool, float, float]], k: int
) -> None:
    ages, served, fresh, intervals, weights = map(np.array, zip(*cameras, strict=True))
    now = 100.0
    table = waiting(list(now - ages), served=served, fresh=fresh, interval=intervals, weight=weights)
    chosen = choose(table, k, now)
    assert len(chosen) == min(k, int(fresh.sum()))
    assert all(fresh[index] for index in chosen)
    if not chosen:
        return
    mean = served[fresh].mean()
    claim = (
        PATIENCE
        * np.maximum(intervals, SHORTEST_INTERVAL_S)
        * np.clip((mean - served) * weights, -OWED_AT_MOST, OWED_AT_MOST)
    )
    passed_over = [index for index in np.flatnonzero(fresh) if index not in chosen]
    for taken in chosen:
        for other in passed_over:
            if ages[other] < ages[taken] - 1e-9:
                assert claim[taken] > claim[other] - 1e-9


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.data())
def test_nobody_can_save_up_turns(served: list[float], data: st.DataObject) -> None:
    table = waiting([9.9] * len(served), served=served)
    index = data.draw(st.integers(0, len(served) - 1))
    floor = table.served.mean() - OWED_AT_MOST
    charge(table, [index])
    assert table.served[index] >= floor + 1.0 - 1e-6


@dataclass
class Fleet:
    """Cameras and one detector in simulated time."""

    fps: list[float]
    weights: list[float]
    seed: int
    batch_s: float = 0.005
    counts: list[dict[int, int]] = field(default_factory=list)

    def run(self, seconds: float) -> np.ndarray:
        """Analysed frames per camera and second, [seconds, cameras]; the first second is left out."""
        rng = np.random.default_rng(self.seed)
        n = len(self.fps)
        fps, weights = np.array(self.fps), np.array(self.weights)
        phase, served, last = rng.random(n) / fps, np.zeros(n), np.full(n, -1)
        counts = np.zeros((int(seconds) + 2, n), int)
        now = 1.0
        while now < seconds + 1:
            newest = np.floor((now - phase) * fps)
            table = waiting(
                list(phase + newest / fps),
                interval=1 / fps,
                weight=weights,
                served=served,
                fresh=newest > last,
            )
            chosen = choose(table, 1, now)
            charge(table, chosen)
            for index in chosen:
                last[index] = newest[index]
                counts[int(now), index] += 1
            now += self.batch_s if chosen else 0.0005
        return counts[2:-1]


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 40), st.integers(0, 1000))
def test_shares_are_equal_over_any_second_under_overload(cameras: int, seed: int) -> None:
    counts = Fleet([25.0] * cameras, [1.0] * cameras, seed, batch_s=0.02).run(6)
    fair = 50 / cameras
    assert counts.max() <= min(25, fair) + 4
    assert counts.min() >= min(25, fair) - 4


@settings(max_examples=8, deadline=None)
@given(st.integers(4, 30), st.integers(0, 1000))
def test_long_shares_are_within_five_percent(cameras: int, seed: int) -> None:
    totals = Fleet([25.0] * cameras, [1.0] * cameras, seed, batch_s=0.02).run(60).sum(axis=0)
    assert totals.max() - totals.min() <= max(2, 0.05 * totals.mean())


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 10), st.integers(0, 1000))
def test_priorities_are_honoured(cameras: int, seed: int) -> None:
    weights = [2.0] * cameras + [1.0] * cameras
    totals = Fleet([25.0] * 2 * cameras, weights, seed, batch_s=0.04).run(30).sum(axis=0)
    ratio = totals[:cameras].mean() / totals[cameras:].mean()
    assert 1.8 < ratio < 2.2


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([1.0, 5.0, 12.5, 25.0, 60.0]), min_size=2, max_size=30), st.integers(0, 1000))
def test_no_camera_starves_whatever_the_mix_of_rates(fps: list[float], seed: int) -> None:
    counts = Fleet(fps, [1.0] * len(fps), seed, batch_s=0.02).run(8)
    fair = 50 / len(fps)
    for camera, rate in enumerate(fps):
        assert counts[:, camera].sum() >= 0.8 * min(rate, fair) * len(counts) - 3


def turns_of(table: Waiting, turns: int) -> list[int]:
    """How many of the next turns each camera gets when all always have a frame of the same age."""
    counts = [0] * len(table.captured)
    for _ in range(turns):
        for index in choose(table, 1, 10.0):
            charge(table, [index])
            counts[index] += 1
    return counts


def test_a_camera_that_comes_back_is_owed_nothing() -> None:
    table = waiting([9.99, 9.99, 9.99], served=np.array([1000.0, 1001.0, 0.0]))
    forgive(table, 2)
    assert max(turns_of(table, 30)) <= 12


def test_a_camera_that_stood_still_does_not_take_everything_for_long() -> None:
    table = waiting([9.99, 9.99, 9.99], served=np.array([1000.0, 1000.0, 0.0]))
    counts = turns_of(table, 90)
    assert min(counts) >= 90 / 3 - OWED_AT_MOST


def test_a_camera_whose_frames_always_come_last_is_served_all_the_same() -> None:
    counts = turns_of(waiting([9.999, 9.961, 9.998]), 300)
    assert max(counts) - min(counts) <= 2 * OWED_AT_MOST
