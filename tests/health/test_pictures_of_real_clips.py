"""The clip of a real driveway, with and without faults, through a real encoder: what is told, and when."""

from __future__ import annotations

import itertools
from functools import cache

import av
import numpy as np
import pytest
from benchmarks.streams.clips import (
    FAULTS,
    LIGHTS,
    decoded,
    encoded,
    judged,
    looked_at,
    luma,
    with_fault,
    with_luma,
)

from vedette.causes import Cause
from vedette.sim.clip import bundled_clip

FPS, KEYFRAME_EVERY = 2.0, 4
START_S, LENGTH_S = 40.0, 180.0

TOLD_WITHIN_S = {
    Cause.FROZEN: 25.0,
    Cause.DARK: 6.0,
    Cause.WASHED_OUT: 6.0,
    Cause.COVERED: 12.0,
    Cause.BLURRED: 15.0,
    Cause.MOVED: 65.0,
}


@cache
def clip() -> list[av.VideoFrame]:
    """A minute forth and a minute back, without a jump; smaller, to be quick."""
    there = [frame.reformat(400, 300, "yuv420p") for frame in decoded(bundled_clip(), FPS)]
    return there + there[::-1]


def course(seconds: float = LENGTH_S) -> list[av.VideoFrame]:
    return list(itertools.islice(itertools.cycle(clip()), int(seconds * FPS)))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_name_and_taken_back(name: str) -> None:
    cause, fault = FAULTS[name]
    lasting = TOLD_WITHIN_S[cause] + 8
    frames = with_fault(course(START_S + lasting + 12), FPS, fault, START_S, START_S + lasting)
    told = judged(looked_at(encoded(frames, FPS, KEYFRAME_EVERY, qp="28"), FPS))
    began, ended = told.began(cause), told.ended(cause)
    assert told.causes == {cause}
    assert began is not None
    assert START_S < began <= START_S + TOLD_WITHIN_S[cause]
    assert ended is not None
    assert began < ended <= START_S + lasting + 10
    if cause is not Cause.MOVED:
        assert ended > START_S + lasting


def test_a_view_that_is_shifted_is_told_within_half_a_minute() -> None:
    fault = FAULTS["shifted 25% right"][1]
    frames = with_fault(course(70), FPS, fault, START_S, 70)
    told = judged(looked_at(encoded(frames, FPS, KEYFRAME_EVERY, qp="28"), FPS))
    began = told.began(Cause.MOVED)
    assert began is not None
    assert began <= START_S + 25


@pytest.mark.parametrize("name", LIGHTS)
def test_another_light_is_no_fault(name: str) -> None:
    frames = (
        with_luma(frame, np.ascontiguousarray(LIGHTS[name](luma(frame))), colourless=name == "infrared")
        if START_S <= at / FPS < 90
        else frame
        for at, frame in enumerate(course(110))
    )
    assert judged(looked_at(encoded(frames, FPS, KEYFRAME_EVERY, qp="28"), FPS)).changes == []


@pytest.mark.parametrize("crf", ["23", "32", "40"])
def test_a_quiet_driveway_is_not_frozen_however_little_is_left_of_its_noise(crf: str) -> None:
    frames = encoded(course(150), FPS, 20, crf=crf)
    assert judged(looked_at(frames, FPS)).changes == []


def test_nothing_is_told_of_the_whole_clip_played_twice() -> None:
    with_all = list(decoded(bundled_clip()))
    assert judged(looked_at(with_all * 2, 30.0)).changes == []
    keyframes = [frame for frame in with_all if frame.key_frame]
    assert len(keyframes) > 50
    assert judged(looked_at(keyframes * 2, 1.0)).changes == []
    assert judged(looked_at(keyframes[::4] * 4, 1.0), every=4.0).changes == []


@pytest.mark.parametrize(("sigma", "crf"), [(0.3, "23"), (0.3, "40"), (1.0, "30"), (1.5, "40")])
def test_a_scene_in_which_only_the_sensor_lives_is_not_frozen(sigma: float, crf: str) -> None:
    rng = np.random.default_rng(1)
    still = clip()[60]
    night = 16 + (luma(still) - 16.0) * 0.3
    frames = (
        with_luma(still, np.clip(night + rng.normal(0, sigma, night.shape) + 0.5, 0, 255).astype(np.uint8))
        for _ in range(int(100 * FPS))
    )
    assert judged(looked_at(encoded(frames, FPS, 20, crf=crf), FPS)).changes == []


def test_a_frozen_picture_with_a_clock_that_goes_on_is_found() -> None:
    still = luma(clip()[60])

    def frames() -> itertools.chain[av.VideoFrame]:
        return itertools.chain(course(START_S), (ticking(at) for at in range(int(60 * FPS))))

    def ticking(at: int) -> av.VideoFrame:
        y = still.copy()
        y[8:24, 200:216] = 30 + 20 * (int(at / FPS) % 10)
        return with_luma(clip()[60], y)

    told = judged(looked_at(encoded(frames(), FPS, KEYFRAME_EVERY, qp="28"), FPS))
    assert told.causes == {Cause.FROZEN}
