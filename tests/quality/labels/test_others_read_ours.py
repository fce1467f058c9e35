"""supervision reads and writes COCO and YOLO by itself: it sees in our files what we wrote, and we in its."""

from __future__ import annotations

from pathlib import Path

import pytest
import supervision as sv

from labelled_sets import paint
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.formats import read, write

DATASET = Dataset(
    ("person", "car / van", "мёд"),
    (
        Picture(
            "a.jpg",
            640,
            480,
            (Box((10.0, 20.0, 50.5, 80.25), "car / van"), Box((0.0, 0.0, 9.0, 10.0), "person")),
        ),
        Picture("b.jpg", 320, 200, (Box((100.0, 50.0, 160.0, 150.0), "мёд"),)),
        Picture("empty.jpg", 64, 48),
    ),
)


def boxes_of(theirs: sv.DetectionDataset) -> dict[str, list[tuple[list[float], str]]]:
    return {
        Path(path).name: [
            (xyxy, theirs.classes[number])
            for xyxy, number in zip(
                found.xyxy.tolist(), (found.class_id if found.class_id is not None else []), strict=True
            )
        ]
        for path, _, found in theirs
    }


def boxes_of_ours(dataset: Dataset) -> dict[str, list[tuple[list[float], str]]]:
    return {each.name: [(list(box.xyxy), box.label) for box in each.boxes] for each in dataset.pictures}


def assert_same(
    found: dict[str, list[tuple[list[float], str]]], within: float, expected: Dataset = DATASET
) -> None:
    wanted = boxes_of_ours(expected)
    assert found.keys() == wanted.keys()
    for name, boxes in wanted.items():
        assert [label for _, label in found[name]] == [label for _, label in boxes]
        for (xyxy, _), (other, _) in zip(found[name], boxes, strict=True):
            assert xyxy == pytest.approx(other, abs=within)


def test_supervision_reads_our_yolo(tmp_path: Path) -> None:
    write(DATASET, tmp_path, "yolo")
    paint(tmp_path / "images", DATASET)
    theirs = sv.DetectionDataset.from_yolo(
        str(tmp_path / "images"), str(tmp_path / "labels"), str(tmp_path / "data.yaml")
    )
    assert theirs.classes == list(DATASET.labels)
    assert_same(boxes_of(theirs), 0.01)


def test_supervision_reads_our_coco(tmp_path: Path) -> None:
    write(DATASET, tmp_path / "set.json", "coco")
    paint(tmp_path / "images", DATASET)
    theirs = sv.DetectionDataset.from_coco(str(tmp_path / "images"), str(tmp_path / "set.json"))
    assert theirs.classes == list(DATASET.labels)
    assert_same(boxes_of(theirs), 0.01)


def test_we_read_what_supervision_writes(tmp_path: Path) -> None:
    write(DATASET, tmp_path / "set.json", "coco")
    paint(tmp_path / "images", DATASET)
    theirs = sv.DetectionDataset.from_coco(str(tmp_path / "images"), str(tmp_path / "set.json"))
    theirs.as_coco(annotations_path=str(tmp_path / "theirs.json"))
    found = read(tmp_path / "theirs.json")
    assert set(found.labels) == set(DATASET.labels)
    assert_same(boxes_of_ours(found), 0.01)
    theirs.as_yolo(
        str(tmp_path / "yolo/images"), str(tmp_path / "yolo/labels"), str(tmp_path / "yolo/data.yaml")
    )
    (tmp_path / "yolo/data.yaml").open("a").write("train: images\n")
    assert_same(boxes_of_ours(read(tmp_path / "yolo")), 0.01)
