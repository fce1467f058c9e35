"""After how long a silence a camera counts as stalled, by its own pattern. Simulated time."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.streams.arriving import arrivals
from benchmarks.streams.stalls import detect, false_stalls
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.health.arrivals import CEILING_S, UNKNOWN_S, Arrivals


def steady(fps: float, seconds: float = 60.0) -> tuple[Arrivals, float]:
    pattern, at = Arrivals(), 0.0
    for number in range(int(fps * seconds)):
        at = number / fps
        pattern.note(at)
        pattern.threshold()
    return pattern, at


def go_on(pattern: Arrivals, start: float, fps: float, seconds: float) -> float:
    for number in range(1, int(fps * seconds) + 1):
        pattern.note(start + number / fps)
        pattern.threshold()
    return start + int(fps * seconds) / fps


@pytest.mark.parametrize(("fps", "threshold"), [(30, 1.0), (25, 1.0), (2, 1.5), (1, 3.0), (0.2, 15.0)])
def test_the_threshold_follows_the_rate_of_the_camera(fps: float, threshold: float) -> None:
    pattern, _ = steady(fps, 300.0)
    assert pattern.threshold(1.0) == pytest.approx(threshold, rel=0.05)
    assert pattern.interval == pytest.approx(1 / fps)


def test_the_least_threshold_can_be_set() -> None:
    assert steady(25)[0].threshold(4.0) == 4.0


def test_nobody_waits_longer_than_the_ceiling() -> None:
    assert steady(0.02, 2000)[0].threshold() == CEILING_S


def test_is_patient_until_the_pattern_is_known() -> None:
    pattern = Arrivals()
    assert pattern.threshold() == UNKNOWN_S
    pattern.note(0.0)
    pattern.note(0.04)
    assert pattern.threshold() == UNKNOWN_S
    go_on(pattern, 0.04, 25, 4)
    assert pattern.threshold() == 1.0


def test_segments_are_learnt_while_the_pattern_is_unknown() -> None:
    pattern = Arrivals()
    for segment in range(10):
        for number in range(150):
            pattern.note(segment * 6.0 + number * 1e-4)
    assert pattern.threshold() > 6.0


@pytest.mark.parametrize("fps", [25, 5, 1])
def test_stalls_do_not_teach_that_long_pauses_are_normal(fps: float) -> None:
    pattern, at = steady(fps)
    before = pattern.threshold()
    for pause in (before + 0.5, 4.0, 8.0, 60.0):
        at = go_on(pattern, at + pause, fps, 8)
        # Of a camera with a frame a second they count for as much as the threshold, each.
        assert pattern.threshold() <= before * 1.4
    go_on(pattern, at, fps, 30)
    assert pattern.threshold() <= before + 0.5


def test_a_hold_up_is_learnt_from_the_frames_that_come_all_at_once_after_it() -> None:
    pattern, at = steady(25)
    for number in range(50):
        pattern.note(at + 2.0 + number * 1e-4)
    go_on(pattern, at + 2.0, 25, 2)
    assert pattern.threshold() > 2.5


def test_what_was_learnt_is_forgotten_in_time() -> None:
    pattern, at = steady(25)
    for number in range(50):
        pattern.note(at + 2.0 + number * 1e-4)
    go_on(pattern, at + 2.0, 25, 3000)
    assert pattern.threshold() == 1.0


def test_a_pause_that_was_our_own_teaches_nothing() -> None:
    pattern, at = steady(25)
    pattern.forgive()
    for number in range(75):
        pattern.note(at + 3.0 + number * 1e-4)
    go_on(pattern, at + 3.0, 25, 30)
    assert pattern.threshold() < 1.2


def test_a_camera_keeps_its_pattern_over_a_reconnect() -> None:
    pattern, at = steady(25)
    pattern.restart()
    at = go_on(pattern, at + 3600, 25, 20)
    assert pattern.threshold() == 1.0
    assert pattern.baseline == pytest.approx(25, rel=0.05)


def test_a_camera_that_became_much_slower_is_not_hung_up_on_for_ever() -> None:
    pattern, at = steady(25)
    pattern.restart()
    pattern.note(at + 10.0)  # one frame, then silence until we hung up
    pattern.restart()
    pattern.note(at + 20.0)
    assert pattern.threshold() == UNKNOWN_S
    for number in range(1, 8):
        pattern.note(at + 20.0 + 4.0 * number)
        pattern.threshold()
    assert pattern.threshold() >= 6.0


def test_a_declining_rate_shows_against_what_is_usual() -> None:
    pattern, at = steady(25, 300)
    assert pattern.ratio(at) == pytest.approx(1.0, abs=0.05)
    at = go_on(pattern, at, 8, 15)
    assert pattern.rate(at) == pytest.approx(8, rel=0.15)
    assert pattern.ratio(at) < 0.5
    at = go_on(pattern, at, 25, 15)
    assert pattern.ratio(at) > 0.9


def test_one_that_stays_slower_is_a_slower_camera() -> None:
    pattern, at = steady(25, 300)
    at = go_on(pattern, at, 5, 2400)
    assert pattern.ratio(at) > 0.8


def test_of_a_camera_with_a_frame_now_and_then_no_rate_is_called_low() -> None:
    pattern, at = steady(0.3, 600)
    assert pattern.ratio(at + 8) == 1.0


@pytest.mark.parametrize("pattern", ["jitter", "bursts", "gops"])
@pytest.mark.parametrize("fps", [25.0, 10.0, 5.0, 1.0])
def test_a_camera_that_never_stalls_is_never_told_to_stall(pattern: str, fps: float) -> None:
    came = arrivals(pattern, fps, 6 * 3600.0, np.random.default_rng(7))
    assert false_stalls(came, Arrivals()) == []


@pytest.mark.parametrize("fps", [25.0, 1.0])
def test_heavy_hold_ups_are_learnt_after_the_first(fps: float) -> None:
    came = arrivals("heavy", fps, 6 * 3600.0, np.random.default_rng(3))
    assert len(false_stalls(came, Arrivals())) <= 2


@pytest.mark.parametrize(("fps", "within"), [(25.0, 1.5), (1.0, 4.0)])
def test_stalls_are_told_in_time(fps: float, within: float) -> None:
    assert detect("jitter", fps, 60, seed=2)["told_p99_s"] <= within


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["frame", "restart", "forgive"]), st.floats(-0.5, 100)), max_size=300
    ),
    least=st.floats(0.2, 10),
)
def test_the_threshold_stays_in_its_bounds_whatever_arrives(
    steps: list[tuple[str, float]], least: float
) -> None:
    pattern, now = Arrivals(), 0.0
    for what, seconds in steps:
        now += seconds
        if what == "frame":
            pattern.note(now)
        elif what == "restart":
            pattern.restart()
        else:
            pattern.forgive()
        assert least <= pattern.threshold(least) <= max(least, CEILING_S)
        assert pattern.rate(now) >= 0.0
        assert pattern.ratio(now) >= 0.0
