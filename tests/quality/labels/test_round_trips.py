"""What is written in a format and read again is what it was, whatever things are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from labelled_sets import datasets, paint, simple
from vedette.errors import LabelError
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.formats import FORMATS, read, recognised, write

FILES = {"coco": "set.json", "yolo": "set", "label-studio": "tasks.json", "cvat": "boxes.xml"}

tame = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def there_and_back(dataset: Dataset, format: str, folder: Path) -> Dataset:
    path = folder / FILES[format]
    write(dataset, path, format)
    return read(path, format)


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "label-studio"])
@tame
@given(dataset=datasets())
def test_nothing_is_lost(format: str, tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> None:
    assert there_and_back(dataset, format, tmp_path_factory.mktemp("set")) == dataset


@tame
@given(dataset=datasets())
def test_nothing_is_lost_in_label_studio(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> None:
    assume(dataset.pictures)
    assert there_and_back(dataset, "label-studio", tmp_path_factory.mktemp("set")) == dataset


def test_label_studio_cannot_hold_classes_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"tasks.json: Label Studio keeps classes with the pictures"):
        write(Dataset(("car",)), tmp_path / "tasks.json", "label-studio")
    write(Dataset(()), tmp_path / "tasks.json", "label-studio")
    assert read(tmp_path / "tasks.json") == Dataset(())


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
def test_a_set_may_go_through_two_formats(first: str, second: str, tmp_path: Path) -> None:
    once = there_and_back(simple(), first, tmp_path)
    (tmp_path / "again").mkdir()
    assert there_and_back(once, second, tmp_path / "again") == simple()


@pytest.mark.parametrize("format", FORMATS)
def test_the_format_is_recognised(format: str, tmp_path: Path) -> None:
    write(simple(), tmp_path / FILES[format], format)
    assert recognised(tmp_path / FILES[format]) == format
    assert read(tmp_path / FILES[format]) == simple()


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_there_is_replaced_whole(format: str, tmp_path: Path) -> None:
    write(simple(), tmp_path / FILES[format], format)
    write(Dataset(("person",), simple().pictures[1:]), tmp_path / FILES[format], format)
    assert len(read(tmp_path / FILES[format]).pictures) == 1
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("format", FORMATS)
def test_coordinates_are_kept_to_a_millionth_of_a_pixel(format: str, tmp_path: Path) -> None:
    odd = Box((1 / 3, 2 / 3, 100 / 3, 200 / 3), "person")
    dataset = Dataset(("person",), (Picture("a.jpg", 1917, 1079, (odd,)),))
    (found,) = there_and_back(dataset, format, tmp_path).pictures
    assert found.boxes[0].xyxy == (0.333333, 0.666667, 33.333333, 66.666667)
    again = there_and_back(Dataset(("person",), (found,)), format, tmp_path)
    assert again.pictures == (found,), "what was read once stays as it is"


def test_yolo_reads_the_sizes_from_the_pictures(tmp_path: Path) -> None:
    write(simple(), tmp_path, "yolo")
    paint(tmp_path / "images", simple())
    (tmp_path / "vedette.json").unlink()
    found = read(tmp_path)
    assert [(each.name, each.width, each.height) for each in found.pictures] == [
        ("yard/1.jpg", 640, 480),
        ("yard/2.jpg", 640, 480),
    ]
    assert found.pictures[0].boxes[0].xyxy == (10.0, 20.0, 50.5, 80.25)


def test_pictures_beside_a_yolo_set_are_not_in_it(tmp_path: Path) -> None:
    write(simple(), tmp_path, "yolo")
    paint(tmp_path / "images", simple())
    write(Dataset(simple().labels, simple().pictures[:1]), tmp_path, "yolo")
    assert [each.name for each in read(tmp_path).pictures] == ["yard/1.jpg"]


def test_yolo_keeps_a_split(tmp_path: Path) -> None:
    first, second = simple().pictures
    split = Dataset(
        simple().labels,
        (replace(first, attributes={"split": "train"}), replace(second, attributes={"split": "val"})),
    )
    write(split, tmp_path, "yolo")
    paint(tmp_path / "images", split)
    assert read(tmp_path) == split
    (tmp_path / "vedette.json").unlink()
    assert [each.attributes for each in read(tmp_path).pictures] == [{"split": "train"}, {"split": "val"}]


def test_a_changed_line_of_yolo_loses_what_was_known_of_it_and_others_do_not(tmp_path: Path) -> None:
    write(simple(), tmp_path, "yolo")
    file = tmp_path / "labels/yard/1.txt"
    _, crowd = file.read_text().splitlines()
    file.write_text(f"1 0.5 0.5 0.1 0.1\n1 0.25 0.5 0.1 0.1\n{crowd}\n")
    assert [box.crowd for box in read(tmp_path).pictures[0].boxes] == [False, False, True]


def test_no_line_of_yolo_makes_trainers_throw_the_picture_away(tmp_path: Path) -> None:
    """A share beyond 0 and 1 would. Boxes that only reach over the edge have none."""
    boxes = (
        Box((-50.0, -10.0, -5.0, 20.0), "car"),
        Box((-5.0, 0.0, 20.0, 20.0), "car"),
        Box((-10.0, -10.0, 900.0, 900.0), "car"),
    )
    dataset = Dataset(("car",), (Picture("a.jpg", 640, 480, boxes),))
    write(dataset, tmp_path, "yolo")
    lines = [line.split() for line in (tmp_path / "labels/a.txt").read_text().splitlines()]
    assert all(0 <= float(share) <= 1 for line in lines for share in line)
    assert read(tmp_path) == dataset
    (tmp_path / "vedette.json").unlink()
    paint(tmp_path / "images", dataset)
    assert [box.xyxy for box in read(tmp_path).pictures[0].boxes] == [
        (0.0, 0.0, 0.0, 20.0),
        boxes[1].xyxy,
        (0.0, 0.0, 640.0, 480.0),
    ]
