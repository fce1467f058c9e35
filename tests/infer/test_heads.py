"""Each output head on a small network of known outputs, against boxes worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from networks import constant_network
from vedette.infer.detector import Boxes
from vedette.infer.heads import PICODET_STRIDES, anchors, picodet
from vedette.infer.load import DetectorSpec, load_detector

F4 = np.float32
GREY = np.full((1, 64, 64, 3), 114, np.uint8)


@pytest.fixture(params=["onnxruntime", "openvino"])
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def detect(path: Path, runtime: str, **settings: object) -> Boxes:
    spec = DetectorSpec(model=str(path), runtime=runtime, device="cpu", threads=1, **settings)
    (boxes,) = load_detector(spec).detect_boxes(GREY)
    return boxes


def check(boxes: Boxes, *expected: tuple[list[float], float, int]) -> None:
    assert len(boxes) == len(expected)
    for index, (xyxy, confidence, class_id) in enumerate(expected):
        # A CPU that computes in bfloat16 has three digits.
        np.testing.assert_allclose(boxes.xyxy[index], xyxy, atol=0.3)
        assert boxes.confidence[index] == pytest.approx(confidence, abs=0.01)
        assert boxes.class_id[index] == class_id


@pytest.mark.parametrize("head", ["auto", "picodet"])
def test_picodet_adds_distances_in_strides_to_the_cell_centre(
    tmp_path: Path, runtime: str, head: str
) -> None:
    # 8x8 + 4x4 + 2x2 + 1 cells; number 70 is row 1, column 2 of stride 16, its centre at (40, 24).
    scores, dist = np.zeros((1, 5, 85), F4), np.ones((1, 85, 4), F4)
    scores[0, 3, 70], dist[0, 70] = 0.9, (1, 0.5, 0.75, 0.25)
    scores[0, 1, 5] = 0.39
    path = constant_network(tmp_path / "m.onnx", {"scores": scores, "dist": dist})
    check(detect(path, runtime, head=head), ([24, 16, 52, 28], 0.9, 3))


@pytest.mark.parametrize("threshold", [0.05, 0.4, 0.99, 1.5])
def test_picodet_finds_to_the_bit_what_looking_at_every_class_finds(threshold: float) -> None:
    rng = np.random.default_rng(4)
    scores = (rng.random((2, 80, 85)) ** 40 * rng.integers(0, 2, (2, 80, 1))).astype(F4)
    scores[0, 7, 3] = scores[0, 9, 3] = 0.995  # the first of two that are equally sure
    scores[1, 5, 20] = np.nan
    dist = rng.uniform(0, 4, (2, 85, 4)).astype(F4)
    centres, strides = anchors((64, 64), PICODET_STRIDES, 0.5)
    for found, score, sides in zip(picodet([scores, dist], (64, 64), threshold), scores, dist, strict=True):
        best = score.max(axis=0)
        passes = best >= threshold
        reach = sides[passes] * strides[passes]
        corners = [centres[passes] - reach[:, :2], centres[passes] + reach[:, 2:]]
        assert np.array_equal(found.xyxy, np.concatenate(corners, axis=1))
        assert np.array_equal(found.confidence, best[passes])
        assert np.array_equal(found.class_id, score[:, passes].argmax(axis=0))


@pytest.mark.parametrize("head", ["auto", "yolox"])
def test_yolox_is_decoded_on_its_grid(tmp_path: Path, runtime: str, head: str) -> None:
    output = np.zeros((1, 84, 5 + 3), F4)
    # Number 19 is row 2, column 3 of stride 8: (3.5, 2.25) cells = (28, 18); 2 x 3 strides.
    output[0, 19] = [0.5, 0.25, np.log(2), np.log(3), 0.8, 0, 0.9, 0]
    output[0, 20] = [0, 0, 0, 0, 0.9, 0.1, 0.2, 0]
    path = constant_network(tmp_path / "m.onnx", {"output": output})
    check(detect(path, runtime, head=head), ([20, 6, 36, 30], 0.72, 1))


def test_yolox_that_the_export_decoded_is_read_as_it_is(tmp_path: Path, runtime: str) -> None:
    output = np.zeros((1, 84, 5 + 3), F4)
    output[0, :64, 0], output[0, :64, 1] = np.tile(np.arange(4, 64, 8), 8), np.repeat(np.arange(4, 64, 8), 8)
    output[0, 19] = [28, 18, 16, 24, 0.8, 0, 0.9, 0]
    path = constant_network(tmp_path / "m.onnx", {"output": output})
    check(detect(path, runtime), ([20, 6, 36, 30], 0.72, 1))


def test_yolov5_has_three_boxes_a_cell_and_is_decoded(tmp_path: Path, runtime: str) -> None:
    output = np.zeros((1, 252, 5 + 2), F4)
    output[0, 200] = [32, 32, 20, 10, 0.9, 0.1, 1]
    path = constant_network(tmp_path / "m.onnx", {"output0": output})
    check(detect(path, runtime), ([22, 27, 42, 37], 0.9, 1))


@pytest.mark.parametrize("head", ["auto", "yolov8"])
def test_yolov8_is_transposed_and_has_no_objectness(tmp_path: Path, runtime: str, head: str) -> None:
    output = np.zeros((1, 4 + 2, 84), F4)
    output[0, :, 7] = [20, 30, 10, 20, 0.1, 0.6]
    output[0, :, 9] = [50, 50, 10, 10, 0.7, 0.2]
    path = constant_network(
        tmp_path / "m.onnx", {"output0": output}, metadata={"names": "{0: 'cat', 1: 'dog'}"}
    )
    boxes = detect(path, runtime, head=head)
    check(boxes, ([45, 45, 55, 55], 0.7, 0), ([15, 20, 25, 40], 0.6, 1))
    assert boxes.class_name == ("cat", "dog")


def test_yolov10_comes_suppressed(tmp_path: Path, runtime: str) -> None:
    output = np.zeros((1, 20, 6), F4)
    output[0, 0] = [1, 2, 30, 40, 0.8, 5]
    path = constant_network(tmp_path / "m.onnx", {"output0": output})
    check(detect(path, runtime), ([1, 2, 30, 40], 0.8, 5))


def test_tensorflow_ssd_is_normalised_with_top_first_and_a_count(tmp_path: Path, runtime: str) -> None:
    boxes = np.zeros((1, 4, 4), F4)
    boxes[0, 0], boxes[0, 1], boxes[0, 2] = (0.25, 0.125, 0.5, 0.75), (0, 0, 1, 1), (0.5, 0.5, 0.9, 0.9)
    outputs = {
        "detection_boxes": boxes,
        "detection_classes": np.array([[1, 18, 3, 0]], F4),
        "detection_scores": np.array([[0.9, 0.2, 0.8, 0]], F4),
        "num_detections": np.array([2], F4),
    }
    path = constant_network(tmp_path / "m.onnx", outputs, (1, 64, 64, 3), dtype="uint8")
    found = detect(path, runtime, classes="coco91")
    check(found, ([8, 16, 48, 32], 0.9, 1))
    assert found.class_name == ("person",)


@pytest.mark.parametrize("head", ["auto", "ssd"])
def test_ssd_without_a_batch_axis_in_pixels(tmp_path: Path, runtime: str, head: str) -> None:
    outputs = {
        "boxes": np.array([[10, 20, 30, 60], [0, 0, 5, 5]], F4),
        "labels": np.array([3, 1], np.int64),
        "scores": np.array([0.95, 0.3], F4),
    }
    path = constant_network(tmp_path / "m.onnx", outputs)
    check(detect(path, runtime, head=head), ([10, 20, 30, 60], 0.95, 3))


def test_ssd_with_a_score_for_each_class(tmp_path: Path, runtime: str) -> None:
    boxes, scores = np.zeros((1, 50, 4), F4), np.zeros((1, 50, 6), F4)
    boxes[0, 33], scores[0, 33, 5] = (4, 8, 12, 16), 0.7
    path = constant_network(tmp_path / "m.onnx", {"boxes": boxes, "scores": scores})
    check(detect(path, runtime), ([4, 8, 12, 16], 0.7, 5))


@pytest.mark.parametrize(("names", "head"), [(("logits", "pred_boxes"), "auto"), (("a", "b"), "detr")])
def test_detr_has_logits_and_normalised_centres(
    tmp_path: Path, runtime: str, names: tuple[str, str], head: str
) -> None:
    logits, boxes = np.full((1, 10, 6), -9, F4), np.zeros((1, 10, 4), F4)
    logits[0, 2, 4], boxes[0, 2] = 2.0, (0.5, 0.25, 0.5, 0.125)
    path = constant_network(tmp_path / "m.onnx", {names[0]: logits, names[1]: boxes})
    check(detect(path, runtime, head=head), ([16, 12, 48, 20], 1 / (1 + np.exp(-2.0)), 4))


def test_rf_detr_is_known_by_dets_and_labels(tmp_path: Path, runtime: str) -> None:
    logits, boxes = np.full((1, 10, 91), -9, F4), np.zeros((1, 10, 4), F4)
    logits[0, 2, 3], boxes[0, 2] = 2.0, (0.5, 0.25, 0.5, 0.125)
    path = constant_network(tmp_path / "m.onnx", {"dets": boxes, "labels": logits})
    boxes_found = detect(path, runtime, classes="coco91")
    check(boxes_found, ([16, 12, 48, 20], 1 / (1 + np.exp(-2.0)), 3))
    assert boxes_found.class_name == ("car",)


def test_detr_that_scales_its_boxes_is_told_width_and_height(tmp_path: Path, runtime: str) -> None:
    sizes = helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, [1, 2])
    raw = np.zeros((1, 3, 4), F4)
    raw[0, 1] = (0.25, 0.5, 0.5, 0.75)
    outputs = {"labels": np.array([[0, 2, 1]]), "boxes": raw, "scores": np.array([[0, 0.9, 0]], F4)}
    nodes = [
        helper.make_node("Identity", ["raw_labels"], ["labels"]),
        helper.make_node("Identity", ["raw_scores"], ["scores"]),
        helper.make_node("Cast", ["orig_target_sizes"], ["wh"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["wh", "wh"], ["whwh"], axis=1),
        helper.make_node("Mul", ["raw_boxes", "whwh"], ["boxes"]),
    ]
    path = constant_network(tmp_path / "m.onnx", outputs, (1, 3, 32, 64), nodes=nodes, inputs=[sizes])
    spec = DetectorSpec(model=str(path), runtime=runtime, device="cpu", threads=1)
    (boxes,) = load_detector(spec).detect_boxes(GREY[:, :32])
    check(boxes, ([16, 16, 32, 24], 0.9, 2))


def test_one_van_gets_one_box_even_if_it_looks_like_a_truck_and_a_car(tmp_path: Path, runtime: str) -> None:
    output = np.zeros((1, 4 + 3, 84), F4)
    output[0, :, 1] = [30, 30, 40, 20, 0, 0.8, 0]
    output[0, :, 2] = [31, 30, 40, 20, 0, 0, 0.7]
    output[0, :, 3] = [31, 30, 40, 20, 0.6, 0, 0]
    path = constant_network(tmp_path / "m.onnx", {"output0": output})
    found = detect(path, runtime, classes=["person", "car", "truck"])
    assert found.class_name == ("car", "person")
    apart = detect(path, runtime, classes=["person", "car", "truck"], confusable=())
    assert apart.class_name == ("car", "truck", "person")
