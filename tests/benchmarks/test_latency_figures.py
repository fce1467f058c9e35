"""The figures of the latency benchmark, on results that are made up."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.latency.figures import (
    ages,
    by_second,
    frames_needed,
    outside,
    recovered_after,
    served,
    slope_per_minute,
)
from benchmarks.latency.ladder import Steps
from benchmarks.latency.pace import Pace
from hypothesis import given
from hypothesis import strategies as st


def results(now, age=0.01, camera=0, index=0):
    """One row per moment; the others may be one for all."""
    now = np.asarray(now, float)
    columns = (now, np.broadcast_to(camera, now.shape), np.broadcast_to(index, now.shape), now - age)
    return np.stack(columns, axis=1).astype(float)


def test_ages_are_in_milliseconds_from_sending_to_the_user():
    row = ages(results(np.arange(100), age=np.arange(100) / 1000))
    assert (row["age_p50_ms"], row["age_max_ms"], row["results"]) == (49.5, 99.0, 100)


def test_no_results_have_no_age():
    assert np.isnan(ages(results([]))["age_p99_ms"])


def test_a_camera_without_results_is_the_least_served():
    row = served(results(np.arange(30), camera=np.arange(30) % 3), cameras=4, seconds=10)
    assert (row["least_served"], row["most_served"], row["share_least_pct"]) == (0, 10, -100.0)


def test_each_second_has_its_own_row_even_an_empty_one():
    rows = by_second(results([100.5, 100.9, 102.1]), 100.0, 103.0)
    assert [row["results"] for row in rows] == [2, 0, 1]


def test_what_comes_in_a_spell_or_right_after_it_does_not_count_as_outside():
    kept = outside(results([0.5, 2.0, 3.0, 3.05, 3.2, 9.0]), [(1.0, 3.0)], 0.0, 5.0, grace=0.1)
    assert kept[:, 0].tolist() == [0.5, 3.2]


def test_ages_are_usual_again_from_the_first_row_of_results_that_are():
    late = results(10 + np.arange(50) * 0.01, age=0.5)
    usual = results(10.5 + np.arange(50) * 0.01, age=0.01)
    both = np.concatenate([usual, late])
    assert recovered_after(both, 10.0, 20.0, usual_ms=20.0) == pytest.approx(0.49)
    assert recovered_after(late, 10.0, 20.0, usual_ms=20.0) is None
    assert recovered_after(results([]), 10.0, 20.0, usual_ms=20.0) is None


def test_a_group_of_pictures_is_needed_up_to_the_last_one_that_was_analysed():
    # 25 fps, groups of 50: frames 3 and 10 of the first, 50 of the second, and 7 when the clip comes again.
    sent = np.array([3, 10, 50, 257]) / 25
    rows = np.stack([sent + 0.01, np.zeros(4), np.array([3, 10, 50, 7]), sent], axis=1)
    found = {"fps": 25, "gop": 50, "clip_frames": 250, "begin": -1.0, "end": 20.0}
    assert frames_needed(rows, **found) == 11 + 1 + 8
    # Frames that were sent before the stretch began were decoded before it, too.
    assert frames_needed(rows, **found | {"begin": 5.5 / 25}) == 5 + 1 + 8


@given(st.lists(st.integers(0, 999), min_size=1, max_size=60, unique=True))
def test_never_more_frames_are_needed_than_were_sent_nor_fewer_than_were_analysed(numbers):
    numbers = np.sort(np.array(numbers))
    sent = numbers / 25
    rows = np.stack([sent + 0.01, np.zeros(len(sent)), numbers % 250, sent], axis=1)
    needed = frames_needed(rows, fps=25, gop=50, clip_frames=250, begin=-1.0, end=100.0)
    by_group = [int(numbers[numbers // 50 == group].max()) % 50 + 1 for group in np.unique(numbers // 50)]
    assert len(numbers) <= needed == sum(by_group) <= 1000


def test_a_slope_leaves_out_the_first_third_and_is_per_minute():
    at = [float(60 * minute) for minute in range(30)]
    assert slope_per_minute(at, [500.0 if t < 300 else 100 + t / 60 for t in at]) == pytest.approx(1.0)
    assert slope_per_minute(at[:3], [1.0, 2.0, 3.0]) is None


def test_slow_spells_go_by_the_clock_and_only_whole_ones_count():
    pace = Pace(ms=5, slow_ms=50, slow_for=2, every=20)
    assert [pace.seconds(at) for at in (39.9, 40.0, 41.9, 42.0)] == [0.005, 0.05, 0.05, 0.005]
    assert pace.spells(21.0, 81.9) == [(40.0, 42.0), (60.0, 62.0)]
    assert Pace(ms=5).spells(0.0, 100.0) == []
    assert Pace(ms=5).seconds(1.0) == 0.005


def stepped(at, was, step, *cameras):
    return {"type": "Stepped", "at": at, "cameras": list(cameras), "was": was, "step": step, "why": "so"}


def test_the_ladder_is_back_when_the_last_camera_is():
    steps = Steps(
        [
            stepped(12.0, "full", "fewer", "a", "b"),
            stepped(14.0, "fewer", "reference", "b"),
            {"type": "SessionEnded", "at": 15.0},
            stepped(33.0, "fewer", "full", "a"),
            stepped(39.0, "reference", "full", "b"),
        ]
    )
    assert steps.first_down(10.0, 30.0) == 2.0
    assert steps.back_to_full(30.0, 60.0) == 9.0
    assert steps.back_to_full(30.0, 35.0) is None
    assert steps.at(20.0) == {"a": "fewer", "b": "reference"}
    assert steps.per_minute(10.0, 70.0) == {"down": 2.0, "up": 1.0}
    assert [move["at_s"] for move in steps.told(10.0)] == [2.0, 4.0, 23.0, 29.0]


def test_a_ladder_that_never_moved_was_never_away():
    assert Steps([]).back_to_full(0.0, 10.0) == 0.0
    assert Steps([]).first_down(0.0, 10.0) is None
