"""What ten seconds become."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vedette.quality.drift.light import UNKNOWN
from vedette.quality.drift.measured import Measure
from vedette.quality.drift.scores import Mix
from vedette.quality.drift.windows import HELD_MOST, Observer, Picture, Window

DAYLIGHT = Picture(luma=120.0, contrast=40.0, sharpness=0.5, likeness=0.8, infrared=False)


def fed(observer: Observer, scores: list[float], frames: int = 10, fps: float = 1.0) -> None:
    """Frames with boxes of these scores, all of class 0 and 4% of the picture."""
    for frame in range(frames):
        observer.frame(
            100 + frame / fps,
            np.array(scores, np.float32),
            np.zeros(len(scores), np.int32),
            np.full(len(scores), 0.04, np.float32),
        )


def closed(observer: Observer, mix: Mix | None = None) -> Window:
    window = observer.close(10, mix)
    assert window is not None
    return window


def test_measures_are_what_they_are_called() -> None:
    observer = Observer()
    observer.look(100, DAYLIGHT)
    fed(observer, [0.1, 0.19, 0.2, 0.4, 0.6, 0.8])
    values = closed(observer, Mix(np.array([0], np.int32), np.array([0.75], np.float32))).values
    assert values[Measure.WEAK] == 0.5
    assert values[Measure.CONFIDENCE] == pytest.approx(0.7)
    assert values[Measure.UNUSUAL] == pytest.approx(0.25)
    assert values[Measure.COUNT] == pytest.approx(2 / 6)
    assert values[Measure.SIZE] == pytest.approx(0.2)
    assert values[Measure.LUMA] == pytest.approx(120 / 255)
    assert values[Measure.EDGES] == pytest.approx(0.9)
    assert values[Measure.SHARPNESS] == pytest.approx(1 / 3)
    assert values[Measure.CONTRAST] == pytest.approx(40 / 161)


def test_of_each_second_one_frame_enters_the_window_and_all_are_counted() -> None:
    observer = Observer()
    observer.look(100, DAYLIGHT)
    fed(observer, [0.2, 0.3, 0.6, 0.8, 0.9], frames=250, fps=25.0)
    window = closed(observer)
    assert window.counts[Measure.WEAK] == 50
    assert observer.scores.boxes == 1250


def test_an_empty_scene_has_no_shares_and_a_count_of_nothing() -> None:
    observer = Observer()
    observer.look(100, DAYLIGHT)
    fed(observer, [])
    values = closed(observer).values
    assert math.isnan(values[Measure.WEAK])
    assert math.isnan(values[Measure.CONFIDENCE])
    assert values[Measure.COUNT] == 0.0


def test_says_nothing_of_a_few_frames_or_without_a_look() -> None:
    observer = Observer()
    fed(observer, [0.9] * 5)
    assert observer.close(10) is None
    assert observer.light == UNKNOWN
    assert (observer.unlit, observer.scores.boxes) == (50, 0)
    observer.look(110, DAYLIGHT)
    fed(observer, [0.9] * 5, frames=2)
    assert observer.close(11) is None


def test_a_camera_without_looks_stays_in_the_light_it_was_in() -> None:
    observer = Observer()
    observer.look(100, DAYLIGHT)
    fed(observer, [0.9] * 5)
    light = closed(observer).light
    fed(observer, [0.9] * 5)
    window = closed(observer)
    assert window.light == light
    assert math.isnan(window.values[Measure.SHARPNESS])


def test_a_frame_with_more_boxes_than_are_held_is_counted_whole() -> None:
    observer = Observer()
    observer.look(100, DAYLIGHT)
    fed(observer, [0.3] * (HELD_MOST + 1), frames=3)
    assert closed(observer).counts[Measure.WEAK] == 3 * (HELD_MOST + 1)
    assert observer.scores.boxes == 3 * (HELD_MOST + 1)


def test_memory_of_the_boxes_may_be_used_again() -> None:
    observer, scores = Observer(), np.full(6, 0.9, np.float32)
    observer.look(100, DAYLIGHT)
    for second in range(5):
        observer.frame(100 + second, scores, np.zeros(6, np.int32), np.full(6, 0.1, np.float32))
    scores[:] = 0.1
    assert closed(observer).values[Measure.WEAK] == 0.0


def test_nothing_of_a_window_is_left_in_the_next() -> None:
    observer = Observer()
    observer.look(100, DAYLIGHT)
    fed(observer, [0.9] * 5)
    closed(observer)
    fed(observer, [0.3] * 5)
    assert closed(observer).values[Measure.WEAK] == 1.0


def test_the_hour_is_that_of_the_place() -> None:
    observer = Observer(utc_offset_s=3600.0)
    observer.look(100, DAYLIGHT)
    fed(observer, [0.9] * 5)
    assert closed(observer).hour == 1
