"""Detectors that users write: found, constructed, checked; and whatever they do wrong said clearly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import supervision as sv

from vedette.errors import DetectorError
from vedette.infer.detector import as_boxes
from vedette.infer.load import DetectorSpec, LoadedDetector, load_detector

HEAD = "import numpy as np\nimport supervision as sv\n"
GOOD = f"""{HEAD}
class Finder:
    def __init__(self, size=(48, 64), left=1.0):
        self.input_size, self.left = size, left
    def detect(self, images):
        return [sv.Detections(xyxy=np.array([[self.left, 2, 30, 40]])) for _ in images]
"""
numbers = count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Writes a module of a new name and loads ``Finder`` from it."""
    monkeypatch.setattr("sys.path", __import__("sys").path[:])

    def load(source: str, python: str = "{}:Finder", **settings: Any) -> LoadedDetector:
        name = f"users_detector_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text(source)
        return load_detector(DetectorSpec(python=python.format(name), folder=str(tmp_path), **settings))

    return load


def test_a_class_is_found_beside_the_configuration_and_constructed_with_its_options(module: Any) -> None:
    detector = module(GOOD, options={"left": 5.0, "size": [32, 32]}, classes=["thing"])
    (boxes,) = detector.detect_boxes(np.zeros((1, 32, 32, 3), np.uint8))
    assert detector.input_size == (32, 32)
    assert boxes.xyxy.tolist() == [[5, 2, 30, 40]]
    assert (boxes.confidence.tolist(), boxes.class_id.tolist(), boxes.class_name) == ([1], [-1], ("object",))
    assert detector.describe.endswith(":Finder · 32x32")


@pytest.mark.parametrize(
    ("source", "python", "message"),
    [
        ("", "Finder", 'must read "package.module:Class"'),
        ("", "nowhere_at_all:Finder", "there is no module 'nowhere_at_all'"),
        ("", "{}:Finder", "has no class 'Finder'"),
        ("import not_installed_anywhere", "{}:Finder", "needs 'not_installed_anywhere', not installed"),
        ("1 / 0", "{}:Finder", "importing raised ZeroDivisionError: division by zero"),
        ("class Finder: pass", "{}:Finder", "has no input_size"),
        ("class Finder:\n  input_size = 640", "{}:Finder", "input_size must be .height, width. .* not 640"),
        ("class Finder:\n  input_size = (0, 640)", "{}:Finder", r"not \(0, 640\)"),
        ("class Finder:\n  input_size = (640, 640)", "{}:Finder", r"has no method detect\(images\)"),
        ("class Finder:\n  def __init__(self): {}['a']", "{}:Finder", "constructed: KeyError: 'a'"),
    ],
)
def test_what_cannot_be_loaded_says_why(module: Any, source: str, python: str, message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        module(source, python)


def test_an_option_it_does_not_know_is_named(module: Any) -> None:
    with pytest.raises(DetectorError, match=r"TypeError.*unexpected keyword argument 'colour'"):
        module(GOOD, options={"colour": "red"})


def test_a_detector_that_raises_is_named_with_its_exception(module: Any) -> None:
    source = (
        "class Finder:\n  input_size = (8, 8)\n  def detect(self, images): raise RuntimeError('out of luck')"
    )
    with pytest.raises(DetectorError, match=r":Finder raised RuntimeError: out of luck"):
        module(source).warm_up()


def test_a_detector_that_returns_too_few_results_is_named(module: Any) -> None:
    source = f"{HEAD}class Finder:\n  input_size = (8, 8)\n  def detect(self, images): return []"
    with pytest.raises(DetectorError, match=r":Finder: detect\(\) returned 0 results for 1 pictures"):
        module(source).warm_up()


def found(xyxy: Any = ((1, 2, 3, 4),), **more: Any) -> SimpleNamespace:
    return SimpleNamespace(xyxy=np.array(xyxy), **more)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "must return a list with one sv.Detections per picture, not NoneType"),
        (sv.Detections.empty(), "must return a list .* not Detections"),
        ([1], "is int, not sv.Detections"),
        ([found([[1, 2, 3]])], r"xyxy has shape \[1, 3\], it must be \[n, 4\]"),
        ([found([["a"] * 4])], "xyxy is not an array of numbers"),
        ([found([[1, 2, np.nan, 4]])], "xyxy holds NaN or infinity"),
        ([found([[10, 20, 5, 8]])], "a box ends before it starts"),
        ([found(confidence=np.array([np.inf]))], "confidence holds NaN or infinity"),
        ([found(confidence=np.array([0.1, 0.2]))], r"confidence has shape \[2\] for 1 boxes"),
        ([found(class_id=np.array([0.5]))], "class_id must be whole numbers"),
        ([found(data={"class_name": []})], "0 class names for 1 boxes"),
    ],
)
def test_a_broken_result_says_what_is_wrong(result: Any, message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        as_boxes(result, 1)


def test_a_full_result_is_taken_over_and_goes_back_to_supervision() -> None:
    given = sv.Detections(
        xyxy=np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]),
        confidence=np.array([0.5, 0.75]),
        class_id=np.array([3, 0]),
        data={"class_name": np.array(["owl", "cat"])},
    )
    (boxes,) = as_boxes([given], 1)
    assert boxes.to_supervision() == given
    assert (boxes.xyxy.dtype, boxes.confidence.dtype, boxes.class_id.dtype) == ("float32", "float32", "int32")
    (empty,) = as_boxes([sv.Detections.empty()], 1)
    assert len(empty) == 0
    assert len(empty.to_supervision()) == 0
