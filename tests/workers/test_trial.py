"""A detector that is to take over looks at pictures first: what it does there decides whether it may."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.errors import DetectorError
from vedette.infer.detector import Boxes
from vedette.workers.protocol import Channel, Filled, Tried, pair
from vedette.workers.slots import Slots
from vedette.workers.trial import Trial

HEIGHT, WIDTH = 96, 160
GOOD = (10.0, 20.0, 50.0, 80.0)

Found = Callable[[int], Any]


def boxes(*xyxy: tuple[float, ...], confidence: float = 0.9) -> Boxes:
    count = len(xyxy)
    return Boxes(
        np.array(xyxy, np.float32).reshape(-1, 4),
        np.full(count, confidence, np.float32),
        np.zeros(count, np.int32),
        ("thing",) * count,
    )


class Says:
    """Finds in the n-th picture what it is told to; the brightness of a picture is its number."""

    input_size = (HEIGHT, WIDTH)

    def __init__(self, found: Found) -> None:
        self._found = found

    def detect_boxes(self, images: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Any]:
        assert images.shape == (1, HEIGHT, WIDTH, 3)
        return [self._found(int(images[0, 0, 0, 0]))]


class Stage:
    """Three pictures, and somebody who hears the verdict."""

    def __init__(self) -> None:
        self.slots, fd = Slots.create(3, HEIGHT, WIDTH)
        os.close(fd)
        for slot in range(3):
            self.slots[slot][:] = slot
        self._ours, self._theirs = (Channel(end) for end in pair())

    def trial(self, found: Found) -> Trial:
        trial = Trial(Says(found), self.slots, self._theirs)
        trial.asked = {100 + slot: (slot, slot) for slot in range(3)}
        return trial

    def verdict(self, found: Found, filled: tuple[bool, ...] = (True, True, True)) -> Tried:
        trial = self.trial(found)
        for slot, there in enumerate(filled):
            assert self._ours.receive() is None, "it is told when all answers are there"
            trial.answered(Filled(100 + slot, there))
        heard = self._ours.receive()
        assert heard is not None
        assert isinstance(heard[0], Tried)
        return heard[0]

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def test_pictures_and_objects_are_counted(stage: Stage) -> None:
    assert stage.verdict(lambda number: boxes(*[GOOD] * number)) == Tried(3, 0 + 1 + 2)


def test_where_there_was_no_picture_nothing_was_looked_at(stage: Stage) -> None:
    assert stage.verdict(lambda number: boxes(GOOD), (False, True, False)) == Tried(1, 1)
    assert stage.verdict(lambda number: boxes(GOOD), (False, False, False)) == Tried(0, 0)


def test_when_nothing_was_asked_for_it_is_over_at_once(stage: Stage) -> None:
    trial = stage.trial(lambda number: boxes(GOOD))
    trial.asked.clear()
    trial.conclude_if_complete()
    assert stage._ours.receive() == (Tried(0, 0), [])


def test_whatever_is_raised_is_said_and_nothing_more_is_looked_at(stage: Stage) -> None:
    seen = []

    def raises(error: BaseException) -> Found:
        def found(number: int) -> Boxes:
            seen.append(number)
            if number == 1:
                raise error
            return boxes(GOOD)

        return found

    assert stage.verdict(raises(ValueError("too bright"))) == Tried(1, 1, "ValueError: too bright")
    assert stage.verdict(raises(DetectorError("mine: too bright"))).failed == "mine: too bright"
    assert seen == [0, 1, 0, 1]


def test_a_password_in_what_is_raised_is_not_repeated(stage: Stage) -> None:
    def raises(number: int) -> Boxes:
        raise OSError("cannot read rtsp://me:geheim@gate/x" + "." * 1000)

    said = stage.verdict(raises).failed
    assert "geheim" not in said
    assert len(said) <= 500


def test_a_sentence_in_place_of_boxes_is_what_failed(stage: Stage) -> None:
    assert stage.verdict(lambda number: "it has no output for that").failed == "it has no output for that"


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (boxes((math.nan, 20, 50, 80)), "numbers that are none"),
        (boxes((10, 20, math.inf, 80)), "numbers that are none"),
        (boxes(GOOD, confidence=math.nan), "numbers that are none"),
        (boxes(GOOD, confidence=1.5), "confidences of 1.5"),
        (boxes(GOOD, confidence=-0.1), "confidences of -0.1"),
        (boxes(GOOD, (5000, 20, 5040, 80)), "far outside"),
        (boxes((-1000, 20, 50, 80)), "far outside"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(found: Boxes, says: str, stage: Stage) -> None:
    assert says in stage.verdict(lambda number: found).failed


@given(
    found=st.lists(
        st.tuples(
            st.floats(-0.5 * WIDTH, 1.5 * WIDTH, width=32),
            st.floats(-0.5 * HEIGHT, 1.5 * HEIGHT, width=32),
            st.floats(-0.5 * WIDTH, 1.5 * WIDTH, width=32),
            st.floats(-0.5 * HEIGHT, 1.5 * HEIGHT, width=32),
        ),
        max_size=5,
    ),
    confidence=st.floats(0, 1, width=32),
)
def test_whatever_lies_in_and_around_the_picture_is_fine(
    found: list[tuple[float, ...]], confidence: float, stage: Stage
) -> None:
    said = stage.verdict(lambda number: boxes(*found, confidence=confidence))
    assert said == Tried(3, 3 * len(found))
