"""Doubles for tests, ours and yours: a clock that stands still, a detector that finds what you say, frames.

Only the outermost edge is replaced; everything between runs as in production.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vedette.frame import EncodedFrame, StreamInfo

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["FakeDetector", "ManualClock", "PacketSequence"]


class ManualClock:
    """A clock that moves only when told. ``wall`` is ``monotonic`` plus ``wall_offset`` seconds."""

    def __init__(self, now: float = 1000.0, wall_offset: float = 1_700_000_000.0) -> None:
        self.now, self.wall_offset = now, wall_offset

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.wall_offset

    def advance(self, seconds: float) -> None:
        self.now += seconds


class FakeDetector:
    """A detector for ``detector: {python: "vedette.testing:FakeDetector", options: {…}}``.

    Finds ``boxes`` (lists of left, top, right, bottom in pixels of its input) in every picture, after
    ``seconds``. With ``slow_every=n`` each n-th call takes ``slow_seconds`` instead; with ``raises_every=n``
    each n-th call raises; with ``hangs_after=n`` call n never returns; ``returns`` overrides how many results
    come back. ``smaller``: sizes (height, width) that it may be shrunk to, largest first; there the boxes are
    at the same places of the picture.
    """

    def __init__(
        self,
        input_size: Sequence[int] = (96, 160),
        boxes: Sequence[Sequence[float]] = ((10.0, 20.0, 50.0, 80.0),),
        seconds: float = 0.0,
        raises_every: int = 0,
        hangs_after: int = 0,
        returns: int | None = None,
        slow_every: int = 0,
        slow_seconds: float = 0.0,
        smaller: Sequence[Sequence[int]] = (),
    ) -> None:
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.smaller = tuple((int(height), int(width)) for height, width in smaller)
        self._boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self._seconds, self._raises_every, self._hangs_after = seconds, raises_every, hangs_after
        self._slow_every, self._slow_seconds = slow_every, slow_seconds
        self._returns = returns
        self._calls = 0

    def resized(self, size: tuple[int, int]) -> FakeDetector:
        """The same for pictures of another size; it counts its calls from the start."""
        resized = copy.copy(self)
        resized.input_size, resized.smaller, resized._calls = size, (), 0
        scale = np.array([size[1] / self.input_size[1], size[0] / self.input_size[0]] * 2, np.float32)
        resized._boxes = self._boxes * scale
        return resized

    def detect(self, images: npt.NDArray[np.uint8]) -> list[sv.Detections]:
        import supervision as sv

        self._calls += 1
        slow = bool(self._slow_every) and self._calls % self._slow_every == 0
        if seconds := self._slow_seconds if slow else self._seconds:
            time.sleep(seconds)
        if self._hangs_after and self._calls >= self._hangs_after:
            time.sleep(1e6)
        if self._raises_every and self._calls % self._raises_every == 0:
            raise RuntimeError(f"call {self._calls} fails on purpose")
        count = len(images) if self._returns is None else self._returns
        return [
            sv.Detections(
                xyxy=self._boxes.copy(),
                confidence=np.full(len(self._boxes), 0.9, np.float32),
                class_id=np.zeros(len(self._boxes), int),
                data={"class_name": np.array(["thing"] * len(self._boxes))},
            )
            for _ in range(count)
        ]


class PacketSequence:
    """H.264 frames of a moving picture, encoded once: what a camera of ``fps`` sends.

    ``stream`` describes it; ``frames(start)`` gives :class:`EncodedFrame` after :class:`EncodedFrame`, for
    ever, as if the first had arrived at ``start`` (monotonic seconds). The first is a keyframe, and every
    ``keyframe_every``-th after it.
    """

    def __init__(
        self, width: int = 160, height: int = 96, fps: float = 25.0, keyframe_every: int = 25
    ) -> None:
        self.fps, self.keyframe_every = fps, keyframe_every
        self.stream = StreamInfo("h264", width=width, height=height)
        self._packets = _encoded(width, height, keyframe_every)

    def frames(self, start: float) -> Iterator[EncodedFrame]:
        number = 0
        while True:
            data, keyframe = self._packets[number % len(self._packets)]
            at = number / self.fps
            yield EncodedFrame(data, pts=at, arrived=start + at, keyframe=keyframe)
            number += 1


@lru_cache(maxsize=4)
def _encoded(width: int, height: int, keyframe_every: int) -> list[tuple[bytes, bool]]:
    import av

    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.gop_size = keyframe_every
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "scenecut=0"}
    packets = []
    for number in range(2 * keyframe_every):
        picture = np.full((height, width, 3), 60, np.uint8)
        left = number * 3 % (width - 16)
        picture[height // 3 : height // 3 + 16, left : left + 16] = 220
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        packets += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return packets
