"""A detector's smaller sizes: made when they are wanted, beside the one that runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.errors import DetectorError
from vedette.infer.load import DetectorSpec, load_detector
from vedette.infer.sizes import Sizes

FULL, HALF, QUARTER = (96, 160), (48, 80), (24, 40)


class Shrinks:
    """A detector that is made in ``made`` sizes; ``gate`` holds the making up, ``fails`` breaks it."""

    names, describe, post_s = (), "shrinks", 0.0

    def __init__(self, size: tuple[int, int] = FULL, fails: Exception | None = None) -> None:
        self.input_size, self.fails = size, fails
        self.smaller = tuple(each for each in (HALF, QUARTER) if each < size)
        self.made: list[tuple[int, int]] = []
        self.warm = False
        self.gate = threading.Event()
        self.gate.set()

    def resized(self, size: tuple[int, int]) -> Shrinks:
        self.gate.wait(PATIENCE_S)
        self.made.append(size)
        if self.fails is not None:
            raise self.fails
        return Shrinks(size)

    def warm_up(self) -> None:
        self.warm = True

    def detect_boxes(self, images: Any) -> list[Any]:
        return []

    def detect(self, images: Any) -> list[Any]:
        return []


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def sizes_of(detector: Any) -> tuple[Sizes, list[str]]:
    told: list[str] = []
    return Sizes(detector, told.append), told


def test_a_smaller_size_is_used_as_soon_as_it_is_there() -> None:
    detector = Shrinks()
    detector.gate.clear()
    sizes, told = sizes_of(detector)
    for _ in range(50):
        assert sizes.follow(1) == 0, "until then the one that is there"
    assert sizes[0] is detector
    detector.gate.set()
    until(lambda: sizes.follow(1) == 1)
    assert sizes[1].input_size == HALF
    assert sizes[1].warm, "its first picture waits for nothing"
    assert detector.made == [HALF], "asked fifty times, made once"
    assert told == []


def test_back_and_forth_nothing_is_made_twice() -> None:
    detector = Shrinks()
    sizes, _ = sizes_of(detector)
    for wanted in (1, 2, 1, 0, 2, 0):
        until(lambda wanted=wanted: sizes.follow(wanted) == wanted)  # type: ignore[misc]
    assert detector.made == [HALF, QUARTER]
    assert sizes[0] is detector


def test_what_is_wanted_meanwhile_is_made_next() -> None:
    detector = Shrinks()
    detector.gate.clear()
    sizes, _ = sizes_of(detector)
    sizes.follow(1)
    sizes.follow(2)
    detector.gate.set()
    until(lambda: sizes.follow(2) == 2)
    assert detector.made == [HALF, QUARTER]


@pytest.mark.parametrize(
    "error",
    [DetectorError("rtsp://me:hunter2@host/ does not fit"), RuntimeError("out of memory"), MemoryError()],
)
def test_a_size_that_cannot_be_made_is_told_once_and_not_tried_again(error: Exception) -> None:
    detector = Shrinks(fails=error)
    sizes, told = sizes_of(detector)
    until(lambda: (sizes.follow(1), bool(told))[1])
    for _ in range(100):
        assert sizes.follow(1) == 0
        time.sleep(0.001)
    assert detector.made == [HALF]
    [message] = told
    assert "cannot be made smaller" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("wanted", [-1, 3, 2**40])
def test_a_size_that_there_is_not_changes_nothing(wanted: int) -> None:
    detector = Shrinks()
    sizes, told = sizes_of(detector)
    assert sizes.follow(wanted) == 0
    assert (detector.made, told) == ([], [])


def test_a_fixed_detector_stays_as_it_is() -> None:
    spec = DetectorSpec(python="vedette.testing:FakeDetector", options={"input_size": [96, 160]})
    sizes, told = sizes_of(load_detector(spec))
    assert sizes.follow(1) == 0
    assert told == []


def test_the_shipped_double_can_be_made_smaller() -> None:
    options = {"input_size": FULL, "smaller": [HALF], "boxes": [[10.0, 20.0, 50.0, 80.0]]}
    spec = DetectorSpec(python="vedette.testing:FakeDetector", options=options)
    sizes, _ = sizes_of(load_detector(spec))
    until(lambda: sizes.follow(1) == 1)
    [found] = sizes[1].detect_boxes(np.zeros((1, *HALF, 3), np.uint8))
    assert found.xyxy.tolist() == [[5.0, 10.0, 25.0, 40.0]]
