"""The clip that the benchmarks play: real video that carries its frame numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import av
import numpy as np
import numpy.typing as npt

from benchmarks.barcode import draw_index, read_index
from vedette.sim.clip import Clip, bundled_clip, encode_frames

__all__ = ["HEIGHT", "WIDTH", "big_index_clip", "frames", "index_clip", "read_index"]

WIDTH, HEIGHT = 640, 360
PAN = 40
"""Pixels that the view sways to each side."""

BIG_GRAIN = 4.0
"""Six times as large, each grain is six pixels wide: more of it than this would be all that is encoded."""

PAN_EVERY = 125
"""Frames from one turn to the next but one."""


def frames(count: int, grain: float) -> Iterator[npt.NDArray[np.uint8]]:
    """``count`` pictures uint8 [360, 640, 3] RGB of the bundled driveway clip, numbered from 0.

    The bundled clip was compressed once already, so still parts of it would cost nothing to decode: the view
    sways, and sensor noise of standard deviation ``grain`` (of 255) is put on top.
    """
    draw = np.random.default_rng(7)
    patterns = draw.normal(0, grain, (4, HEIGHT + 64, WIDTH + 64, 1)).astype(np.float32)
    with av.open(str(bundled_clip())) as container:
        for index, frame in enumerate(islice(container.decode(video=0), count)):
            wide = frame.reformat(width=WIDTH + 2 * PAN, height=HEIGHT + 2 * PAN, format="rgb24").to_ndarray()
            angle = 2 * np.pi * index / PAN_EVERY
            left, top = (round(PAN * (1 + sway)) for sway in (np.cos(angle), np.sin(angle)))
            column, row = draw.integers(0, 64, 2)
            noise = patterns[index % 4, row : row + HEIGHT, column : column + WIDTH]
            view = np.clip(wide[top : top + HEIGHT, left : left + WIDTH] + noise, 0, 255).astype(np.uint8)
            draw_index(view, index)
            yield view


def index_clip(fps: float, grain: float, seconds: float = 10.0, keyframe_every_s: float = 2.0) -> Clip:
    """The numbered clip, encoded. Its numbers repeat after ``seconds``: no result may be as old as that."""
    return encode_frames(frames(round(fps * seconds), grain), fps, keyframe_every_s)


def big_index_clip(fps: float, seconds: float = 4.0, keyframe_every_s: float = 2.0, times: int = 6) -> Clip:
    """The same pictures ``times`` as wide and high: 3840×2160. Its numbers repeat after ``seconds``."""

    def scaled() -> Iterator[npt.NDArray[np.uint8]]:
        for picture in frames(round(fps * seconds), BIG_GRAIN):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            large = frame.reformat(width=WIDTH * times, height=HEIGHT * times).to_ndarray(format="rgb24")
            yield large.astype(np.uint8, copy=False)

    return encode_frames(scaled(), fps, keyframe_every_s)
