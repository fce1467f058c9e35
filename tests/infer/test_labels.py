from __future__ import annotations

from pathlib import Path

import pytest

from vedette.errors import DetectorError
from vedette.infer.detector import name_of
from vedette.infer.labels import class_names, coco, coco91


def test_coco_has_eighty_names_in_order() -> None:
    names = coco()
    assert len(names) == len(set(names)) == 80
    assert (names[0], names[2], names[7], names[79]) == ("person", "car", "truck", "toothbrush")


def test_coco91_keeps_the_gaps_of_the_original_numbers() -> None:
    names = coco91()
    assert len(names) == 91
    assert (names[1], names[3], names[18], names[90]) == ("person", "car", "dog", "toothbrush")
    assert names[12] == "class_12"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("names.txt", "cat\r\nbig dog\n\n"),
        ("names.yaml", "names: [cat, big dog]"),
        ("names.yml", "path: x\nnames:\n  0: cat\n  1: big dog\n"),
        ("names.json", '["cat", "big dog"]'),
        ("names.json", '{"1": "big dog", "0": "cat"}'),
    ],
)
def test_names_are_read_from_a_file_beside_the_configuration(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert class_names(file, tmp_path) == ("cat", "big dog")


@pytest.mark.parametrize(("file", "text"), [("a.yaml", "just text"), ("a.yaml", "{"), ("a.json", '{"a": 1}')])
def test_a_file_without_names_is_refused(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(DetectorError, match="holds no list or mapping of names"):
        class_names(file, tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="cannot read"):
        class_names("nowhere.txt", tmp_path)


def test_a_list_goes_before_the_models_own_names() -> None:
    assert class_names(["a"], metadata={"names": "{0: 'b'}"}) == ("a",)


@pytest.mark.parametrize("text", ["{0: 'person', 2: 'car'}", '{"0": "person", "2": "car"}'])
def test_names_come_from_the_models_metadata(text: str) -> None:
    assert class_names(None, metadata={"names": text}) == ("person", "class_1", "car")


@pytest.mark.parametrize("text", ["", "__import__('os').system('x')", "{", "3", "{-1: 'a'}", "(" * 5000])
def test_metadata_that_makes_no_sense_counts_as_absent(text: str) -> None:
    assert class_names(None, metadata={"names": text}) == ()


def test_a_class_without_a_name_shows_its_number() -> None:
    assert [name_of(class_id, ("cat",)) for class_id in (0, 5, -1)] == ["cat", "class_5", "object"]
