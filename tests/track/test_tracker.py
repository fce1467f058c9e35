"""The adapter's own part: ids, order and memory, at the edge to the library."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from vedette.track.tracker import REMEMBERED, _LibraryTracker


class Reversing:
    """Stands where the library is: gives the boxes back in reverse, with the ids it is told to."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.times: list[float] = []

    def update(self, detections: Any, timestamp: float) -> Any:
        self.times.append(timestamp)
        backwards = detections[np.arange(len(detections))[::-1]]
        backwards.tracker_id = np.array(self.ids[::-1], int)
        return backwards


class Told:
    def __init__(self) -> None:
        self.library, self.drawn = Reversing(), count(100)
        self.adapter = _LibraryTracker(self.library, lambda: next(self.drawn))

    def see(self, *theirs: int, captured: float = 1.0) -> list[int]:
        """What becomes of the library's ids."""
        self.library.ids = list(theirs)
        boxes = np.zeros((len(theirs), 4), np.float32)
        return self.adapter.update(
            boxes, np.ones(len(theirs), np.float32), np.zeros(len(theirs), np.int32), captured
        ).tolist()


def test_ids_are_ours_and_stay_with_their_boxes_whatever_the_library_does_to_the_order() -> None:
    told = Told()
    assert told.see(7, 8, 9) == [102, 101, 100]
    assert told.see(8, 9, 7) == [101, 100, 102]


def test_what_is_not_confirmed_has_no_id_and_uses_none_up() -> None:
    told = Told()
    assert told.see(-1, 0, -1) == [-1, 100, -1]
    assert told.see(-1, 0, 1) == [-1, 100, 101]


def test_memory_is_bounded_and_whoever_is_still_there_keeps_its_id() -> None:
    told = Told()
    [parked] = told.see(0)
    for passing in range(1, 3 * REMEMBERED):
        assert told.see(0, passing)[0] == parked
    assert len(told.adapter._ids) <= REMEMBERED + 1


def test_the_library_sees_time_that_grows_by_small_steps() -> None:
    told = Told()
    for captured in (1000.0, 1000.0, 999.0, 1000.04, 1002.04, 1009.0):
        told.see(0, captured=captured)
    steps = np.diff(told.library.times)
    assert (steps > 0).all()
    assert (steps <= 0.25).all()
    told.see(0, captured=1100.0)
    assert told.library.times[-1] - told.library.times[-2] == 91.0
