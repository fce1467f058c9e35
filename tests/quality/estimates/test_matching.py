import contextlib
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vedette.quality.estimates import Prediction, matched
from vedette.quality.labels.dataset import Box

LABELS = ("car", "person")
CORNER = st.integers(0, 12)
SIDE = st.integers(1, 8)
XYXY = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), CORNER, CORNER, SIDE, SIDE)
OBJECTS = st.lists(
    st.builds(Box, XYXY, st.sampled_from(LABELS), crowd=st.integers(0, 3).map(lambda each: each == 0)),
    max_size=7,
)
PREDICTIONS = st.lists(
    st.builds(Prediction, XYXY, st.sampled_from(LABELS), st.integers(1, 9).map(lambda each: each / 10)),
    max_size=9,
)


def test_a_box_on_an_object_is_right_and_the_object_found() -> None:
    pairs = matched([Prediction((0, 0, 10, 10), "car", 0.9)], [Box((0, 0, 10, 8), "car")])
    assert pairs.right == (True,)
    assert pairs.found == (True,)


def test_a_second_box_on_the_same_object_is_wrong_and_the_surer_one_has_it() -> None:
    boxes = [Prediction((0, 0, 10, 10), "car", 0.5), Prediction((0, 0, 10, 9), "car", 0.9)]
    assert matched(boxes, [Box((0, 0, 10, 10), "car")]).right == (False, True)


def test_a_box_of_another_class_is_wrong_and_the_object_missed() -> None:
    pairs = matched([Prediction((0, 0, 10, 10), "truck", 0.9)], [Box((0, 0, 10, 10), "car")])
    assert pairs.right == (False,)
    assert pairs.found == (False,)


@pytest.mark.parametrize("kind", ["crowd", "difficult"])
def test_nobody_is_to_blame_for_what_people_were_not_sure_of(kind: str) -> None:
    boxes = [Prediction((0, 0, 4, 4), "person", 0.9), Prediction((5, 5, 9, 9), "person", 0.8)]
    pairs = matched(boxes, [Box((0, 0, 10, 10), "person", **{kind: True})])
    assert pairs.right == (None, None)
    assert pairs.found == (None,)


def test_a_box_without_an_extent_is_wrong() -> None:
    assert matched([Prediction((3, 3, 3, 3), "car", 0.9)], [Box((0, 0, 9, 9), "car")]).right == (False,)


@settings(max_examples=300)
@given(PREDICTIONS, OBJECTS)
def test_boxes_are_matched_as_coco_matches_them(boxes: list[Prediction], objects: list[Box]) -> None:
    pairs = matched(boxes, objects)
    right, found = _by_coco(boxes, objects)
    assert list(pairs.right) == right
    assert list(pairs.found) == found


def _by_coco(boxes: list[Prediction], objects: list[Box]) -> tuple[list[bool | None], list[bool | None]]:
    right: list[bool | None] = [False] * len(boxes)
    found: list[bool | None] = [None if box.crowd else False for box in objects]
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCOeval(_labelled(objects), _labelled([]), "bbox")
        judge.cocoDt = _labelled(boxes)
        judge.params.iouThrs, judge.params.maxDets = [0.5], [1000]
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
    for image in filter(None, judge.evalImgs):
        for place, number in enumerate(image["dtIds"]):
            matches = image["dtMatches"][0][place] > 0
            right[number - 1] = None if image["dtIgnore"][0][place] else bool(matches)
        for place, number in enumerate(image["gtIds"]):
            if not image["gtIgnore"][place]:
                found[number - 1] = bool(image["gtMatches"][0][place] > 0)
    return right, found


def _labelled(each: list[Any]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": number + 1, "name": name} for number, name in enumerate(LABELS)],
        "annotations": [_annotation(number + 1, box) for number, box in enumerate(each)],
    }
    coco.createIndex()
    return coco


def _annotation(number: int, box: Any) -> dict[str, Any]:
    left, top, right, bottom = box.xyxy
    return {
        "id": number,
        "image_id": 1,
        "category_id": LABELS.index(box.label) + 1,
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "iscrowd": int(getattr(box, "crowd", False)),
        "score": getattr(box, "score", 0),
    }
