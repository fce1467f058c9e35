"""Figures are COCO's, to the last digit; and what is kept of a run gives the same ones again."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from quality.validate.drawn_sets import drawn_set, seen
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.validate.coco_eval import Found, evaluate, records_of
from vedette.quality.validate.precision import average_precision, found_and_right
from vedette.quality.validate.records import IOUS, Records

KEYS = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
KEYS += ("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")


def by_pycocotools(dataset: Dataset, found: list[Found], pictures: list[int] | None = None) -> list[float]:
    annotations, results = [], []
    for number, (picture, boxes) in enumerate(zip(dataset.pictures, found, strict=True), 1):
        for box in picture.boxes:
            left, top, right, bottom = box.xyxy
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": dataset.labels.index(box.label) + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": int(box.crowd or box.difficult),
                }
            )
        for (left, top, right, bottom), score, label in zip(
            boxes.xyxy.astype(float), boxes.score, boxes.label, strict=True
        ):
            extent = [left, top, right - left, bottom - top]
            results.append(
                {"image_id": number, "category_id": int(label) + 1, "bbox": extent, "score": float(score)}
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": number} for number in range(1, len(found) + 1)],
            "annotations": annotations,
            "categories": [{"id": number, "name": name} for number, name in enumerate(dataset.labels, 1)],
        }
        truth.createIndex()
        evaluated = COCOeval(truth, truth.loadRes(results), "bbox")
        if pictures is not None:
            evaluated.params.imgIds = [number + 1 for number in pictures]
        evaluated.evaluate()
        evaluated.accumulate()
        evaluated.summarize()
    return list(evaluated.stats)


def kept(dataset: Dataset, found: list[Found]) -> Records:
    return records_of(dataset, found, [picture.name for picture in dataset.pictures])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("digits", [1, 6])
def test_figures_are_those_of_pycocotools(seed: int, digits: int) -> None:
    dataset = drawn_set(seed)
    found = seen(dataset, seed + 100, digits=digits)
    night = [number for number, picture in enumerate(dataset.pictures) if picture.light == "night"]
    whole, _, by_light = evaluate(dataset, found, {"night": night})
    assert [whole[key] for key in KEYS] == pytest.approx(by_pycocotools(dataset, found), abs=1e-9)
    theirs = by_pycocotools(dataset, found, night)
    assert [by_light["night"][key] for key in KEYS] == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 6]), st.floats(0, 0.6))
def test_what_is_kept_gives_the_same_average_precision(seed: int, digits: int, crowded: float) -> None:
    dataset = drawn_set(seed, 12, crowded)
    found = seen(dataset, seed + 1, digits=digits)
    _, by_label, _ = evaluate(dataset, found, {})
    [every] = average_precision(kept(dataset, found), np.ones((1, 12), np.int32))
    for number, label in enumerate(dataset.labels):
        for key, ours in (
            ("ap", every[:, number].mean()),
            ("ap50", every[0, number]),
            ("ap75", every[5, number]),
        ):
            theirs = by_label[label][key]
            assert np.isnan(ours) if theirs is None else ours == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_picture_drawn_twice_counts_like_two_pictures(seed: int) -> None:
    dataset = drawn_set(seed, 8)
    found = seen(dataset, seed + 1)
    times = np.random.default_rng(seed).integers(0, 4, 8)
    numbers = np.repeat(np.arange(8), times)
    copies = Dataset(dataset.labels, tuple(dataset.pictures[number] for number in numbers))
    once = average_precision(kept(dataset, found), times[None].astype(np.int32))
    again = kept(copies, [found[number] for number in numbers]) if len(numbers) else None
    if again is None:
        assert np.isnan(once).all()
        return
    twice = average_precision(again, np.ones((1, len(numbers)), np.int32))
    np.testing.assert_allclose(once, twice, atol=1e-12)


def test_a_crowd_is_neither_found_nor_missed() -> None:
    picture = Picture("a.png", 100, 100, (Box((0, 0, 50, 50), "person", crowd=True),))
    plain = Picture(
        "b.png", 100, 100, (Box((0, 0, 20, 20), "person"), Box((60, 60, 90, 90), "person", difficult=True))
    )
    dataset = Dataset(("person",), (picture, plain))
    inside = Found(np.array([[0, 0, 10, 10], [20, 20, 30, 30.0]]), np.array([0.9, 0.8]), np.array([0, 0]))
    right = Found(np.array([[0, 0, 20, 20], [60, 60, 90, 90.0]]), np.array([0.5, 0.9]), np.array([0, 0]))
    records = kept(dataset, [inside, right])
    assert records.truths.tolist() == [[0], [1]]
    recall, precision = found_and_right(records, np.ones((1, 2), np.int32), 0.4)
    assert (recall[0], precision[0]) == (1.0, 1.0)


def test_recall_and_precision_are_those_of_the_boxes_that_would_leave() -> None:
    dataset = Dataset(
        ("person",),
        (Picture("a.png", 100, 100, (Box((0, 0, 20, 20), "person"), Box((50, 50, 90, 90), "person"))),),
    )
    boxes = np.array([[0, 0, 20, 20], [50, 50, 90, 90], [20, 60, 40, 80.0]])
    records = kept(dataset, [Found(boxes, np.array([0.6, 0.3, 0.5]), np.zeros(3, int))])
    one = np.ones((1, 1), np.int32)
    assert [value.item() for value in found_and_right(records, one, 0.4)] == [0.5, 0.5]
    assert [value.item() for value in found_and_right(records, one, 0.2)] == [1.0, pytest.approx(2 / 3)]


@pytest.mark.parametrize("found", [0, 3])
def test_pictures_without_an_object_have_no_figures(found: int) -> None:
    dataset = Dataset(("person",), (Picture("a.png", 100, 100), Picture("b.png", 100, 100)))
    boxes = Found(np.tile(np.array([[1.0, 1, 9, 9]]), (found, 1)), np.full(found, 0.9), np.zeros(found, int))
    whole, by_label, _ = evaluate(dataset, [boxes, boxes], {})
    assert set(whole.values()) == {None}
    assert set(by_label["person"].values()) == {None}
    assert np.isnan(average_precision(kept(dataset, [boxes, boxes]), np.ones((1, 2), np.int32))).all()


def test_records_survive_being_stored() -> None:
    dataset = drawn_set(3)
    records = kept(dataset, seen(dataset, 4))
    again = Records.of_stored(records.stored())
    for name in ("labels", "pictures", "keys"):
        assert getattr(again, name) == getattr(records, name)
    for name in ("truths", "picture", "label", "score", "hit", "ignored"):
        np.testing.assert_array_equal(getattr(again, name), getattr(records, name))


def test_some_pictures_are_taken_out_in_any_order() -> None:
    dataset = drawn_set(5)
    found = seen(dataset, 6)
    numbers = [7, 2, 11]
    some = Dataset(dataset.labels, tuple(dataset.pictures[number] for number in numbers))
    ours, theirs = (
        kept(dataset, found).of_pictures(numbers),
        kept(some, [found[number] for number in numbers]),
    )
    for name in ("truths", "picture", "label", "score", "hit", "ignored"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_overlaps_are_those_of_coco() -> None:
    assert tuple(np.linspace(0.5, 0.95, 10).round(2)) == IOUS
