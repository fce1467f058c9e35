"""The numbers a network is fed are the numbers that its training says, on both runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from networks import echo_network
from vedette.errors import DetectorError
from vedette.infer.onnx import OnnxNetwork
from vedette.infer.openvino import OpenVinoNetwork
from vedette.infer.pixels import IMAGENET, Network, Pixels, TensorInfo, chunks, picture_of

IMAGES = np.random.default_rng(1).integers(0, 256, (1, 6, 4, 3), dtype=np.uint8)
RUNTIMES: list[Any] = [OnnxNetwork, OpenVinoNetwork]


def fed(network: Network, pixels: Pixels) -> np.ndarray:
    network.outputs_at((6, 4))
    run, _ = network.compile(pixels, (6, 4))
    return run(IMAGES)[0]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("shape", [(1, 3, 6, 4), (1, 6, 4, 3), (None, 3, None, None)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("pixels", [Pixels(), Pixels(1, bgr=True), IMAGENET])
def test_floats_are_scaled_shifted_and_put_in_order(
    tmp_path: Path, runtime: Any, shape: tuple[int | None, ...], dtype: str, pixels: Pixels
) -> None:
    path = echo_network(
        tmp_path / "echo.onnx", [axis or name for axis, name in zip(shape, "NCHW", strict=True)], dtype
    )
    expected = (IMAGES.astype(float) / pixels.scale - pixels.mean) / pixels.std
    expected = expected[..., ::-1] if pixels.bgr else expected
    expected = expected if shape[-1] == 3 else expected.transpose(0, 3, 1, 2)
    # Half floats, and bfloat16 where the CPU computes in that, have three digits.
    np.testing.assert_allclose(fed(runtime(path, 1), pixels), expected, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("shape", [(1, 3, 6, 4), (1, 6, 4, 3)])
@pytest.mark.parametrize("bgr", [False, True])
def test_uint8_pixels_arrive_untouched(
    tmp_path: Path, runtime: Any, shape: tuple[int, ...], bgr: bool
) -> None:
    path = echo_network(tmp_path / "echo.onnx", shape, "uint8")
    expected = IMAGES[..., ::-1] if bgr else IMAGES
    expected = expected if shape[-1] == 3 else expected.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(fed(runtime(path, 1), Pixels(bgr=bgr)), expected)


def test_what_is_set_goes_before_what_the_head_says() -> None:
    changed = Pixels().changed({"scale": 1, "mean": [1, 2, 3], "std": 2}, "bgr")
    assert changed == Pixels(1, (1, 2, 3), (2, 2, 2), True)
    assert IMAGENET.changed(None, None) == IMAGENET


@pytest.mark.parametrize(
    ("normalise", "channels", "message"),
    [
        ({"gain": 1}, None, "not gain"),
        ({"std": [1, 0, 1]}, None, "must not be 0"),
        ({"mean": [1, 2]}, None, "one number or three"),
        ({"mean": "dark"}, None, "could not convert"),
        (None, "yuv", "channels must be rgb or bgr"),
    ],
)
def test_normalisation_that_makes_no_sense_is_refused(
    normalise: Any, channels: str | None, message: str
) -> None:
    with pytest.raises(DetectorError, match=message):
        Pixels().changed(normalise, channels)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([TensorInfo("x", (1, 1, 28, 28), "float32")], "does not take RGB pictures: x float32"),
        ([TensorInfo("x", (1, 10), "float32")], "must take one batch of pictures"),
        ([TensorInfo("x", (1, 3, 8, 8), "float32"), TensorInfo("prompt", (1, 7), "int64")], "prompt int64"),
        ([TensorInfo("x", (1, 3, 8, 8), "int64")], "must be uint8 or float"),
    ],
)
def test_a_model_that_takes_no_pictures_is_refused(inputs: list[TensorInfo], message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        picture_of(inputs)


def test_a_batch_is_cut_to_what_the_network_takes_and_filled_up() -> None:
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(3, axis=3)
    parts = [(part[:, 0, 0, 0].tolist(), count) for part, count in chunks(images, 2)]
    assert parts == [([0, 1], 2), ([2, 3], 2), ([4, 0], 1)]
    assert [len(part) for part, _ in chunks(images, None)] == [5]
