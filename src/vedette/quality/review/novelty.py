"""New kinds of objects: weak boxes that are alike, and unlike what was there before. Pure, one per camera.

A detector that was never taught a thing half sees it as something else: weak boxes of about the same size,
shape and class, again and again. So weak boxes are sorted into cells of those three, and of each it is
counted in how many of the last hours' five minutes it was met, and in how many of the week before. A box is
of something new where its cell was met often lately, and neither it nor any cell next to it often before.

What is usual elsewhere may be new in a place: so there are finer cells with the place in them, too. In those
visits are counted, and not how long they last: a car that parks where none ever did is no news.

What stays becomes usual within a day or two, and is offered no more. Counts are kept in tables of fixed size
into which cells are hashed (Cormode and Muthukrishnan, "An Improved Data Stream Summary: The Count-Min
Sketch", 2005): where two cells meet, both seem more usual than they are, never less.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.infer.detector import WEAK_FROM
from vedette.quality.review.sampling import WEAK_BELOW

__all__ = ["Novelty", "NoveltySettings", "UnreadableNovelty"]

Keys = NDArray[np.int64]
Floats = NDArray[np.float32]

GRID = 8
OCTAVES = 12
"""Of a box's share of the picture: halves, from the whole down."""
SHAPES = 3
"""Wide, about square, tall."""
SLOT_S = 300.0
"""A cell is met or not in each: what stands there counts no more than what passes often."""
APART = 3
"""Slots in which a place was not met, for a visit to be another one."""
CELLS_A_SLOT = 512
"""Of more no more are counted: then it snows."""
_ROWS, _BITS = 2, 12
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
"""Odd, and of no pattern (Knuth, "The Art of Computer Programming" 3, 6.4: multiplicative hashing)."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class NoveltySettings:
    """``learn``: slots of five minutes in which the camera was looked at, until anything is called new.
    ``lately``, ``usual``: over how many slots is counted, more or less: 6 hours, a week. New is what was met
    ``met`` times lately, and ``times`` as often as by the week is to be expected."""

    learn: int = 576
    lately: float = 72.0
    usual: float = 2016.0
    met: float = 4.0
    times: float = 8.0


DEFAULT = NoveltySettings()


class UnreadableNovelty(ValueError):  # noqa: N818  # the counts are what is wrong
    """Bytes that are no counts, or those of another version."""


class _Written(msgspec.Struct):
    version: int
    usual: bytes
    lately: bytes
    slots: float
    seen: int
    number: int


class Novelty:
    """``nbytes``: 64 kB of tables; beside them at most 512 numbers of each of the last four slots."""

    def __init__(self, settings: NoveltySettings = DEFAULT) -> None:
        self._settings = settings
        self._usual: Floats = np.zeros((_ROWS, 1 << _BITS), np.float32)
        self._lately: Floats = np.zeros((_ROWS, 1 << _BITS), np.float32)
        self._slots = 0.0
        """How many slots ``_usual`` is of, as much of them as counts."""
        self._seen = 0
        self._number = -1
        self._met: deque[set[int]] = deque([set()], maxlen=1 + APART)
        """Cells of the slot that is on, and of those before; the newest last."""

    @property
    def nbytes(self) -> int:
        return self._usual.nbytes + self._lately.nbytes

    @property
    def learnt(self) -> float:
        """How far it is from calling anything new, 0…1."""
        return min(1.0, self._seen / self._settings.learn)

    def frame(
        self, at: float, xyxy: NDArray[np.float32], class_id: NDArray[np.int32], confidence: Floats
    ) -> int:
        """How many boxes of this frame are of something new. ``at``: Unix seconds. ``xyxy`` [n, 4]: in shares
        of the picture, 0…1. All raw boxes may be given; those that are weak are looked at."""
        self._turn(int(at // SLOT_S))
        weak = (confidence >= WEAK_FROM) & (confidence < WEAK_BELOW)
        if not weak.any():
            return 0
        placed = _parts(xyxy[weak], class_id[weak])
        anywhere = (np.zeros_like(placed[0]), np.full_like(placed[1], NOWHERE), *placed[2:])
        self._count(_key(*placed), _key(*anywhere))
        if self._seen < self._settings.learn:
            return 0
        return int(np.count_nonzero(self._new(placed, _NEXT) | self._new(anywhere, _NEXT_KINDS)))

    def _new(self, parts: tuple[Keys, ...], steps: Keys) -> NDArray[np.bool_]:
        """Which boxes are of cells that were met often lately and, with those around them, rarely before."""
        lately = self._of(self._lately, _key(*parts))
        found = lately >= self._settings.met
        if found.any():
            often = np.flatnonzero(found)
            # What is new must not make itself usual at once.
            before = np.maximum(self._usual - self._lately, 0)
            around = self._of(before, _around(tuple(part[often] for part in parts), steps)).max(axis=1)
            slots = max(1.0, self._slots - self._settings.lately)
            expected = around / slots * self._settings.lately
            found[often] = lately[often] >= self._settings.met + self._settings.times * expected
        return found

    def _turn(self, number: int) -> None:
        """Another slot begins. A clock that was set back a little stays in its slot."""
        if self._number - APART <= number <= self._number:
            return
        passed = max(1, number - self._number) if self._number >= 0 else 1
        self._lately *= np.float32(np.exp(-passed / self._settings.lately))
        # What is usual ages only while somebody looks.
        self._usual *= np.float32(np.exp(-1 / self._settings.usual))
        self._slots = self._slots * float(np.exp(-1 / self._settings.usual)) + 1
        for _ in range(min(passed, 1 + APART)):
            self._met.append(set())
        self._number = number
        self._seen += 1

    def _count(self, places: Keys, kinds: Keys) -> None:
        """A kind once in each slot, a place once in each visit."""
        now, before = self._met[-1], list(self._met)[:-1]
        keys = dict.fromkeys([*places.tolist(), *kinds.tolist()])
        first = [key for key in keys if key not in now][: CELLS_A_SLOT - len(now)]
        now.update(first)
        wanted = set(kinds.tolist())
        fresh = [key for key in first if key in wanted or not any(key in each for each in before)]
        if not fresh:
            return
        for row, places in enumerate(_places(np.array(fresh, np.int64))):
            np.add.at(self._usual[row], places, 1)
            np.add.at(self._lately[row], places, 1)

    def _of(self, table: Floats, keys: Keys) -> Floats:
        """The least of its places is nearest to the truth."""
        return np.asarray(
            np.min([table[row][places] for row, places in enumerate(_places(keys))], axis=0), np.float32
        )

    def to_bytes(self) -> bytes:
        """To go on elsewhere, or after a restart."""
        usual, lately = (each.astype("<f4").tobytes() for each in (self._usual, self._lately))
        written = _Written(_VERSION, usual, lately, self._slots, self._seen, self._number)
        return msgspec.msgpack.encode(written)

    @classmethod
    def from_bytes(cls, data: bytes, settings: NoveltySettings = DEFAULT) -> Novelty:
        """Raises UnreadableNovelty."""
        try:
            written = msgspec.msgpack.decode(data, type=_Written)
            if written.version != _VERSION:
                raise UnreadableNovelty(f"counts of version {written.version}, not {_VERSION}")
            read, shape = cls(settings), (_ROWS, 1 << _BITS)
            read._usual = np.frombuffer(written.usual, "<f4").astype(np.float32).reshape(shape)
            read._lately = np.frombuffer(written.lately, "<f4").astype(np.float32).reshape(shape)
            read._slots, read._seen, read._number = written.slots, written.seen, written.number
        except (msgspec.DecodeError, ValueError) as err:
            raise err if isinstance(err, UnreadableNovelty) else UnreadableNovelty(str(err)) from err
        return read


def _parts(xyxy: NDArray[np.float32], class_id: NDArray[np.int32]) -> tuple[Keys, ...]:
    """Column, row, octave, shape and class of each box, [n] each."""
    left, top, right, bottom = np.clip(xyxy.astype(np.float64), 0.0, 1.0).T
    width, height = np.maximum(right - left, 1e-4), np.maximum(bottom - top, 1e-4)
    column, row = (
        np.minimum((each * GRID / 2).astype(np.int64), GRID - 1) for each in (left + right, top + bottom)
    )
    octave = np.clip(np.floor(-np.log2(width * height)), 0, OCTAVES - 1).astype(np.int64)
    tall = np.log2(height / width)
    shape = (tall > -0.5).astype(np.int64) + (tall > 0.5)
    return column, row, octave, shape, class_id.astype(np.int64)


def _key(column: Keys, row: Keys, octave: Keys, shape: Keys, kind: Keys) -> Keys:
    """One number each. There is room beside the edges for :func:`_around`, and for :data:`NOWHERE`."""
    key = (kind * (SHAPES + 2) + shape + 1) * (OCTAVES + 2) + octave + 1
    return np.asarray((key * (GRID + 3) + row + 1) * (GRID + 2) + column + 1)


_NEXT = np.array(
    [(x, y, 0, 0) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    + [(0, 0, -1, 0), (0, 0, 1, 0), (0, 0, 0, -1), (0, 0, 0, 1)],
    np.int64,
)


_NEXT_KINDS = _NEXT[(_NEXT[:, :2] == 0).all(axis=1)]
"""Of cells without a place."""
NOWHERE = GRID + 1
"""The row of those: beside all that there are."""


def _around(parts: tuple[Keys, ...], steps: Keys) -> Keys:
    """The cell of each box and those next to it, [n, steps]: at an edge a box falls to either side."""
    column, row, octave, shape, kind = (part[:, np.newaxis] for part in parts)
    right, down, smaller, taller = steps.T[:, np.newaxis, :]
    size = octave + smaller
    return _key(column + right, row + down, size, shape + taller, np.broadcast_to(kind, size.shape))


def _places(keys: Keys) -> list[NDArray[np.intp]]:
    """Where keys lie in each row of a table."""
    return [
        ((keys.astype(np.uint64) * factor) >> np.uint64(64 - _BITS)).astype(np.intp) for factor in _FACTORS
    ]
