from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vedette
from networks import constant_network
from patience import PATIENCE_S
from vedette.errors import DetectorError
from vedette.infer.detector import Boxes
from vedette.infer.letterbox import PADDING, fit
from vedette.infer.load import BUNDLED, DetectorSpec, load_detector
from vedette.infer.runtime import default_threads
from vedette.infer.suppress import overlap

ROOT = Path(__file__).parents[2]
DRIVEWAY = Path(vedette.__file__).parent / "assets" / "driveway.mov"
YOLOV8 = {"output0": np.zeros((1, 6, 84), np.float32)}


def load(**settings: Any) -> Any:
    return load_detector(DetectorSpec(**{"device": "cpu", "threads": 1, **settings}))


@pytest.fixture(scope="module")
def driveway() -> NDArray[np.uint8]:
    """Pictures [3, 256, 416, 3] of the driveway: empty, the car in the middle of it, the car at its end."""
    frames = []
    with av.open(str(DRIVEWAY)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in (0, 480, 600):
                placed = fit((frame.height, frame.width), (256, 416))
                canvas = np.full((256, 416, 3), PADDING, np.uint8)
                pixels = frame.reformat(placed.width, placed.height, "rgb24").to_ndarray()
                canvas[placed.pad_y :, placed.pad_x : placed.pad_x + placed.width] = pixels
                frames.append(canvas)
            if index > 600:
                break
    return np.stack(frames)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_bundled_detector_sees_the_car_arrive(driveway: NDArray[np.uint8], runtime: str) -> None:
    detector = load(runtime=runtime)
    empty, middle, end = detector.detect_boxes(driveway)
    assert empty.class_name == ()
    for boxes in (middle, end):
        assert boxes.class_name[0] == "car"
        assert boxes.confidence[0] > 0.8
    # By eye: the car stands right of the middle, as tall as a third of the picture.
    assert overlap(middle.xyxy[:1], np.array([[216, 147, 380, 251]], np.float32))[0, 0] > 0.9
    assert detector.describe == f"picodet_s_416 · {runtime} · cpu · 256x416"


def test_both_runtimes_find_the_same(driveway: NDArray[np.uint8]) -> None:
    found = [
        load(runtime=runtime, confidence=0.3).detect_boxes(driveway)
        for runtime in ("onnxruntime", "openvino")
    ]
    for ours, theirs in zip(*found, strict=True):
        for index in np.flatnonzero(ours.confidence > 0.4):
            assert_has(theirs, ours, int(index))


def assert_has(boxes: Boxes, other: Boxes, index: int) -> None:
    """``boxes`` holds the other's box: the same class, place, and confidence within bfloat16."""
    best = int(overlap(other.xyxy[index : index + 1], boxes.xyxy)[0].argmax())
    assert overlap(other.xyxy[index : index + 1], boxes.xyxy)[0, best] > 0.9
    assert boxes.class_name[best] == other.class_name[index]
    assert boxes.confidence[best] == pytest.approx(float(other.confidence[index]), abs=0.05)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("size", [(320, 320), (416, 416), (384, 640)])
def test_the_bundled_detector_takes_other_sizes(runtime: str, size: tuple[int, int]) -> None:
    detector = load(runtime=runtime, input_size=size)
    detector.warm_up()
    assert detector.input_size == size


def test_the_bundled_model_is_the_one_that_the_recipe_makes() -> None:
    digest = hashlib.sha256(BUNDLED.read_bytes()).hexdigest()
    assert digest in (ROOT / "tools" / "model-conversion" / "README.md").read_text()


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_our_own_detectors_never_import_supervision_and_the_runtime_not_asked_for(runtime: str) -> None:
    other = {"onnxruntime": "openvino", "openvino": "onnxruntime"}[runtime]
    program = (
        "import sys; from vedette.infer.load import DetectorSpec, load_detector\n"
        f"load_detector(DetectorSpec(runtime={runtime!r}, device='cpu')).warm_up()\n"
        f"heavy = ('supervision', 'cv2', 'scipy', 'matplotlib', 'openvino_telemetry', {other!r})\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert run.stdout.strip() == "[]"


def test_auto_takes_openvino_where_it_is_installed() -> None:
    assert load(runtime="auto").describe.startswith("picodet_s_416 · openvino")


def test_names_come_from_the_models_metadata_on_both_runtimes(tmp_path: Path) -> None:
    constant_network(tmp_path / "m.onnx", YOLOV8, metadata={"names": "{0: 'owl', 1: 'cat'}", "author": "us"})
    for runtime in ("onnxruntime", "openvino"):
        assert load(model="m.onnx", folder=str(tmp_path), runtime=runtime).names == ("owl", "cat")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("content", [b"", b"this is no model", b"\x08\x07" + b"\xff" * 64])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, runtime: str, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(DetectorError, match=r"m\.onnx is not an ONNX model"):
        load(model="m.onnx", folder=str(tmp_path), runtime=runtime)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "a.onnx", "python": "a:B"}, "either a model or python, not both"),
        ({"model": "nowhere.onnx"}, r"there is no model file .*nowhere\.onnx"),
        ({"input_size": (250, 416)}, "input_size 250x416: the bundled detector takes multiples of 32"),
        ({"head": "yolo99"}, "no output head 'yolo99'; there are: auto, picodet"),
        ({"head": "yolov8"}, "head yolov8 does not fit: it wants one output"),
        ({"runtime": "tensorrt"}, "runtime must be auto, onnxruntime or openvino, not 'tensorrt'"),
        ({"device": "tpu"}, "device must be auto, cpu or cuda:N, not 'tpu'"),
        ({"device": "cuda:x"}, "device must be auto, cpu or cuda:N"),
        ({"device": "cuda:0", "runtime": "openvino"}, "OpenVINO runs on the CPU here"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"normalise": {"scale": 1}}, "the model takes uint8 pixels and normalises them itself"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        load(**settings)


def test_another_size_than_the_models_own_is_refused(tmp_path: Path) -> None:
    constant_network(tmp_path / "m.onnx", YOLOV8)
    for runtime in ("onnxruntime", "openvino"):
        with pytest.raises(DetectorError, match=r"the model's pictures are 64 x 64 .* says \(32, 64\)"):
            load(model="m.onnx", folder=str(tmp_path), input_size=(32, 64), runtime=runtime)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_size_that_the_network_cannot_take_is_refused(tmp_path: Path, runtime: str) -> None:
    (tmp_path / "mine.onnx").write_bytes(BUNDLED.read_bytes())
    with pytest.raises(DetectorError, match=r"the model .* pictures of 200x416"):
        load(model="mine.onnx", folder=str(tmp_path), input_size=(200, 416), runtime=runtime)


def test_a_gpu_that_cannot_be_used_is_refused_when_asked_for() -> None:
    with pytest.raises(DetectorError, match=r"device cuda:7: .*CUDA"):
        load(device="cuda:7")


def test_pictures_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(
        DetectorError, match=r"pictures must be uint8 \[N, 256, 416, 3\], not float32 \[1, 256, 416, 3\]"
    ):
        load().detect_boxes(np.zeros((1, 256, 416, 3), np.float32))


def test_half_the_cores_are_left_to_the_decoders() -> None:
    assert [default_threads(cores) for cores in (1, 2, 4, 8, 64)] == [1, 1, 2, 4, 4]
