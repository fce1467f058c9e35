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

from vedette.endings import ENDINGS, Ending
from vedette.facts import EndReason, Outcome
from vedette.histogram import BUCKETS, COARSE, COARSE_BUCKETS, bucket_of

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
    """Where a frame's time goes, in the order of its way. Each is measured by itself."""

    LAG = 0
    """From capture to arrival: the camera's encoder and the network."""
    DECODE = 1
    WAIT = 2
    """From decoded to chosen."""
    CONVERT = 3
    INFER = 4
    """In the network, with whom it shared a batch."""
    POSTPROCESS = 5
    """From the network's outputs to boxes."""
    TRACK = 6
    EMIT = 7


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
        *[(ending.value, "i8") for ending in ENDINGS],
        ("age_max", "f8"),
        ("state", "i4"),
        ("last_end", "i4"),  # index into REASONS, -1 before the first end
        ("width", "i4"),
        ("height", "i4"),
        ("backlog", "i4"),  # frames that wait to be decoded
        ("kept", "i4"),  # decoded frames that wait to be chosen
        ("decoded", "i8"),  # frames that went into the decoder
        ("keyframes", "i8"),  # that arrived
        ("decode_s", "f8"),  # seconds that decoding a frame takes, smoothed
        ("lag", "f8"),  # seconds from capture to arrival, smoothed
        ("keyframe_every", "f8"),  # seconds between keyframes, smoothed; 0 = not known
        ("decoding", "f8"),  # since when it is inside its decoder, monotonic seconds; 0 = it is not
        # of the frames that a candidate was to be shown, those that it was not; by the camera's worker
        ("shadow_busy", "i8"),  # there was no room for it
        ("shadow_load", "i8"),  # the node had enough to do
        ("shadow_ended", "i8"),  # the frame was not analysed after all
        # written by the shadow worker
        ("shadow_superseded", "i8"),  # a newer one took its place
        # written by the inference worker
        ("served", "f8"),  # frames taken ÷ weight: what choosing weighs debts by, from one worker to the next
        # written by the node
        ("weight", "f8"),
        ("max_age", "f8"),  # seconds; infinite for sources that wait
        ("step", "i4"),  # of the ladder: a vedette.ladder.steps.Step
        ("rung", "i4"),  # the most that the ladder lets be decoded, a vedette.frame.Rung
        ("limit", "f8"),  # seconds that the ladder wants between two analysed frames; 0 = none
        ("detector", "i4"),  # whose its frames are: 0 = the detector, 1 = a canary
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
        ("queued", "i8"),  # inference worker: batches that wait for the detector
        ("busy_s", "f8"),  # inference worker: seconds the detector has run
        ("smaller", "i8"),  # inference worker: how many sizes smaller the detector's input may be
        ("size", "i8"),  # inference worker: which size it has now; 0 = the full one
        ("wanted_size", "i8"),  # node: which it should have
        ("shadow_share", "f8"),  # node: of analysed frames that a candidate is to be shown; 0 = there is none
        ("shadow_waits", "i8"),  # node: it is shown none now, because the node has enough to do
        ("shadow_beat", "f8"),  # shadow worker: last turn of its loop, monotonic seconds
        ("shadow_began", "f8"),  # shadow worker: since when it looks at a frame; 0 = at none
        ("shadow_busy", "f8"),  # shadow worker: share of the last second in which it looked at frames
    ]
)
_LOAD = np.dtype(
    [
        ("at", "f8"),  # monotonic seconds; 0 = never measured
        ("busy", "f8"),  # share of the last second in which the loop's thread ran or waited for a core
        ("waited", "f8"),  # share in which it could have run and got no core
        ("late", "f8"),  # seconds; the most that a turn of the loop was late in the last second
        ("outbox", "i8"),  # messages that the node has not taken
    ]
)


class Table:
    """Views on the shared memory. ``rows[i]`` is camera i; ``ages[i]`` and ``stages[w]`` are histograms, and
    ``camera_stages[i]`` coarser ones.

    ``stages[0]`` belongs to the inference worker, ``stages[1 + w]`` to camera worker w, and the last place,
    ``canary_place``, to a canary. ``beats`` likewise: monotonic seconds of the last turn of each worker's own
    loop; and ``loads``, how busy that loop is. ``detectors``: what an inference worker says of itself, of the
    detector (which is ``header``) and of a canary; ``idle``: that field of either, read with every frame.
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

        self.canary_place = 1 + workers
        both = view(_HEADER, 1), view(_HEADER, 1)
        self.detectors = both[0][0], both[1][0]
        self.header = self.detectors[0]
        self.idle = both[0]["detector_idle"], both[1]["detector_idle"]
        self.beats = view("f8", 2 + workers)
        self.loads = view(_LOAD, 2 + workers)
        self.rows = view(_ROW, cameras)
        # Of a thousand cameras: 32 bits would be full in some weeks.
        self.stages = view("u8", 2 + workers, len(STAGES), BUCKETS)
        self.ages = view("u4", cameras, BUCKETS)
        self.camera_stages = view("u4", cameras, len(STAGES), COARSE_BUCKETS)

    @staticmethod
    def size(cameras: int, workers: int) -> int:
        histograms = (2 * (2 + workers) * len(STAGES) + cameras) * BUCKETS * 4
        histograms += cameras * len(STAGES) * COARSE_BUCKETS * 4
        return histograms + cameras * _ROW.itemsize + (2 + workers) * (8 + _LOAD.itemsize) + 4096

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
        self.rows[Ending.ORPHANED_WORKER.value][camera] += lost
        self.rows["newest_seq"][camera] = -1
        self.rows["backlog"][camera] = self.rows["kept"][camera] = 0
        self.rows["decoding"][camera] = 0.0
        return lost

    def record_stage(self, worker: int, camera: int, stage: Stage, seconds: float) -> None:
        """A frame of this camera was in this stage for so long."""
        bucket = bucket_of(seconds)
        self.stages[worker, stage, bucket] += 1
        self.camera_stages[camera, stage, bucket // COARSE] += 1

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
