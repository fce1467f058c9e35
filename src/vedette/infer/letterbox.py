"""Where a picture lies inside a detector's input: pure geometry. The scaling itself is done elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["PADDING", "Placement", "fit", "place", "to_source"]

PADDING = 114
"""Grey value of what the picture leaves free; what most detectors saw there in training."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture scaled by ``scale`` to ``width`` × ``height`` pixels, ``pad_x``, ``pad_y`` from the corner.

    All in pixels of the detector's input. Width and height are rounded to even numbers, so the exact
    scales are ``width / source width`` and ``height / source height``; ``scale`` is the one aimed for.
    """

    scale: float
    pad_x: int
    pad_y: int
    width: int
    height: int


def fit(source_hw: tuple[int, int], input_hw: tuple[int, int]) -> Placement:
    """Place a picture of (height, width) centred in an input of (height, width), its aspect kept.

    A picture of the input's own size stays as it is. Otherwise sizes and offsets are even, because
    pictures with halved chroma can only be cut at even pixels. Raises ValueError for empty sizes.
    """
    (source_h, source_w), (input_h, input_w) = source_hw, input_hw
    if min(source_h, source_w, input_h, input_w) < 1:
        raise ValueError(f"cannot place {source_w}x{source_h} in {input_w}x{input_h}")
    if source_hw == input_hw:
        return Placement(1.0, 0, 0, input_w, input_h)
    scale = min(input_h / source_h, input_w / source_w)
    width, height = _even(source_w * scale, input_w), _even(source_h * scale, input_h)
    return Placement(scale, (input_w - width) // 4 * 2, (input_h - height) // 4 * 2, width, height)


def _even(length: float, limit: int) -> int:
    """The nearest even number in 2..limit (or the limit itself where that is 1)."""
    return min(max(2, round(length / 2) * 2), limit if limit < 2 else limit // 2 * 2)


def place(
    xyxy: NDArray[np.floating], placement: Placement, source_hw: tuple[int, int]
) -> NDArray[np.float32]:
    """Boxes [n, 4] in pixels of the source → pixels of the detector's input."""
    scale, offset, _ = _map(placement, source_hw)
    return (xyxy * scale + offset).astype(np.float32)


def to_source(
    xyxy: NDArray[np.floating], placement: Placement, source_hw: tuple[int, int]
) -> NDArray[np.float32]:
    """Boxes [n, 4] in pixels of the detector's input → pixels of the source, clipped to its edges."""
    scale, offset, edges = _map(placement, source_hw)
    boxes = ((xyxy - offset) / scale).astype(np.float32, copy=False)
    return np.minimum(np.maximum(boxes, 0), edges)


@lru_cache(maxsize=256)
def _map(
    placement: Placement, source_hw: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Scale, offset, and the source's edges; [4] each, never to be written to."""
    height, width = source_hw
    across, down = placement.width / width, placement.height / height
    offset = [placement.pad_x, placement.pad_y, placement.pad_x, placement.pad_y]
    of_edges = ([across, down, across, down], offset, [width, height, width, height])
    scale, start, edges = (np.array(each, np.float32) for each in of_edges)
    return scale, start, edges
