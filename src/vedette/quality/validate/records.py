"""What a detector's boxes came to, picture by picture: enough to work out every figure again for any choice
of pictures, and small enough to keep. Columns, because there are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["IOUS", "Records", "StoredRecords"]

IOUS = tuple(round(0.50 + 0.05 * step, 2) for step in range(10))
"""Overlaps at which a box counts as found, as COCO has them. Bit t of a mask is about ``IOUS[t]``."""


class StoredRecords(msgspec.Struct, frozen=True):
    """:class:`Records` as they lie in a file."""

    labels: list[str]
    pictures: list[str]
    keys: list[str]
    truths: list[tuple[int, int, int]]
    """Picture, label, how many; those that are not 0."""
    picture: list[int]
    label: list[int]
    score: list[float]
    hit: list[int]
    ignored: list[int]
    clusters: list[str] = []


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """N pictures, C labels, D boxes.

    ``pictures``: their names; ``keys``: what tells whether picture and labels are still the same.
    ``truths`` [N, C]: objects that should be found. ``picture``, ``label``, ``score`` [D]: by picture, within
    one by label, within that the most confident first. ``hit`` [D]: at which overlaps it found an object;
    ``ignored`` [D]: at which it is neither right nor wrong (bits, see ``IOUS``). ``clusters``: of each
    picture; those with the same are nearly the same picture. Empty where that is not known.
    """

    labels: tuple[str, ...]
    pictures: tuple[str, ...]
    keys: tuple[str, ...]
    truths: NDArray[np.int32]
    picture: NDArray[np.int32]
    label: NDArray[np.int32]
    score: NDArray[np.float64]
    hit: NDArray[np.int32]
    ignored: NDArray[np.int32]
    clusters: tuple[str, ...] = ()

    def at(self, step: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which boxes are right, and which wrong, at ``IOUS[step]``: [D] each."""
        ignored = (self.ignored >> step & 1).astype(bool)
        hit = (self.hit >> step & 1).astype(bool)
        return hit & ~ignored, ~hit & ~ignored

    def of_pictures(self, numbers: Sequence[int]) -> Records:
        """Those of some of the pictures, each at most once, in this order."""
        place = np.full(len(self.pictures), -1, np.int32)
        place[list(numbers)] = np.arange(len(numbers), dtype=np.int32)
        kept = np.flatnonzero(place[self.picture] >= 0)
        kept = kept[np.argsort(place[self.picture[kept]], kind="stable")]
        return Records(
            self.labels,
            tuple(self.pictures[number] for number in numbers),
            tuple(self.keys[number] for number in numbers),
            self.truths[list(numbers)],
            place[self.picture[kept]],
            self.label[kept],
            self.score[kept],
            self.hit[kept],
            self.ignored[kept],
            tuple(self.clusters[number] for number in numbers) if self.clusters else (),
        )

    def stored(self) -> StoredRecords:
        rows, columns = np.nonzero(self.truths)
        counts = self.truths[rows, columns]
        return StoredRecords(
            list(self.labels),
            list(self.pictures),
            list(self.keys),
            list(zip(rows.tolist(), columns.tolist(), counts.tolist(), strict=True)),
            _list(self.picture),
            _list(self.label),
            _list(self.score),
            _list(self.hit),
            _list(self.ignored),
            list(self.clusters),
        )

    @classmethod
    def of_stored(cls, stored: StoredRecords) -> Records:
        """Raises ValueError where the columns contradict each other."""
        truths = np.zeros((len(stored.pictures), len(stored.labels)), np.int32)
        columns = (stored.picture, stored.label, stored.hit, stored.ignored)
        if {len(column) for column in columns} != {len(stored.score)}:
            raise ValueError("columns of different length")
        if len(stored.keys) != len(stored.pictures):
            raise ValueError("pictures without a key")
        if stored.clusters and len(stored.clusters) != len(stored.pictures):
            raise ValueError("pictures without a cluster")
        picture, label, hit, ignored = (np.array(column, np.int32) for column in columns)
        _check(picture, len(stored.pictures))
        _check(label, len(stored.labels))
        if stored.truths:
            rows, of_label, counts = np.array(stored.truths, np.int32).T
            _check(rows, len(stored.pictures))
            _check(of_label, len(stored.labels))
            truths[rows, of_label] = counts
        names = (tuple(stored.labels), tuple(stored.pictures), tuple(stored.keys))
        score = np.array(stored.score, np.float64)
        return cls(*names, truths, picture, label, score, hit, ignored, tuple(stored.clusters))


def _check(numbers: NDArray[np.int32], limit: int) -> None:
    if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < limit:
        raise ValueError("a number of no picture or no label")


def _list(column: NDArray[Any]) -> list[Any]:
    found: list[Any] = column.tolist()
    return found
