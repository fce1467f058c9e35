"""Boxes below the threshold: there where they are asked for, and nobody's detections are others for it."""

from __future__ import annotations

import numpy as np
import pytest

from vedette.infer.detector import WEAK_FROM, Boxes
from vedette.infer.load import DetectorSpec, LoadedDetector, load_detector


@pytest.fixture(scope="module")
def detector() -> LoadedDetector:
    return load_detector(DetectorSpec(device="cpu", threads=1, confidence=0.3))


@pytest.fixture(scope="module")
def pictures(detector: LoadedDetector) -> np.ndarray:
    """Noise with some squares in it: in such pictures a network sees all sorts of things, and hardly any for
    sure."""
    rng = np.random.default_rng(3)
    found = rng.integers(60, 190, (4, *detector.input_size, 3), dtype=np.uint8)
    for picture in found:
        for _ in range(6):
            top, left = (
                rng.integers(0, detector.input_size[0] - 60),
                rng.integers(0, detector.input_size[1] - 60),
            )
            picture[top : top + 50, left : left + 40] = rng.integers(0, 255, 3)
    return found


def same(one: Boxes, other: Boxes) -> bool:
    pairs = [(one.xyxy, other.xyxy), (one.confidence, other.confidence), (one.class_id, other.class_id)]
    return one.class_name == other.class_name and all(np.array_equal(a, b) for a, b in pairs)


def test_detections_are_the_same_with_and_without_weak_boxes(
    detector: LoadedDetector, pictures: np.ndarray
) -> None:
    without = detector.detect_boxes(pictures)
    both = detector.detect_boxes(pictures, [True] * len(pictures))
    assert all(same(one, other) for one, other in zip(without, both, strict=True))
    assert [each.weak for each in without] == [None] * len(pictures)
    weak = [each.weak for each in both]
    assert sum(len(each.confidence) for each in weak if each is not None) > 0
    for each in weak:
        assert each is not None
        assert ((each.confidence >= WEAK_FROM) & (each.confidence < 0.3)).all()
        assert each.xyxy.shape == (len(each.confidence), 4)
        assert len(each.class_id) == len(each.confidence)


def test_they_are_only_of_the_pictures_that_were_asked_for(
    detector: LoadedDetector, pictures: np.ndarray
) -> None:
    found = detector.detect_boxes(pictures, [False, True, False, True])
    assert [each.weak is not None for each in found] == [False, True, False, True]


def test_they_are_what_a_detector_with_the_lowest_threshold_finds(
    detector: LoadedDetector, pictures: np.ndarray
) -> None:
    lowest = load_detector(DetectorSpec(device="cpu", threads=1, confidence=WEAK_FROM))
    for all_of_them, each in zip(
        lowest.detect_boxes(pictures), detector.detect_boxes(pictures, [True] * 4), strict=True
    ):
        assert each.weak is not None
        assert np.array_equal(all_of_them.xyxy, np.concatenate([each.xyxy, each.weak.xyxy]))


def test_a_detector_whose_threshold_is_lower_still_has_no_weak_boxes(pictures: np.ndarray) -> None:
    detector = load_detector(DetectorSpec(device="cpu", threads=1, confidence=0.01))
    for each in detector.detect_boxes(pictures[:1], [True]):
        assert each.weak is not None
        assert not len(each.weak.confidence)


def test_detectors_of_users_say_nothing_of_weak_boxes(pictures: np.ndarray) -> None:
    spec = DetectorSpec(python="vedette.testing:FakeDetector", options={"boxes": [[1, 2, 3, 4]]})
    detector = load_detector(spec)
    [found] = detector.detect_boxes(np.zeros((1, *detector.input_size, 3), np.uint8), [True])
    assert found.weak is None
