"""Pictures with something wrong in them. Arrays of planes: uint8 [H*3/2,W], Y above U above V (4:2:0).

Sensors have noise, and darkness does not end it: what is altered here still differs from picture to picture,
so that a black or covered camera is not a frozen one too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["black", "covered", "moved", "white"]

Planes = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.floating[Any]]

_NOISE = 1.2
"""Standard deviation of a grain, in steps of luma."""

_GRAIN = 8
"""Pixels. Coarser than a sensor's own noise, because an encoder would swallow that."""


def black(planes: Planes, index: int) -> Planes:
    """Night without a lamp: a fiftieth of the light, and noise."""
    luma, chroma = _split(planes)
    dark = 16 + (luma.astype(np.float32) - 16) / 50 + _noise(luma.shape, index, _NOISE)
    return _join(dark, 128 + (chroma.astype(np.float32) - 128) / 50)


def white(planes: Planes, index: int) -> Planes:
    """The sun in the lens: all but the last of the contrast is gone."""
    luma, chroma = _split(planes)
    light = 230 + luma.astype(np.float32) / 50 + _noise(luma.shape, index, _NOISE)
    return _join(light, 128 + (chroma.astype(np.float32) - 128) / 50)


def covered(planes: Planes, index: int) -> Planes:
    """A hand or a cloth before the lens: dull, a little lighter to one side, what light gets in flickers."""
    luma, chroma = _split(planes)
    height, width = luma.shape
    slope = np.linspace(-12, 12, width, dtype=np.float32)[None, :]
    through = (float(luma.mean()) - 128) / 16
    dull = 70 + slope + through + _noise((height, width), index, _NOISE)
    return _join(dull, np.full(chroma.shape, 128, np.float32))


def moved(planes: Planes, index: int, by: float) -> Planes:
    """The picture shifted left by a share of its width and up by half as much; what comes in mirrors it."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    parts = np.split(planes.reshape(-1), [height * width, height * width * 5 // 4])
    sizes = [(height, width), (height // 2, width // 2), (height // 2, width // 2)]
    shifted = [_shifted(part.reshape(size), by) for part, size in zip(parts, sizes, strict=True)]
    return np.concatenate([part.reshape(-1) for part in shifted]).reshape(planes.shape)


def _shifted(plane: Planes, by: float) -> Planes:
    down, right = round(plane.shape[0] * by / 2), round(plane.shape[1] * by)
    mirrored = np.pad(plane, ((0, down), (0, right)), mode="symmetric")
    return mirrored[down:, right:]


def _split(planes: Planes) -> tuple[Planes, Planes]:
    height = planes.shape[0] * 2 // 3
    return planes[:height], planes[height:]


def _join(luma: Levels, chroma: Levels) -> Planes:
    return np.concatenate([luma, chroma]).clip(0, 255).astype(np.uint8)


def _noise(shape: tuple[int, ...], index: int, strength: float) -> Levels:
    """Grains that are another in every picture."""
    height, width = shape
    grains = np.random.default_rng(index).normal(0, strength, (height // _GRAIN + 1, width // _GRAIN + 1))
    return np.kron(grains, np.ones((_GRAIN, _GRAIN)))[:height, :width].astype(np.float32)
