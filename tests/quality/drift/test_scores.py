"""Counts of boxes: exact, additive, bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.drift.scores import CELLS_MOST, REST, Scores, UnreadableScores

Boxes = list[tuple[float, int, float]]
box = st.tuples(st.floats(0.0625, 1, width=32), st.integers(0, 100), st.floats(2**-12, 1, width=32))
boxes = st.lists(box, max_size=40)


def counted(scores: Scores, light: int, found: Boxes) -> Scores:
    """As one frame."""
    confidence, class_id, area = (np.array([box[i] for box in found]) for i in range(3))
    scores.add(
        light, 12, confidence.astype(np.float32), class_id.astype(np.int32), area.astype(np.float32),
        np.array([len(found)]),
    )  # fmt: skip
    return scores


def same(one: Scores, other: Scores) -> bool:
    cells = {key: one.scores[row].tolist() for key, row in one.keys.items()}
    return (
        cells == {key: other.scores[row].tolist() for key, row in other.keys.items()}
        and (one.frames == other.frames).all()
        and (one.sizes == other.sizes).all()
        and (one.hours == other.hours).all()
        and one.left_out == other.left_out
    )


@given(boxes, boxes)
def test_two_halves_add_up_to_the_whole(first: Boxes, second: Boxes) -> None:
    few = [(score, class_id % 9, area) for score, class_id, area in [*first, *second]]
    one, other = few[: len(first)], few[len(first) :]
    whole = counted(counted(Scores(), 1, one), 1, other)
    half = counted(Scores(), 1, one)
    half.merge(counted(Scores(), 1, other))
    assert same(half, whole)


@given(st.lists(st.tuples(st.integers(0, 8), boxes), max_size=12))
def test_no_box_is_lost_when_there_is_no_room_for_its_class(frames: list[tuple[int, Boxes]]) -> None:
    scores = Scores()
    for light, found in frames:
        counted(scores, light, found)
    assert scores.boxes == scores.sizes.sum() == sum(len(found) for _, found in frames)
    assert scores.frames.sum() == scores.hours.sum() == len(frames)
    assert len(scores.keys) <= CELLS_MOST
    rests = [row for (_, class_id), row in scores.keys.items() if class_id == REST]
    assert scores.left_out == scores.scores[rests].sum()


@given(st.lists(st.tuples(st.integers(0, 8), boxes), max_size=6))
def test_written_and_read_it_is_the_same(frames: list[tuple[int, Boxes]]) -> None:
    scores = Scores()
    for light, found in frames:
        counted(scores, light, found)
    assert same(Scores.from_bytes(scores.to_bytes()), scores)


@given(boxes)
def test_classes_whose_numbers_lie_far_apart_are_counted_as_others_are(found: Boxes) -> None:
    near = counted(Scores(), 1, [(score, class_id % 9, area) for score, class_id, area in found])
    far = counted(Scores(), 1, [(score, class_id % 9 * 10**6, area) for score, class_id, area in found])
    far.keys = {(light, class_id // 10**6): row for (light, class_id), row in far.keys.items()}
    assert same(near, far)


def test_a_score_is_in_the_bin_it_belongs_to() -> None:
    scores = counted(Scores(), 0, [(0.4999, 3, 0.1), (0.5, 3, 0.1), (1.0, 3, 0.1)])
    assert np.flatnonzero(scores.scores[scores.keys[0, 3]]).tolist() == [31, 32, 63]


def test_the_mix_is_that_of_the_strong_boxes() -> None:
    scores = counted(Scores(), 0, [(0.9, 1, 0.1)] * 3 + [(0.9, 2, 0.1)] + [(0.1, 7, 0.1)] * 50)
    usual = scores.mix(0).of(np.array([1, 2, 7, 99], np.int32))
    assert usual.tolist() == [0.75, 0.25, 0.0, 0.0]


@pytest.mark.parametrize("data", [b"", b"\x00", b"nonsense", Scores().to_bytes()[:-5]])
def test_refuses_what_is_no_scores(data: bytes) -> None:
    with pytest.raises(UnreadableScores):
        Scores.from_bytes(data)


def test_refuses_another_version() -> None:
    data = Scores().to_bytes().replace(b"\xa7version\x01", b"\xa7version\x02")
    with pytest.raises(UnreadableScores, match="version 2"):
        Scores.from_bytes(data)
