"""A frame's own number, drawn into its picture so that H.264 cannot blur it. Needs numpy only: the peer's
environment reads it too."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BITS", "UNREADABLE", "draw_index", "read_index"]

BITS = 8
_BLOCK = 40
"""Pixels. 2.5 macroblocks: the middle of a block is flat at any quality."""

UNREADABLE = 999
"""In place of a number, where a number must be."""

_WEIGHTS = 1 << np.arange(BITS)


def draw_index(picture: npt.NDArray[np.uint8], index: int) -> None:
    """Draw ``index`` (below 256) into a picture [H, W >= 640, 3]: eight black or white blocks along the top,
    then the same eight inverted, so that a number that was not read right shows."""
    bits = (index >> np.arange(BITS)) & 1
    blocks = np.concatenate([bits, 1 - bits]).astype(np.uint8) * 255
    picture[:_BLOCK, : 2 * BITS * _BLOCK] = np.repeat(blocks, _BLOCK)[None, :, None]


def read_index(picture: npt.NDArray[Any]) -> int | None:
    """The number in an RGB or BGR picture [H, W, 3] of the original size; None where there is none."""
    bits = picture[_BLOCK // 2, _BLOCK // 2 : 2 * BITS * _BLOCK : _BLOCK, 1] > 127
    if (bits[:BITS] == bits[BITS:]).any():
        return None
    return int(bits[:BITS] @ _WEIGHTS)
