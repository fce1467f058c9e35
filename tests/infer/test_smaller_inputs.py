"""The same detector for smaller pictures: which sizes it offers, and that it still finds the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vedette
from networks import constant_network
from vedette.errors import DetectorError
from vedette.infer.detector import Boxes
from vedette.infer.letterbox import PADDING, Placement, fit, to_source
from vedette.infer.load import BUNDLED, DetectorSpec, load_detector
from vedette.infer.pixels import SMALLEST, Picture
from vedette.infer.suppress import overlap

DRIVEWAY = Path(vedette.__file__).parent / "assets" / "driveway.mov"
RUNTIMES = ["onnxruntime", "openvino"]
FREE = Picture("image", "uint8", False, (None, None), 1)
YOLOV8 = {"output0": np.zeros((1, 6, 84), np.float32)}
numbers = count()


def load(**settings: Any) -> Any:
    return load_detector(DetectorSpec(**{"device": "cpu", "threads": 1, **settings}))


@pytest.fixture(scope="module")
def car() -> Any:
    """A frame of the driveway with the car in it, as the decoder gave it."""
    with av.open(str(DRIVEWAY)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == 480:
                return frame
    raise AssertionError("the clip has more than 480 frames")


def picture(frame: Any, size: tuple[int, int]) -> tuple[np.ndarray, Placement]:
    """The frame as a detector for pictures of (height, width) gets it."""
    placed = fit((frame.height, frame.width), size)
    canvas = np.full((1, *size, 3), PADDING, np.uint8)
    pixels = frame.reformat(placed.width, placed.height, "rgb24").to_ndarray()
    rows, columns = slice(placed.pad_y, placed.pad_y + placed.height), slice(placed.pad_x, None)
    canvas[0, rows, columns][:, : placed.width] = pixels
    return canvas, placed


def seen(detector: Any, frame: Any) -> tuple[Boxes, np.ndarray]:
    """What a detector finds in the frame, and the boxes in pixels of the frame."""
    canvas, placed = picture(frame, detector.input_size)
    (boxes,) = detector.detect_boxes(canvas)
    return boxes, to_source(boxes.xyxy, placed, (frame.height, frame.width))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_bundled_detector_finds_the_car_at_every_size(car: Any, runtime: str) -> None:
    full = load(runtime=runtime)
    assert full.smaller == ((192, 320), (160, 256))
    expected, places = seen(full, car)
    assert expected.class_name[0] == "car"
    for size in full.smaller:
        smaller = full.resized(size)
        assert smaller.input_size == size
        assert smaller.names == full.names
        assert smaller.describe.endswith(f"{runtime} · cpu · {size[0]}x{size[1]}")
        found, where = seen(smaller, car)
        best = int(overlap(places[:1], where)[0].argmax())
        assert overlap(places[:1], where)[0, best] > 0.7
        assert found.class_name[best] == "car"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_it_can_be_shrunk_and_grown_again(car: Any, runtime: str) -> None:
    full = load(runtime=runtime, input_size=(416, 416))
    assert full.smaller == ((320, 320), (256, 256))
    small = full.resized((256, 256))
    assert small.smaller == ()
    middle = small.resized((320, 320))
    assert middle.smaller == ((256, 256),)
    again = middle.resized((416, 416))
    np.testing.assert_array_equal(seen(again, car)[0].xyxy, seen(full, car)[0].xyxy)
    assert full.resized((416, 416)) is full


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_sizes_do_not_disturb_each_other_in_two_threads(car: Any, runtime: str) -> None:
    full = load(runtime=runtime)
    pictures = {size: picture(car, size)[0] for size in (full.input_size, *full.smaller)}

    def boxes_of(detector: Any) -> np.ndarray:
        return np.asarray(detector.detect_boxes(pictures[detector.input_size])[0].xyxy)

    def shrink() -> list[np.ndarray]:
        return [boxes_of(full.resized(size)) for size in full.smaller]

    alone = boxes_of(full)
    with ThreadPoolExecutor(1) as other:
        smaller = other.submit(shrink)
        while not smaller.done():
            np.testing.assert_array_equal(boxes_of(full), alone)
        for boxes, again in zip(smaller.result(), shrink(), strict=True):
            np.testing.assert_array_equal(boxes, again)


def test_a_size_that_is_not_offered_is_refused() -> None:
    with pytest.raises(DetectorError, match=r"pictures of 100x100; it can for 256x416, 192x320, 160x256"):
        load(runtime="onnxruntime").resized((100, 100))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_network_of_one_size_offers_no_other(tmp_path: Path, runtime: str) -> None:
    constant_network(tmp_path / "m.onnx", YOLOV8)
    detector = load(model="m.onnx", folder=str(tmp_path), runtime=runtime)
    assert detector.smaller == ()
    with pytest.raises(DetectorError, match=r"m cannot be made for pictures of 32x32; it can for 64x64"):
        detector.resized((32, 32))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_networks_own_stride_is_kept_and_what_it_refuses_is_not_offered(
    tmp_path: Path, runtime: str
) -> None:
    model = onnx.load(str(BUNDLED))
    onnx.helper.set_model_props(model, {"stride": "8"})  # which is not true, so it cannot take 200x320
    onnx.save(model, str(tmp_path / "m.onnx"))
    detector = load(model="m.onnx", folder=str(tmp_path), runtime=runtime, head="picodet")
    assert detector.smaller == ((160, 256),)
    assert FREE.smaller((256, 416), 8) == ((200, 320), (160, 256))
    assert FREE.smaller((448, 448), 14) == ((350, 350), (280, 280))


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([8, 14, 16, 32, 64]))
def test_smaller_sizes_fall_keep_the_aspect_and_are_never_tiny(rows: int, columns: int, stride: int) -> None:
    full = (rows * stride, columns * stride)
    areas = [full[0] * full[1]]
    for height, width in FREE.smaller(full, stride):
        assert height % stride == width % stride == 0
        assert min(height, width) >= SMALLEST
        assert height * width < areas[-1]
        areas.append(height * width)
        # To the nearest multiple: half a stride on each side at most.
        part = (320 if len(areas) == 2 else 256) / 416
        assert max(abs(height - full[0] * part), abs(width - full[1] * part)) <= stride


@pytest.mark.parametrize("size", [(64, 64), (None, 64), (64, None)])
def test_a_picture_input_that_is_fixed_has_no_smaller_size(size: tuple[int | None, int | None]) -> None:
    assert Picture("image", "uint8", False, size, 1).smaller((640, 640)) == ()


# ---- how long it takes after the network


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_time_after_the_network_is_told(tmp_path: Path, runtime: str) -> None:
    output = np.zeros((1, 84, 8400), np.float32)
    output[0, :4] = np.random.default_rng(1).uniform(100, 500, (4, 8400))
    output[0, 4:, :2000] = 0.9
    constant_network(tmp_path / "m.onnx", {"output0": output}, (1, 3, 640, 640))
    detector = load(model="m.onnx", folder=str(tmp_path), runtime=runtime)
    images = np.zeros((2, 640, 640, 3), np.uint8)
    assert detector.post_s == 0.0
    began = time.perf_counter()
    detector.detect_boxes(images)
    assert 0 < detector.post_s < time.perf_counter() - began
    with pytest.raises(DetectorError):
        detector.detect_boxes(images[:, :32])
    assert detector.post_s == 0.0


# ---- detectors that users write

USERS = """
import time
import numpy as np
import supervision as sv

class Finder:
    def __init__(self, size=(480, 640)):
        self.input_size = size
        self.smaller = [(360, 480), (240, 320)] if size == (480, 640) else []
    def resized(self, size):
        return Finder(size)
    def detect(self, images):
        time.sleep(0.3)
        height, width = self.input_size
        return [sv.Detections(xyxy=np.array([[0, 0, width / 2, height]])) for _ in images]
"""


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Loads ``Finder`` from the source of a module."""
    monkeypatch.setattr("sys.path", __import__("sys").path[:])

    def load_source(source: str) -> Any:
        name = f"users_sizes_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text(source)
        return load(python=f"{name}:Finder", folder=str(tmp_path), classes=["thing"])

    return load_source


def test_a_users_detector_may_offer_smaller_sizes(users: Any) -> None:
    full = users(USERS)
    assert full.smaller == ((360, 480), (240, 320))
    small = full.resized((240, 320))
    (boxes,) = small.detect_boxes(np.zeros((1, 240, 320, 3), np.uint8))
    assert boxes.xyxy.tolist() == [[0, 0, 160, 240]]
    assert small.smaller == ()
    assert small.resized((360, 480)).smaller == ((240, 320),)
    assert small.resized((480, 640)).smaller == full.smaller
    assert small.describe.endswith(":Finder · 240x320")
    with pytest.raises(DetectorError, match=r"Finder cannot be made for pictures of 9x9; it can for 480x640"):
        full.resized((9, 9))


def test_only_the_checks_of_a_users_results_count_as_after_the_network(users: Any) -> None:
    detector = users(USERS)
    detector.warm_up()
    began = time.perf_counter()
    detector.detect_boxes(np.zeros((1, 480, 640, 3), np.uint8))
    # Less than all of it, by what the detector itself sleeps.
    assert 0 < detector.post_s <= time.perf_counter() - began - 0.3


def test_a_users_detector_that_offers_nothing_stays_as_it_is(users: Any) -> None:
    detector = users("class Finder:\n  input_size = (8, 8)\n  def detect(self, images): return []")
    assert detector.smaller == ()


@pytest.mark.parametrize(
    ("smaller", "resized", "message"),
    [
        ("4", "return self", r"smaller must list sizes \(height, width\)"),
        ("[4]", "return self", r"smaller must list sizes \(height, width\): input_size must be"),
        ("[(32, 32), (48, 48)]", "return self", "largest first"),
        ("[(64, 64)]", "return self", "sizes below its own"),
        ("[(32, 32)]", None, r"Finder has smaller sizes but no method resized\(size\)"),
        ("[(32, 32)]", "1 / 0", r"resized\(\(32, 32\)\) raised ZeroDivisionError"),
        ("[(32, 32)]", "return None", r"resized\(\(32, 32\)\) has no input_size"),
        ("[(32, 32)]", "return self", r"returned a detector whose input_size is \(64, 64\)"),
    ],
)
def test_an_offer_that_does_not_hold_says_why(
    users: Any, smaller: str, resized: str | None, message: str
) -> None:
    source = (
        f"class Finder:\n  input_size = (64, 64)\n  smaller = {smaller}\n  def detect(self, i): return []\n"
    )
    if resized:
        source += f"  def resized(self, size): {resized}\n"
    with pytest.raises(DetectorError, match=message):
        users(source).resized((32, 32))
