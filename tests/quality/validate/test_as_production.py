"""A picture gets the very boxes that the pipeline would give it."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from quality.validate.written_sets import cars, jpeg, png
from test_pipeline import Rig
from vedette.errors import LabelError
from vedette.frame import EncodedFrame, StreamInfo
from vedette.infer.load import DetectorSpec, load_detector
from vedette.quality.labels.dataset import Picture
from vedette.quality.validate.pictures import decode
from vedette.quality.validate.predict import FLOOR, Predictor, load
from vedette.workers.protocol import Done

SPEC = DetectorSpec(device="cpu", runtime="onnxruntime")


def by_the_pipeline(codec: str, data: bytes, spec: DetectorSpec) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Boxes, confidence and names of a camera's result, whose stream is this picture."""
    detector = load_detector(spec)
    rig = Rig(target=detector.input_size, tracker=_none, tracker_options={}, max_age=60.0)
    try:
        rig.pipeline.opened(StreamInfo(codec))
        rig.pipeline.frame(EncodedFrame(data, pts=0.0, arrived=rig.clock.now, keyframe=True))
        ticket = rig.take()
        assert ticket is not None
        [found] = detector.detect_boxes(rig.target[None])
        columns = (found.xyxy.tobytes(), found.confidence.tobytes(), found.class_id.tobytes())
        rig.pipeline.finish(ticket, Done(ticket, 0, *columns, list(found.class_name)))
        [result] = rig.results
    finally:
        rig.close()
    return result.boxes.xyxy, result.boxes.confidence, list(result.boxes.class_name)


def _none(next_id: object) -> object:
    from vedette.track.tracker import make_tracker

    return make_tracker("none", {}, 0.4, next_id)  # type: ignore[arg-type]


def picture_of(data: bytes) -> Picture:
    return Picture("a", *Image.open(io.BytesIO(data)).size)


@pytest.mark.parametrize("size", [None, (416, 416)])
@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_boxes_are_those_of_a_camera_that_sends_this_picture(
    codec: str, size: tuple[int, int] | None
) -> None:
    spec = msgspec.structs.replace(SPEC, input_size=size)
    pixels = cars()[5]
    data = jpeg(pixels) if codec == "mjpeg" else png(pixels)
    xyxy, confidence, names = by_the_pipeline(codec, data, spec)
    assert len(xyxy)
    boxes = Predictor(load(spec)).boxes_in(decode(data, picture_of(data)))
    sure = boxes.confidence >= np.float32(spec.confidence)
    np.testing.assert_array_equal(boxes.xyxy[sure], xyxy)
    np.testing.assert_array_equal(boxes.confidence[sure], confidence)
    assert [name for name, kept in zip(boxes.class_name, sure, strict=True) if kept] == names
    assert (~sure).any()
    assert boxes.confidence.min() >= FLOOR


@pytest.mark.parametrize("quality", [40, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("extent", [(64, 48), (33, 17), (200, 31)])
def test_jpegs_of_every_kind_are_decoded(extent: tuple[int, int], subsampling: int, quality: int) -> None:
    pixels = np.full((extent[1], extent[0], 3), (200, 100, 50), np.uint8)
    data = jpeg(pixels, quality, subsampling)
    frame = decode(data, Picture("a.jpg", *extent))
    assert (frame.width, frame.height) == extent


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "1", "I;16"])
def test_pngs_of_every_kind_become_input_of_the_detector(mode: str, tmp_path: Path) -> None:
    data = io.BytesIO()
    picture = Image.new("RGB", (64, 48), (204, 204, 204) if mode != "1" else (255, 255, 255))
    (Image.new("I;16", (64, 48), 204 * 257) if mode == "I;16" else picture.convert(mode)).save(data, "PNG")
    seen = []

    class Looks:
        input_size, names, smaller, describe, post_s = (48, 64), (), (), "looks", 0.0

        def detect_boxes(self, images: np.ndarray) -> list[object]:
            from vedette.infer.detector import Boxes

            seen.append(images.copy())
            return [Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), ())]

    frame = decode(data.getvalue(), Picture("a.png", 64, 48))
    assert len(Predictor(Looks()).boxes_in(frame)) == 0  # type: ignore[arg-type]
    assert np.abs(seen[0].astype(int) - (255 if mode == "1" else 204)).max() <= 2


def test_a_picture_of_another_size_than_the_set_says_is_not_looked_at() -> None:
    data = png(np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(LabelError, match=r"a\.png: is 64x48, the set says 640x480"):
        decode(data, Picture("a.png", 640, 480))


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + b"\0" * 50, b"\xff\xd8\xff" + b"noise" * 20, b"\x89PNG\r\n\x1a\n" + b"\0" * 40]
)
def test_what_is_no_picture_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(LabelError, match=r"a\.png"):
        decode(data, Picture("a.png", 64, 48))


def test_a_detector_in_python_is_left_as_it_is(tmp_path: Path) -> None:
    from quality.validate.written_sets import square, squares

    squares(tmp_path, 1)
    spec = DetectorSpec(python="squares:Squares", options={"threshold": 0.9}, folder=str(tmp_path))
    dim, bright = (png(square(3, brightness)[0]) for brightness in (180, 250))
    predictor = Predictor(load(spec))
    assert len(predictor.boxes_in(decode(dim, picture_of(dim)))) == 0
    assert len(predictor.boxes_in(decode(bright, picture_of(bright)))) == 1
