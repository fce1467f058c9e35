from __future__ import annotations

import pytest

from vedette.errors import DetectorError
from vedette.infer.guess import find_head
from vedette.infer.pixels import TensorInfo

IMAGE = (TensorInfo("images", (1, 3, 640, 640), "float32"),)


def tensors(*shapes: tuple[int | None, ...], names: str = "") -> list[TensorInfo]:
    called = names.split() or [f"output{index}" for index in range(len(shapes))]
    return [TensorInfo(name, shape, "float32") for name, shape in zip(called, shapes, strict=True)]


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        ("picodet", tensors((1, 80, 8500), (1, 8500, 4), names="scores dist")),
        ("yolox", tensors((1, 8400, 85))),
        ("yolox", tensors((1, 8400, 6))),
        ("yolov5", tensors((1, 25200, 85))),
        ("yolov8", tensors((1, 84, 8400))),
        ("yolov8", tensors((1, 5, 8400))),
        ("yolov10", tensors((1, 300, 6))),
        ("ssd", tensors((1, 100, 4), (1, 100), (1, 100), names="bboxes labels scores")),
        ("ssd", tensors((1, 8400, 4), (1, 8400, 80))),
        ("detr", tensors((1, 300, 80), (1, 300, 4), names="logits pred_boxes")),
        ("rfdetr", tensors((1, 300, 4), (1, 300, 91), names="dets labels")),
    ],
)
def test_outputs_of_well_known_exports_are_recognised(head: str, outputs: list[TensorInfo]) -> None:
    assert find_head("auto", outputs, IMAGE, (640, 640))[0].name == head


def test_a_network_that_fits_nothing_is_told_what_it_has_and_what_is_known() -> None:
    with pytest.raises(DetectorError, match=r"prob float32 \[1, 1000\].*yolov8: one output \[N, 4\+C, A\]"):
        find_head("auto", tensors((1, 1000), names="prob"), IMAGE, (224, 224))


def test_segmentation_outputs_are_not_taken_for_classes() -> None:
    with pytest.raises(DetectorError, match="no output head fits"):
        find_head("auto", tensors((1, 116, 8400), (1, 32, 160, 160)), IMAGE, (640, 640))


def test_an_ambiguous_network_asks_for_the_head() -> None:
    with pytest.raises(DetectorError, match="set head: ssd or detr"):
        find_head("auto", tensors((1, 300, 80), (1, 300, 4)), IMAGE, (640, 640))


def test_a_head_that_does_not_fit_says_what_it_wants_and_what_is_there() -> None:
    with pytest.raises(DetectorError, match=r"head yolov8 does not fit: it wants one output \[N, 4\+C, A\]"):
        find_head("yolov8", tensors((1, 300, 4), (1, 300, 91)), IMAGE, (640, 640))


def test_an_unknown_head_lists_those_there_are() -> None:
    with pytest.raises(DetectorError, match="no output head 'yolo99'; there are: auto, picodet, yolox"):
        find_head("yolo99", tensors((1, 84, 8400)), IMAGE, (640, 640))
