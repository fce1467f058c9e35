"""Counts of everything a detector said about one camera: exact integers, which add up over time and nodes."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.quality.drift.light import LIGHTS

__all__ = ["BINS", "CELLS_MOST", "REST", "STRONG_FROM", "Mix", "Scores", "UnreadableScores"]

Counts = NDArray[np.int64]

BINS = 64
"""Of raw scores: 1/64 each, so that 0.5 is an edge."""
STRONG_FROM = BINS // 2
CELLS_MOST = 38
"""Pairs of light and class that are told apart, 512 bytes each: with all else a camera stays within 64 kB."""
CLASSES_WIDE = 4096
"""Numbers of classes that lie no farther apart are counted; others are sorted."""
REST = -1
"""The class of all classes of a light for which there was no room."""
COUNT_BINS = SIZE_BINS = 16
_COUNT_EDGES = np.array([1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 28, 37, 49, 65, 100])
"""Boxes of a frame."""

_VERSION = 1


class UnreadableScores(ValueError):  # noqa: N818  # the scores are what is wrong
    """Bytes that are no scores, or those of another version."""


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """Usual share of each class among the strong boxes of one light. ``classes`` int32 [k], rising."""

    classes: NDArray[np.int32]
    shares: NDArray[np.float32]

    def of(self, class_id: NDArray[np.int32]) -> NDArray[np.float32]:
        """The usual share of the class of each box; 0 for one that was not met."""
        if not len(self.classes):
            return np.zeros(len(class_id), np.float32)
        place = np.minimum(np.searchsorted(self.classes, class_id), len(self.classes) - 1)
        return np.where(self.classes[place] == class_id, self.shares[place], np.float32(0))


class _Written(msgspec.Struct):
    version: int
    keys: list[tuple[int, int]]
    scores: bytes
    frames: bytes
    sizes: bytes
    hours: bytes
    left_out: int


class Scores:
    """``scores`` [cells, 64]: boxes by raw score, a row per pair of light and class (``keys``). ``frames``
    [lights, 16]: by number of boxes. ``sizes`` [lights, 16]: boxes by share of the picture, bin −log2.
    ``hours`` [lights, 24]: frames by hour of the day. ``left_out``: boxes whose class had no cell of its own.

    There are 38 cells. What comes when they are taken is counted as :data:`REST` of its light, for each of
    which there is always one: all boxes are counted, and only of which class the latest ones were is lost.
    """

    def __init__(self) -> None:
        self.keys: dict[tuple[int, int], int] = {}
        self.scores: Counts = np.zeros((0, BINS), np.int64)
        self.frames: Counts = np.zeros((LIGHTS, COUNT_BINS), np.int64)
        self.sizes: Counts = np.zeros((LIGHTS, SIZE_BINS), np.int64)
        self.hours: Counts = np.zeros((LIGHTS, 24), np.int64)
        self.left_out = 0

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in (self.scores, self.frames, self.sizes, self.hours))

    @property
    def boxes(self) -> int:
        return int(self.scores.sum())

    def add(
        self,
        light: int,
        hour: int,
        confidence: NDArray[np.float32],
        class_id: NDArray[np.int32],
        area: NDArray[np.float32],
        per_frame: NDArray[np.int64],
    ) -> None:
        """Boxes of frames of one light and hour. ``per_frame``: how many of them each frame had."""
        self.hours[light, hour] += len(per_frame)
        filled = np.searchsorted(_COUNT_EDGES, per_frame, side="right")
        self.frames[light] += np.bincount(filled, minlength=COUNT_BINS)
        if not len(confidence):
            return
        size = np.minimum(np.maximum(-np.log2(np.maximum(area, 1e-9)), 0), SIZE_BINS - 1).astype(np.intp)
        self.sizes[light] += np.bincount(size, minlength=SIZE_BINS)
        cells = self._cells(light, class_id)
        self.left_out += int(np.count_nonzero(cells == self.keys.get((light, REST), -1)))
        score = np.minimum(np.maximum(confidence * BINS, 0), BINS - 1).astype(np.intp)
        counted = np.bincount(cells * BINS + score, minlength=self.scores.size)
        self.scores += counted.reshape(self.scores.shape)

    def mix(self, light: int) -> Mix:
        """Of the strong boxes, by class. Those without a cell of their own count, and are unknown."""
        known = sorted((class_id, row) for (of, class_id), row in self.keys.items() if of == light)
        rows = np.array([row for _, row in known], np.intp)
        strong = self.scores[rows, STRONG_FROM:].sum(axis=1).astype(np.float32)
        classes = np.array([class_id for class_id, _ in known], np.int32)
        shares = strong / max(float(strong.sum()), 1.0)
        named = classes != REST
        return Mix(classes[named], shares[named].astype(np.float32))

    def merge(self, other: Scores) -> None:
        """Add what another counted of the same camera and model. Cells beyond the limit go to the rest."""
        for (light, class_id), row in other.keys.items():
            mine = self._cell(light, class_id)
            self.scores[mine] += other.scores[row]
            if class_id != REST and mine == self.keys.get((light, REST)):
                self.left_out += int(other.scores[row].sum())
        self.frames += other.frames
        self.sizes += other.sizes
        self.hours += other.hours
        self.left_out += other.left_out

    def to_bytes(self) -> bytes:
        arrays = (self.scores, self.frames, self.sizes, self.hours)
        scores, frames, sizes, hours = (each.astype("<i8").tobytes() for each in arrays)
        keys = sorted(self.keys, key=lambda key: self.keys[key])
        return msgspec.msgpack.encode(_Written(_VERSION, keys, scores, frames, sizes, hours, self.left_out))

    @classmethod
    def from_bytes(cls, data: bytes) -> Scores:
        """Raises UnreadableScores."""
        try:
            written = msgspec.msgpack.decode(data, type=_Written)
            if written.version != _VERSION:
                raise UnreadableScores(f"scores of version {written.version}, not {_VERSION}")
            read = cls()
            read.keys = {key: row for row, key in enumerate(written.keys)}
            read.scores = _counts(written.scores, (len(written.keys), BINS))
            read.frames = _counts(written.frames, read.frames.shape)
            read.sizes = _counts(written.sizes, read.sizes.shape)
            read.hours = _counts(written.hours, read.hours.shape)
            read.left_out = written.left_out
        except (msgspec.DecodeError, ValueError) as err:
            raise err if isinstance(err, UnreadableScores) else UnreadableScores(str(err)) from err
        return read

    def _cells(self, light: int, class_id: NDArray[np.int32]) -> NDArray[np.intp]:
        """The row of the counts of each box."""
        least = int(class_id.min())
        if int(class_id.max()) - least > CLASSES_WIDE:
            classes, which = np.unique(class_id, return_inverse=True)
            return np.array([self._cell(light, int(each)) for each in classes], np.intp)[which]
        # Counting is quicker than sorting.
        place = class_id.astype(np.intp) - least
        there = np.flatnonzero(np.bincount(place))
        rows = np.zeros(int(there[-1]) + 1, np.intp)
        rows[there] = [self._cell(light, each + least) for each in there.tolist()]
        return rows.take(place)

    def _cell(self, light: int, class_id: int) -> int:
        """The row of its counts; made if there is room."""
        row = self.keys.get((light, class_id))
        if row is not None:
            return row
        # A rest for every light is kept free.
        rests = sum(1 for _, each in self.keys if each == REST)
        if class_id != REST and len(self.keys) - rests >= CELLS_MOST - LIGHTS:
            return self._cell(light, REST)
        self.keys[light, class_id] = row = len(self.keys)
        self.scores = np.concatenate([self.scores, np.zeros((1, BINS), np.int64)])
        return row


def _counts(data: bytes, shape: tuple[int, ...]) -> Counts:
    return np.frombuffer(data, "<i8").astype(np.int64).reshape(shape)
