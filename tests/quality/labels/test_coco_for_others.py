"""Our COCO files as others read them, and theirs as we do. pycocotools is the reference implementation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from labelled_sets import datasets, simple
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.formats import read, write

FIFTYONE = {"id", "image_id", "category_id", "bbox", "segmentation", "keypoints", "score", "area", "iscrowd"}
"""What FiftyOne (fiftyone/utils/coco.py, COCOObject) takes by itself; all else becomes a field of its own."""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(dataset=datasets())
def test_pycocotools_sees_the_same_boxes(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> None:
    path = tmp_path_factory.mktemp("coco") / "set.json"
    write(dataset, path, "coco")
    coco = COCO(str(path))
    assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == list(dataset.labels)
    for picture, image in zip(dataset.pictures, coco.loadImgs(coco.getImgIds()), strict=True):
        assert (image["file_name"], image["width"], image["height"]) == (
            picture.name,
            picture.width,
            picture.height,
        )
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        for box, annotation in zip(picture.boxes, found, strict=True):
            left, top, width, height = annotation["bbox"]
            assert (left, top, left + width, top + height) == pytest.approx(box.xyxy, abs=1e-6)
            assert coco.cats[annotation["category_id"]]["name"] == box.label
            assert annotation["iscrowd"] == box.crowd


def test_a_perfect_detector_gets_full_marks_from_pycocotools(tmp_path: Path) -> None:
    write(simple(), tmp_path / "set.json", "coco")
    coco = COCO(str(tmp_path / "set.json"))
    found = [{**each, "score": 0.9} for each in coco.anns.values() if not each["iscrowd"]]
    judged = COCOeval(coco, coco.loadRes([dict(each) for each in found]), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert judged.stats[0] == pytest.approx(1.0)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(dataset=datasets())
def test_no_attribute_gets_in_fiftyones_way(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset
) -> None:
    path = tmp_path_factory.mktemp("coco") / "set.json"
    write(dataset, path, "coco")
    document = json.loads(path.read_text())
    assert isinstance(document["info"], dict)
    for annotation in document["annotations"]:
        theirs = annotation.pop("attributes", {})
        assert not set(theirs) & (FIFTYONE | {"label", "bounding_box", "confidence", "mask", "tags"})
        # Each becomes the name of a field: no dots, no dollars.
        for key in {**theirs, **annotation}:
            assert key.isidentifier()
            assert not key.startswith("_")
        assert all(isinstance(each, (str, bool, int, float)) for each in theirs.values())
        assert isinstance(annotation.get("vedette", ""), str), "keys inside would be names of fields, too"


def foreign(tmp_path: Path, **changed: Any) -> Path:
    document = {
        "info": {"year": 2017},
        "licenses": [{"id": 1, "name": "CC"}],
        "images": [
            {"id": 9, "file_name": "b.jpg", "width": 640, "height": 480, "license": 1},
            {"id": 4, "file_name": "./a.jpg", "width": 640, "height": 480},
        ],
        "annotations": [
            {
                "id": 70,
                "image_id": 4,
                "category_id": 3,
                "bbox": [10, 20.5, 30, 40],
                "area": 700.5,
                "iscrowd": 0,
                "segmentation": [[10, 20, 40, 20, 40, 60]],
                "attributes": {"occluded": False},
            }
        ],
        "categories": [
            {"id": 3, "name": "car", "supercategory": "vehicle"},
            {"id": 1, "name": "person"},
        ],
        **changed,
    }
    (tmp_path / "theirs.json").write_text(json.dumps(document))
    return tmp_path / "theirs.json"


def test_a_file_of_others_is_read_with_all_it_has(tmp_path: Path) -> None:
    found = read(foreign(tmp_path))
    assert found.labels == ("person", "car"), "the ids number the classes, not the order in the file"
    first, second = found.pictures
    assert (first.name, first.boxes, first.attributes) == ("b.jpg", (), {"id": 9, "license": 1})
    assert second.name == "a.jpg"
    (box,) = second.boxes
    assert (box.xyxy, box.label) == ((10.0, 20.5, 40.0, 60.5), "car")
    assert box.attributes == {
        "id": 70,
        "area": 700.5,
        "segmentation": [[10, 20, 40, 20, 40, 60]],
        "occluded": False,
    }
    assert found.attributes["licenses"] == [{"id": 1, "name": "CC"}]


def test_a_file_of_others_keeps_its_ids_and_outlines(tmp_path: Path) -> None:
    write(read(foreign(tmp_path)), tmp_path / "ours.json", "coco")
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("theirs.json", "ours.json"))
    assert {each["name"]: each["id"] for each in after["categories"]} == {"person": 1, "car": 3}
    assert [each["id"] for each in after["images"]] == [9, 4]
    assert {key: after["annotations"][0][key] for key in before["annotations"][0]} == before["annotations"][0]
    assert (after["info"], after["licenses"]) == (before["info"], before["licenses"])


def test_ids_that_occur_twice_are_counted_anew(tmp_path: Path) -> None:
    dataset = Dataset(
        (), (Picture("a.jpg", 1, 1, attributes={"id": 3}), Picture("b.jpg", 1, 1, attributes={"id": 3}))
    )
    write(dataset, tmp_path / "set.json", "coco")
    assert [each["id"] for each in json.loads((tmp_path / "set.json").read_text())["images"]] == [1, 2]
    assert read(tmp_path / "set.json") == dataset


def test_a_line_for_each_annotation_so_that_versions_can_be_compared(tmp_path: Path) -> None:
    write(simple(), tmp_path / "a.json", "coco")
    first, *others = simple().pictures
    fewer = replace(simple(), pictures=(replace(first, boxes=first.boxes[:1]), *others))
    write(fewer, tmp_path / "b.json", "coco")
    a, b = ((tmp_path / name).read_text().splitlines() for name in ("a.json", "b.json"))
    assert len(a) == len(b) + 1


def test_difficult_boxes_and_tracks_stand_in_plain_sight(tmp_path: Path) -> None:
    box = Box((0.0, 0.0, 4.0, 5.0), "car", difficult=True, track_id=12, attributes={"colour": "red"})
    write(Dataset(("car",), (Picture("a.jpg", 8, 8, (box,)),)), tmp_path / "set.json", "coco")
    (annotation,) = json.loads((tmp_path / "set.json").read_text())["annotations"]
    assert (annotation["difficult"], annotation["track_id"]) == (True, 12)
    assert annotation["attributes"] == {"colour": "red"}
    assert annotation["area"] == 20.0
