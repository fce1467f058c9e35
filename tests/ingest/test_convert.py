"""Right colours, right place, right size."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.infer.letterbox import PADDING, Placement, fit
from vedette.ingest.convert import Converter, ConvertFailed

BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)
FULL, LIMITED = 2, 1
SPC_709, SPC_601 = 1, 6


def filled(fmt: str, y: int, u: int, v: int, *, range_: int = 0, space: int = 2) -> av.VideoFrame:
    """A picture of one colour, 64×48."""
    frame = av.VideoFrame(64, 48, fmt)
    interleaved = {"nv12": [bytes([y]), bytes([u, v])], "yuyv422": [bytes([y, u, y, v])]}
    planar = [bytes([value]) for value in (y, u, v)]
    if fmt.endswith("10le"):
        planar = [(value * 4).to_bytes(2, "little") for value in (y, u, v)]
    for plane, pattern in zip(frame.planes, interleaved.get(fmt, planar), strict=False):
        plane.update(pattern * (plane.buffer_size // len(pattern)))
    frame.color_range, frame.colorspace = range_, space
    return frame


def expected(y: int, u: int, v: int, weights: tuple[float, float], full: bool) -> list[float]:
    """The textbook's formula."""
    red, blue = weights
    luma = y / 255 if full else (y - 16) / 219
    scale = 255 if full else 224
    cb, cr = (u - 128) / scale, (v - 128) / scale
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return [float(np.clip(channel * 255, 0, 255)) for channel in (r, g, b)]


@pytest.mark.parametrize("size", [(64, 48), (32, 24), (128, 96)])
@pytest.mark.parametrize(
    ("fmt", "range_", "space", "weights", "full"),
    [
        ("yuv420p", 0, 2, BT601, False),
        ("yuv420p", LIMITED, SPC_709, BT709, False),
        ("yuv420p", FULL, SPC_601, BT601, True),
        ("yuv420p", FULL, SPC_709, BT709, True),
        ("yuvj420p", 0, 2, BT601, True),
        ("yuvj420p", FULL, SPC_709, BT709, True),
        ("yuv422p", 0, SPC_601, BT601, False),
        ("yuvj422p", FULL, 2, BT601, True),
        ("yuv444p", 0, SPC_709, BT709, False),
        ("nv12", 0, 2, BT601, False),
        ("nv12", LIMITED, SPC_709, BT709, False),
        ("yuyv422", 0, 2, BT601, False),
        ("yuv420p10le", 0, SPC_709, BT709, False),
    ],
)
def test_colours_follow_the_range_and_the_matrix_of_the_stream(
    fmt: str, range_: int, space: int, weights: tuple[float, float], full: bool, size: tuple[int, int]
) -> None:
    width, height = size
    for y, u, v in [(235, 128, 128), (16, 128, 128), (120, 128, 128), (81, 90, 200), (100, 160, 110)]:
        target = np.zeros((height, width, 3), np.uint8)
        Converter().into(
            filled(fmt, y, u, v, range_=range_, space=space), target, Placement(1.0, 0, 0, width, height)
        )
        assert np.abs(target[height // 2, width // 2] - np.array(expected(y, u, v, weights, full))).max() <= 3


def test_grey_pictures_are_grey() -> None:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64), 77, np.uint8), "gray")
    assert np.abs(Converter().to_rgb(frame).astype(int) - 77).max() <= 1


@pytest.mark.parametrize("fmt", ["rgb24", "bgr24"])
def test_a_picture_of_the_inputs_own_size_arrives_untouched(fmt: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (51, 67, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, fmt)
    target = np.zeros_like(pixels)
    Converter().into(frame, target, fit((51, 67), (51, 67)))
    assert np.array_equal(target, pixels if fmt == "rgb24" else pixels[..., ::-1])
    assert np.array_equal(Converter().to_rgb(frame), target)


def test_the_same_picture_gives_the_same_pixels_every_time() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (90, 160, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p", threads=1)
    converter, results = Converter(), []
    for _ in range(3):
        target = np.zeros((64, 96, 3), np.uint8)
        converter.into(frame, target, fit((90, 160), (64, 96)))
        results.append(target)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_one_converter_follows_a_camera_that_changes_its_format() -> None:
    converter = Converter()
    for fmt, space in (("yuv420p", SPC_709), ("nv12", SPC_601), ("yuv420p", SPC_709)):
        frame = filled(fmt, 81, 90, 200, space=space)
        assert np.array_equal(converter.to_rgb(frame), Converter().to_rgb(frame))


def test_detail_is_averaged_when_a_picture_shrinks_and_not_dropped() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::8] = 255
    target = np.zeros((50, 50, 3), np.uint8)
    Converter().into(av.VideoFrame.from_ndarray(stripes, "rgb24"), target, fit((400, 400), (50, 50)))
    assert np.abs(target[5:-5, 5:-5].astype(int) - 32).max() <= 3


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(st.integers(2, 300), st.integers(2, 300)),
    into=st.tuples(st.integers(2, 300), st.integers(2, 300)),
)
def test_any_picture_fits_any_input_and_the_rest_is_border(
    source: tuple[int, int], into: tuple[int, int]
) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((*source, 3), 200, np.uint8), "rgb24")
    slot = np.zeros((into[0] + 2, into[1], 3), np.uint8)
    placement = fit(source, into)
    Converter().into(frame, slot[1:-1], placement)
    assert not slot[0].any()
    assert not slot[-1].any()
    inside = np.zeros(into, bool)
    inside[
        placement.pad_y : placement.pad_y + placement.height,
        placement.pad_x : placement.pad_x + placement.width,
    ] = True
    assert np.abs(slot[1:-1][inside].astype(int) - 200).max() <= 1
    assert (slot[1:-1][~inside] == PADDING).all()


def test_a_placement_that_does_not_fit_is_refused_before_anything_is_written() -> None:
    target = np.full((10, 10, 3), 5, np.uint8)
    with pytest.raises(ValueError, match="does not fit"):
        Converter().into(filled("yuv420p", 1, 1, 1), target, Placement(1.0, 4, 0, 8, 8))
    assert (target == 5).all()


def test_a_picture_without_pixels_is_our_error() -> None:
    with pytest.raises(ConvertFailed):
        Converter().to_rgb(av.VideoFrame(0, 0, "yuv420p"))
