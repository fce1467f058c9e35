"""What holds for every detector: the bundled one on both runtimes, users' models, users' own classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from networks import constant_network
from vedette.infer.load import DetectorSpec, LoadedDetector, load_detector

USERS = """
import numpy as np
import supervision as sv

class Bright:
    \"\"\"The left half of every bright picture.\"\"\"
    input_size = (40, 60)
    def detect(self, images):
        assert images.dtype == np.uint8 and images.shape[1:] == (40, 60, 3)
        left_half = sv.Detections(
            xyxy=np.array([[0, 0, 30, 40]]), confidence=np.array([0.5]), class_id=np.array([1])
        )
        return [left_half if image.mean() > 100 else sv.Detections.empty() for image in images]
"""


def yolov8(folder: Path, batch: int) -> str:
    output = np.zeros((batch, 7, 84), np.float32)
    output[:, :, 3] = [30, 30, 20, 20, 0.2, 0.9, 0.1]
    return str(constant_network(folder / "yolo.onnx", {"output0": output}, (batch, 3, 64, 64)))


@pytest.fixture(params=["bundled onnxruntime", "bundled openvino", "yolov8", "yolov8 batch of 2", "python"])
def detector(request: pytest.FixtureRequest, tmp_path: Path) -> LoadedDetector:
    (tmp_path / "contract_users_detector.py").write_text(USERS)
    specs = {
        "bundled onnxruntime": lambda: DetectorSpec(runtime="onnxruntime", device="cpu"),
        "bundled openvino": lambda: DetectorSpec(runtime="openvino", device="cpu"),
        "yolov8": lambda: DetectorSpec(model=yolov8(tmp_path, 1), device="cpu", classes=["a", "b", "c"]),
        "yolov8 batch of 2": lambda: DetectorSpec(
            model=yolov8(tmp_path, 2), device="cpu", classes=["a", "b", "c"]
        ),
        "python": lambda: DetectorSpec(
            python="contract_users_detector:Bright", folder=str(tmp_path), classes=["a", "b"]
        ),
    }
    return load_detector(specs[request.param]())


def pictures(detector: LoadedDetector, count: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (count, *detector.input_size, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_gives_one_result_for_each_picture(detector: LoadedDetector, count: int) -> None:
    assert len(detector.detect_boxes(pictures(detector, count))) == count


def test_boxes_have_the_shapes_they_promise(detector: LoadedDetector) -> None:
    for boxes in detector.detect_boxes(pictures(detector, 2)):
        count = len(boxes)
        assert (boxes.xyxy.shape, boxes.xyxy.dtype) == ((count, 4), np.float32)
        assert (boxes.confidence.shape, boxes.confidence.dtype) == ((count,), np.float32)
        assert (boxes.class_id.shape, boxes.class_id.dtype) == ((count,), np.int32)
        assert len(boxes.class_name) == count
        assert (boxes.xyxy[:, 2:] >= boxes.xyxy[:, :2]).all()
        assert ((boxes.confidence > 0) & (boxes.confidence <= 1)).all()


def test_a_picture_is_judged_by_itself(detector: LoadedDetector) -> None:
    images = pictures(detector, 3)
    together = detector.detect_boxes(images)
    for index, boxes in enumerate(together):
        (alone,) = detector.detect_boxes(images[index : index + 1])
        np.testing.assert_allclose(alone.xyxy, boxes.xyxy, atol=0.5)
        assert alone.class_name == boxes.class_name


def test_results_stay_what_they_are_when_more_is_detected(detector: LoadedDetector) -> None:
    (first,) = detector.detect_boxes(pictures(detector, 1))
    before = first.xyxy.copy()
    detector.detect_boxes(np.zeros((1, *detector.input_size, 3), np.uint8))
    np.testing.assert_array_equal(first.xyxy, before)


def test_pictures_are_left_as_they_are_even_read_only_ones(detector: LoadedDetector) -> None:
    images = pictures(detector, 1)
    images.setflags(write=False)
    before = images.copy()
    detector.detect_boxes(images)
    np.testing.assert_array_equal(images, before)


def test_speaks_supervision_on_demand(detector: LoadedDetector) -> None:
    detector.warm_up()
    images = pictures(detector, 2)
    for detections, boxes in zip(detector.detect(images), detector.detect_boxes(images), strict=True):
        assert isinstance(detections, sv.Detections)
        assert tuple(detections.data["class_name"]) == boxes.class_name


def test_says_what_it_is(detector: LoadedDetector) -> None:
    assert f"{detector.input_size[0]}x{detector.input_size[1]}" in detector.describe
