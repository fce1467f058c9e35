"""Boxes of two detectors in one frame: which both have, and whose the others are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.shadow.compare import Seen, Told, compare

LEFT, RIGHT = (0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 60.0, 10.0)


def seen(*boxes: tuple[tuple[float, ...], str]) -> Seen:
    xyxy = np.array([box for box, _ in boxes], np.float32).reshape(-1, 4)
    return Seen(xyxy, [name for _, name in boxes])


def test_what_only_one_has_is_counted_on_its_side() -> None:
    both, more = seen((LEFT, "car")), seen((LEFT, "car"), (RIGHT, "car"))
    assert compare(more, both) == Told(both=1, only_running=1, only_candidate=0)
    assert compare(both, more) == Told(both=1, only_running=0, only_candidate=1)


def test_the_same_place_in_another_class_is_a_difference_of_both() -> None:
    told = compare(seen((LEFT, "car")), seen((LEFT, "truck")))
    assert told == Told(both=0, only_running=1, only_candidate=1)
    assert told.differing == 2


def test_half_of_what_both_cover_is_the_same_place() -> None:
    near, far = (0.0, 0.0, 10.0, 5.0), (0.0, 0.0, 10.0, 4.9)
    assert compare(seen((LEFT, "car")), seen((near, "car"))).both == 1
    assert compare(seen((LEFT, "car")), seen((far, "car"))).both == 0


def test_one_box_is_the_same_as_one_other_at_most() -> None:
    assert compare(seen((LEFT, "car"), (LEFT, "car")), seen((LEFT, "car"))) == Told(1, 1, 0)


def test_nothing_and_nothing_agree_on_nothing() -> None:
    assert compare(seen(), seen()) == Told(0, 0, 0)


corner = st.integers(0, 40)
side = st.integers(1, 30)
box = st.builds(
    lambda x, y, w, h, name: ((float(x), float(y), float(x + w), float(y + h)), name),
    corner,
    corner,
    side,
    side,
    st.sampled_from(["car", "person"]),
)
boxes = st.lists(box, max_size=8)


@given(boxes, boxes)
def test_each_box_is_counted_once_on_its_own_side(running: list, candidate: list) -> None:
    told = compare(seen(*running), seen(*candidate))
    assert told.both + told.only_running == len(running)
    assert told.both + told.only_candidate == len(candidate)


@given(boxes, boxes)
def test_whoever_changes_sides_changes_the_sides(running: list, candidate: list) -> None:
    one, other = compare(seen(*running), seen(*candidate)), compare(seen(*candidate), seen(*running))
    assert (one.both, one.only_running) == (other.both, other.only_candidate)


@given(boxes)
def test_whoever_is_compared_with_itself_agrees(found: list) -> None:
    assert compare(seen(*found), seen(*found)) == Told(len(found), 0, 0)
