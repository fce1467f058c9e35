from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from vedette.infer.suppress import MOST, overlap, rivals, suppress

F4 = np.float32
NO_RIVALS = np.arange(3, dtype=np.int32)


def keep(
    xyxy: list[list[float]], confidence: list[float], ids: list[int], keys: NDArray[np.int32] = NO_RIVALS
) -> list[int]:
    kept = suppress(np.array(xyxy, F4), np.array(confidence, F4), np.array(ids, np.int32), 0.5, keys)
    return [int(index) for index in kept]


def test_of_two_boxes_on_one_object_the_more_confident_stays() -> None:
    assert keep([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], [0.6, 0.9, 0.5], [0, 0, 0]) == [1, 2]


def test_a_box_that_was_suppressed_suppresses_nothing() -> None:
    # The second overlaps both neighbours by 0.54; the first and the third overlap each other by 0.25.
    assert keep([[0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]], [0.9, 0.8, 0.7], [0, 0, 0]) == [0, 2]


def test_in_a_row_of_boxes_each_of_which_beats_the_next_every_second_stays() -> None:
    row = [[3.0 * place, 0, 3.0 * place + 10, 10] for place in range(40)]
    assert keep(row, [0.9 - 0.02 * place for place in range(40)], [0] * 40) == list(range(0, 40, 2))


def test_different_classes_do_not_compete() -> None:
    assert keep([[0, 0, 10, 10], [0, 0, 10, 10]], [0.6, 0.9], [0, 1]) == [1, 0]


def test_confusable_classes_do() -> None:
    keys = rivals(["person", "Car", "truck"])
    assert keep([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]], [0.6, 0.9, 0.8], [1, 2, 0], keys) == [1, 2]


def test_groups_can_be_named() -> None:
    assert rivals(["cat", "dog", "cow"], [("dog", "cow"), ("mouse",)]).tolist() == [0, 1, 1]


def test_classes_without_a_name_compete_within_themselves() -> None:
    assert keep([[0, 0, 9, 9]] * 4, [0.9, 0.8, 0.7, 0.6], [7, 7, -1, 2]) == [0, 2, 3]


def test_a_crowd_is_cut_at_the_most_confident() -> None:
    xyxy = np.array([[20 * i, 0, 20 * i + 10, 10] for i in range(MOST + 50)], F4)
    confidence = np.linspace(0.4, 0.9, MOST + 50, dtype=F4)
    kept = suppress(xyxy, confidence, np.zeros(MOST + 50, np.int32), 0.5, NO_RIVALS)
    assert len(kept) == MOST
    assert kept[0] == MOST + 49


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(
    arrays.arrays(F4, (n, 2), elements=st.floats(0, 50, width=32)),
    arrays.arrays(F4, (n, 2), elements=st.floats(1, 40, width=32)),
    arrays.arrays(F4, n, elements=st.floats(0, 1, width=32)),
    arrays.arrays(np.int32, n, elements=st.integers(0, 2)),
)))  # fmt: skip
def test_what_stays_is_apart_and_what_goes_had_a_better_rival(
    drawn: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]],
) -> None:
    corner, extent, confidence, ids = drawn
    xyxy = np.concatenate([corner, corner + extent], axis=1)
    kept = suppress(xyxy, confidence, ids, 0.5, NO_RIVALS)
    clash = (overlap(xyxy, xyxy) > 0.5) & (ids[:, None] == ids[None, :])
    assert (clash[np.ix_(kept, kept)].sum(axis=1) <= 1).all()
    assert (np.diff(confidence[kept]) <= 0).all()
    for gone in set(range(len(ids))) - set(kept.tolist()):
        assert any(clash[gone, other] and confidence[other] >= confidence[gone] for other in kept)


@given(st.integers(0, 2**32 - 1), st.integers(0, 400), st.sampled_from([0.3, 0.5, 0.6]), st.integers(1, 8))
def test_many_boxes_come_out_as_if_each_were_compared_with_each(
    seed: int, count: int, iou: float, classes: int
) -> None:
    xyxy, confidence, ids = crowd(seed, count, classes)
    keys = rivals(["person", "car", "truck", "dog"])
    kept = suppress(xyxy, confidence, ids, iou, keys)
    assert kept.tolist() == one_by_one(xyxy, confidence, ids, iou, keys)


def crowd(
    seed: int, count: int, classes: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Boxes in heaps, as a network finds them, some equally sure."""
    rng = np.random.default_rng(seed)
    heaps = rng.uniform(0, 300, (1 + count // 8, 2))
    corner = heaps[rng.integers(0, len(heaps), count)] + rng.normal(0, 4, (count, 2))
    xyxy = np.concatenate([corner, corner + rng.uniform(15, 40, (count, 2))], axis=1).astype(F4)
    return xyxy, rng.uniform(0.05, 0.9, count).round(2).astype(F4), rng.integers(-1, classes, count, np.int32)


def one_by_one(
    xyxy: NDArray[np.float32],
    confidence: NDArray[np.float32],
    ids: NDArray[np.int32],
    iou: float,
    keys: NDArray[np.int32],
) -> list[int]:
    order = np.argsort(-confidence, kind="stable")[:MOST]
    competing = [int(keys[each]) if 0 <= each < len(keys) else int(each) for each in ids]
    clash = overlap(xyxy, xyxy) > iou
    kept: list[int] = []
    for index in order.tolist():
        if not any(clash[other, index] and competing[other] == competing[index] for other in kept):
            kept.append(index)
    return kept
