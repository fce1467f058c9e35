"""What an arm writes down in its own process: when each result reached the user, and of which frame it is.

Needs numpy only: the peer's environment imports it too. Written to a file and not kept, because the arm's
memory is measured.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.recorder import say

__all__ = ["COLUMNS", "ResultLog", "read_results", "serve"]

COLUMNS = ("now", "camera", "index", "sent")
_ROW = struct.Struct("<4d")
_GIVE_UP_S = 300.0
_SURE_WITHIN_S = 0.015
"""Frames are at least 40 ms apart: whatever is nearer than this is the one."""


class ResultLog:
    """``sent``: the simulator's log, float64 [cameras, frames of the clip] in monotonic seconds. ``path``:
    of the file to write. ``unreadable``: results whose frame is not known; ``unsure``: those that were
    recognised by a capture time more than 15 ms from when any frame was sent."""

    def __init__(self, sent: Path, path: Path, cameras: int) -> None:
        self._sent = np.asarray(np.load(sent, mmap_mode="r"))
        self._file = path.open("wb")
        self._cameras = cameras
        self._answered = set[int]()
        self.unreadable = self.unsure = 0

    def numbered(self, camera: int, index: int | None, now: float) -> None:
        """A result of clip frame ``index`` reached the user at ``now``."""
        self._answered.add(camera)
        if index is None or not 0 <= index < self._sent.shape[1]:
            self.unreadable += 1
            return
        self._file.write(_ROW.pack(now, camera, index, self._sent[camera, index]))

    def captured(self, camera: int, at: float, now: float) -> None:
        """The same of the frame that was sent nearest to monotonic second ``at``: for detectors that cannot
        tell the number. What the arm says serves to recognise the frame; its age is measured as ever."""
        off = np.abs(self._sent[camera] - at)
        index = int(off.argmin())
        self.unsure += bool(off[index] > _SURE_WITHIN_S)
        self.numbered(camera, index, now)

    @property
    def all_answered(self) -> bool:
        return len(self._answered) == self._cameras

    @property
    def answered(self) -> int:
        """Cameras that had a result."""
        return len(self._answered)

    def close(self) -> None:
        self._file.close()


def read_results(path: Path) -> npt.NDArray[np.float64]:
    """float64 [results, 4]: when it reached the user, camera, frame of the clip, when that was sent."""
    flat = np.fromfile(path, dtype="<f8")
    return flat[: len(flat) // 4 * 4].reshape(-1, 4)


def serve(log: ResultLog, mark: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """Speak with the harness: ``live`` when all cameras answered, a ``mark`` for each line it sends; over
    when it closes our input. Yields before each wait."""
    deadline = time.monotonic() + _GIVE_UP_S
    while not log.all_answered and time.monotonic() < deadline:
        time.sleep(0.02)
        yield
    say("live", at=time.monotonic(), cameras=log.answered)
    for _ in sys.stdin:
        say("mark", at=time.monotonic(), unreadable=log.unreadable, unsure=log.unsure, **mark())
        yield
