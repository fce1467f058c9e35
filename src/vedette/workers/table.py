"""The one small table that all processes of a node share: a row per camera, and what is counted of it.

It lies in anonymous memory that is handed on as a file descriptor, so nothing is left behind whatever dies.
Each field has one writer (said beside it). Counters live here and not in the worker, so that what a camera
received is still known after its worker was killed.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from enum import IntEnum

import numpy as np

from vedette.facts import EndReason, Outcome
from vedette.histogram import BUCKETS, bucket_of

__all__ = ["OUTCOMES", "REASONS", "STAGES", "CameraState", "Stage", "Table", "anonymous_memory"]


class CameraState(IntEnum):
    """What a camera is doing now."""

    ABSENT = 0
    CONNECTING = 1
    LIVE = 2
    WAITING = 3
    """Between two sessions."""
    FINISHED = 4
    """A source that ends (a file) has ended."""
    PAUSED = 5
    """By an operator."""
    REMOVED = 6


class Stage(IntEnum):
    """Where a frame's time goes. Each is measured by itself."""

    DECODE = 0
    CONVERT = 1
    WAIT = 2
    """From decoded to chosen."""
    INFER = 3
    TRACK = 4
    EMIT = 5


STAGES = tuple(stage.name.lower() for stage in Stage)
OUTCOMES = tuple(outcome.value for outcome in Outcome)
REASONS = tuple(EndReason)

_ROW = np.dtype(
    [
        # written by the camera's worker
        ("newest_seq", "i8"),  # of the frame that can be asked for; -1 while there is none
        ("newest_captured", "f8"),  # monotonic seconds
        ("not_before", "f8"),  # rate limit: not to be analysed before this moment, monotonic seconds
        ("interval", "f8"),  # seconds between frames, smoothed
        ("epoch", "i8"),
        ("sessions", "i8"),
        ("next_track_id", "i8"),
        ("received", "i8"),
        *[(name, "i8") for name in OUTCOMES],
        ("age_max", "f8"),
        ("state", "i4"),
        ("last_end", "i4"),  # index into REASONS, -1 before the first end
        ("width", "i4"),
        ("height", "i4"),
        # written by the node
        ("weight", "f8"),
        ("max_age", "f8"),  # seconds; infinite for sources that wait
    ],
    align=True,
)
_HEADER = np.dtype(
    [
        ("used", "i8"),  # node: rows beyond these were never given to a camera
        ("detector_idle", "i8"),  # inference worker: ring the doorbell when a frame comes
        ("batch_started", "f8"),  # inference worker: monotonic seconds, 0 while none runs
        ("batches", "i8"),
        ("inferred", "i8"),
    ]
)


class Table:
    """Views on the shared memory. ``rows[i]`` is camera i; ``ages[i]`` and ``stages[w]`` are histograms.

    ``stages[0]`` belongs to the inference worker, ``stages[1 + w]`` to camera worker w. ``beats`` likewise:
    monotonic seconds of the last turn of each worker's own loop.
    """

    def __init__(self, fd: int, cameras: int, workers: int) -> None:
        self.fd, self.cameras, self.workers = fd, cameras, workers
        self._memory = mmap.mmap(fd, self.size(cameras, workers))
        offset = 0

        def view(
            dtype: np.dtype[np.void] | str, *shape: int
        ) -> np.ndarray[tuple[int, ...], np.dtype[np.void]]:
            nonlocal offset
            found = np.ndarray(shape, dtype=dtype, buffer=self._memory, offset=offset)
            offset += -(-found.nbytes // 64) * 64
            return found

        self.header = view(_HEADER, 1)[0]
        self.beats = view("f8", 1 + workers)
        self.rows = view(_ROW, cameras)
        self.stages = view("u4", 1 + workers, len(STAGES), BUCKETS)
        self.ages = view("u4", cameras, BUCKETS)

    @staticmethod
    def size(cameras: int, workers: int) -> int:
        histograms = ((1 + workers) * len(STAGES) + cameras) * BUCKETS * 4
        return histograms + cameras * _ROW.itemsize + workers * 8 + 4096

    @classmethod
    def create(cls, cameras: int, workers: int) -> Table:
        """``cameras``: rows there may ever be. Those that were never used take no memory."""
        table = cls(anonymous_memory(cls.size(cameras, workers)), cameras, workers)
        table.header["used"] = cameras
        table.rows["newest_seq"] = -1
        table.rows["last_end"] = -1
        table.rows["epoch"] = -1
        table.rows["weight"] = table.rows["max_age"] = 1.0
        table.rows["next_track_id"] = 1
        return table

    def release(self) -> None:
        """Nobody else will be given this memory; it stays readable here as long as this object lives."""
        os.close(self.fd)

    def in_flight(self, camera: int) -> int:
        """Frames of a camera that were received and have not ended yet."""
        row = self.rows[camera]
        return int(row["received"]) - sum(int(row[name]) for name in OUTCOMES)

    @property
    def used(self) -> int:
        """How many rows have ever been given to a camera."""
        return int(self.header["used"])

    def orphan(self, camera: int) -> int:
        """End every frame of a camera whose worker is gone; only its owner's successor may call this."""
        lost = max(0, self.in_flight(camera))
        self.rows["orphaned"][camera] += lost
        self.rows["newest_seq"][camera] = -1
        return lost

    def record_stage(self, worker: int, stage: Stage, seconds: float) -> None:
        self.stages[worker, stage, bucket_of(seconds)] += 1

    def record_age(self, camera: int, seconds: float) -> None:
        self.ages[camera, bucket_of(seconds)] += 1
        if seconds > self.rows["age_max"][camera]:
            self.rows["age_max"][camera] = seconds


def anonymous_memory(size: int) -> int:
    """A file descriptor of memory that has no name and goes with its last holder."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("vedette", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd
