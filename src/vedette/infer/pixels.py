"""What a network wants its pixels to be, and getting them there cheaply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.errors import DetectorError
from vedette.infer.detector import Images

__all__ = [
    "IMAGENET",
    "Network",
    "Picture",
    "Pixels",
    "Preparer",
    "Run",
    "TensorInfo",
    "chunks",
    "picture_of",
]

Run = Callable[[Images], list[NDArray[Any]]]
"""Runs a network on one batch [n, H, W, 3] and returns its outputs in order, valid until the next call."""

_FLOATS = ("float32", "float16")

USUAL_STRIDE = 32
"""Pixels: what the sides of a free input must be multiples of in most networks."""

SHRUNK = (320 / 416, 256 / 416)
"""Sides of smaller inputs as parts of the full ones. The bundled network takes 0.6 and 0.5 of the time."""

SMALLEST = 96
"""Pixels. Below, a network that was made for ten times as many sees nothing any more."""

SIZES_INPUT = "orig_target_sizes"
"""DETR exports that scale their boxes want the picture's (width, height), int64 [N, 2]."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of a network. ``shape`` has None where the size is free."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} [{', '.join('?' if n is None else str(n) for n in self.shape)}]"


@dataclass(frozen=True, slots=True)
class Pixels:
    """What is done to 0..255 RGB before a network with a float input: (x / scale - mean) / std.

    ``bgr``: the network was trained on blue first; also holds for uint8 inputs.
    """

    scale: float = 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False

    def changed(self, normalise: Mapping[str, Any] | None, channels: str | None) -> Pixels:
        """With what the configuration says. Raises DetectorError for what it cannot mean."""
        if channels not in (None, "rgb", "bgr"):
            raise DetectorError(f"channels must be rgb or bgr, not {channels!r}")
        given = dict(normalise or {})
        if unknown := given.keys() - {"scale", "mean", "std"}:
            raise DetectorError(f"normalise knows scale, mean and std, not {', '.join(sorted(unknown))}")
        try:
            scale = float(given.get("scale", self.scale))
            mean, std = _three(given.get("mean", self.mean)), _three(given.get("std", self.std))
        except (TypeError, ValueError) as err:
            raise DetectorError(f"normalise: {err}") from err
        if scale == 0 or 0 in std:
            raise DetectorError("normalise: scale and std must not be 0")
        return Pixels(scale, mean, std, self.bgr if channels is None else channels == "bgr")


IMAGENET = Pixels(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture input of a network: its size is None where it is free, and so is its batch."""

    name: str
    dtype: str
    planar: bool
    """True for [N, 3, H, W], False for [N, H, W, 3]."""
    size: tuple[int | None, int | None]
    batch: int | None

    def sized(self, wanted: tuple[int, int] | None, default: tuple[int, int]) -> tuple[int, int]:
        """(height, width) to use. Raises DetectorError where the network's own size is another."""
        size = wanted or (self.size[0] or default[0], self.size[1] or default[1])
        if any(own not in (None, asked) for own, asked in zip(self.size, size, strict=True)):
            own = " x ".join("any" if length is None else str(length) for length in self.size)
            raise DetectorError(f"the model's pictures are {own} (height x width), input_size says {size}")
        return size

    def smaller(self, size: tuple[int, int], stride: int = USUAL_STRIDE) -> tuple[tuple[int, int], ...]:
        """Sizes (height, width) below ``size``, largest first, aspect kept as well as multiples of ``stride``
        allow; none where the network's own size is fixed. Whether it takes them is for a trial to show."""
        if self.size != (None, None):
            return ()
        found: list[tuple[int, int]] = []
        for part in SHRUNK:
            height, width = (round(length * part / stride) * stride for length in size)
            above = found[-1] if found else size
            if min(height, width) >= SMALLEST and height <= above[0] and width <= above[1]:
                found += [(height, width)] * ((height, width) != above)
        return tuple(found)

    def shape(self, batch: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        return (batch, 3, *size) if self.planar else (batch, *size, 3)


class Network(Protocol):
    """A model file opened by one of the runtimes."""

    picture: Picture
    metadata: dict[str, str]
    where: str
    """Runtime and device, for people: ``openvino · cpu``."""
    precision: str
    """In which it computes, once it was compiled: ``f32``, ``bf16``…; empty before."""

    def outputs_at(self, size: tuple[int, int]) -> tuple[TensorInfo, ...]:
        """The outputs for pictures of (height, width). DetectorError where it cannot take them."""
        ...

    def compile(self, pixels: Pixels, size: tuple[int, int]) -> tuple[Run, int | None]:
        """Make it ready for pictures of (height, width): how to run it, and the only batch it then takes
        (None: any). May be called again for another size; what was made before goes on working."""
        ...

    @property
    def inputs(self) -> tuple[TensorInfo, ...]: ...


class Preparer:
    """Brings pictures into the shape and numbers a network takes, without a new array each time."""

    def __init__(self, picture: Picture, pixels: Pixels) -> None:
        self._picture, self._bgr = picture, pixels.bgr
        channels = (3, 1, 1) if picture.planar else (3,)
        std, mean = np.array(pixels.std), np.array(pixels.mean)
        self._factor = (1 / (pixels.scale * std)).astype(np.float32).reshape(channels)
        self._offset = (-mean / std).astype(np.float32).reshape(channels)
        self._shifted = bool(self._offset.any())
        self._buffer = np.empty(0, np.float32)

    def __call__(self, images: Images) -> NDArray[Any]:
        view = images[..., ::-1] if self._bgr else images
        view = view.transpose(0, 3, 1, 2) if self._picture.planar else view
        if self._picture.dtype == "uint8":
            return np.ascontiguousarray(view)
        if self._buffer.shape != view.shape:
            self._buffer = np.empty(view.shape, np.float32)
        np.multiply(view, self._factor, out=self._buffer, dtype=np.float32)
        if self._shifted:
            self._buffer += self._offset
        return self._buffer if self._picture.dtype == "float32" else self._buffer.astype(np.float16)


def picture_of(inputs: Sequence[TensorInfo]) -> Picture:
    """Find the picture input. Raises DetectorError where none takes RGB, or other inputs are unknown."""
    pictures = [entry for entry in inputs if len(entry.shape) == 4]
    others = [entry for entry in inputs if len(entry.shape) != 4 and entry.name != SIZES_INPUT]
    if len(pictures) != 1 or others:
        raise DetectorError(f"the model must take one batch of pictures; its inputs: {_listed(inputs)}")
    entry = pictures[0]
    batch, *rest = entry.shape
    if entry.dtype not in ("uint8", *_FLOATS):
        raise DetectorError(f"the model's input must be uint8 or float, not {entry}")
    # Where the shape does not tell: floats come from training frameworks, which put channels first.
    planar = rest[0] == 3 or (rest[2] != 3 and rest[0] is None and entry.dtype in _FLOATS)
    if not planar and rest[2] not in (3, None):
        raise DetectorError(f"the model does not take RGB pictures: {entry}")
    height, width = rest[1:] if planar else rest[:2]
    return Picture(entry.name, entry.dtype, planar, (height, width), batch)


def extra_feeds(inputs: Sequence[TensorInfo], count: int, size: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """What the inputs beside the picture are given."""
    if any(entry.name == SIZES_INPUT for entry in inputs):
        return {SIZES_INPUT: np.tile(np.array([[size[1], size[0]]], np.int64), (count, 1))}
    return {}


def chunks(images: Images, batch: int | None) -> Iterator[tuple[Images, int]]:
    """Batches of exactly ``batch`` pictures (the last one filled up), each with how many of them count."""
    if batch is None:
        yield images, len(images)
        return
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        missing = batch - len(part)
        filled = np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.uint8)]) if missing else part
        yield filled, len(part)


def _three(values: Any) -> tuple[float, float, float]:
    numbers = [float(values)] * 3 if isinstance(values, (int, float)) else [float(value) for value in values]
    if len(numbers) != 3 or not np.isfinite(numbers).all():
        raise ValueError(f"one number or three are needed, not {values!r}")
    return numbers[0], numbers[1], numbers[2]


def _listed(tensors: Sequence[TensorInfo]) -> str:
    return "; ".join(str(entry) for entry in tensors) or "none"
