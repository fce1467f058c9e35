"""A decoded picture's brightness as a coarse grid of means: of 640×360 pixels, 160×90 cells are left.

Each cell is a mean of 16 pixels, so a sensor's noise is a quarter of what it was. In larger pictures the 16
lie further apart; the grid stays about the same, and so does the cost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Cells", "read_cells"]

Cells = npt.NDArray[np.float32]
"""Raw luma, 0…255, [rows, columns]."""

_ACROSS = 160
"""Cells along the longer side, about: a person of 8×20 pixels in 640×360 is two cells wide and five high."""

_LINES = 4
"""Lines of each cell that are read."""

_FEWEST = 4
"""Rows and columns. In a smaller grid there is nothing to compare a cell's neighbourhood with."""

_MOST_BITS = 14
"""So the sum over four lines stays within 16 bits."""

_BYTES = np.uint32(0x00FF00FF)
_PAIR = np.uint32(0xFFFF)
_SHORTS = np.uint64(0x0000FFFF0000FFFF)
_LONG = np.uint64(0xFFFFFFFF)


def read_cells(image: Any) -> Cells | None:
    """The cells of an ``av.VideoFrame``; None for a kind whose brightness cannot be read as it lies in memory
    (RGB, pictures on a GPU), and for pictures of a few pixels."""
    try:
        bits = _luma_bits(image.format.name)
        if not bits:
            return None
        bytes_each = 1 if bits == 8 else 2
        words = _words(image.planes[0], image.width, image.height, bytes_each)
    except (ValueError, TypeError, BufferError, MemoryError, NotImplementedError):
        return None  # no memory behind the plane, or less than its size claims
    if words is None:
        return None
    return _means_of_bytes(words) if bits == 8 else _means_of_shorts(words, bits)


@lru_cache(maxsize=64)
def _luma_bits(form: str) -> int:
    """Bits of each sample in the first plane, where that is luma and nothing else; otherwise 0."""
    if form.startswith(("yuyv", "yuvx")):
        return 0
    if not form.startswith(("yuv", "gray", "nv12", "nv21", "nv16", "nv24")):
        return 0
    if not form.endswith(("le", "be")):
        return 8
    digits = form[:-2].rpartition("p")[2] if form.startswith("yuv") else form[4:-2]
    bits = int(digits) if digits.isdigit() else 0
    return bits if form.endswith("le") and 8 < bits <= _MOST_BITS else 0


def _words(plane: Any, width: int, height: int, bytes_each: int) -> npt.NDArray[Any] | None:
    """Four neighbouring samples of each line that is read, as one integer: [rows, lines, columns]."""
    pitch = 4 * max(1, round(max(width, height) / (4 * _ACROSS)))
    rows, columns = height // pitch, width // pitch
    if rows < _FEWEST or columns < _FEWEST:
        return None
    line = int(plane.line_size)
    strides = (pitch * line, pitch // _LINES * line, pitch * bytes_each)
    kind = np.uint32 if bytes_each == 1 else np.uint64
    return np.ndarray((rows, _LINES, columns), kind, plane, 0, strides)


def _means_of_bytes(words: npt.NDArray[np.uint32]) -> Cells:
    """Several sums in each integer at once: neither a copy nor a wider type for each pixel."""
    total = _pairs(words[:, 0])
    for line in range(1, _LINES):
        total += _pairs(words[:, line])
    return _as_means((total & _PAIR) + (total >> np.uint32(16)), 1 / (4 * _LINES))


def _pairs(word: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    sums = word >> np.uint32(8)
    sums &= _BYTES
    sums += word & _BYTES
    return sums


def _means_of_shorts(words: npt.NDArray[np.uint64], bits: int) -> Cells:
    total = words[:, 0] + words[:, 1]
    for line in range(2, _LINES):
        total += words[:, line]
    total = (total & _SHORTS) + ((total >> np.uint64(16)) & _SHORTS)
    return _as_means((total & _LONG) + (total >> np.uint64(32)), 1 / (4 * _LINES << bits - 8))


def _as_means(total: npt.NDArray[Any], share: float) -> Cells:
    means = total.astype(np.float32)
    means *= np.float32(share)
    return means
