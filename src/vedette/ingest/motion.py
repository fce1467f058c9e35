"""Whether anything moved since the last picture that was analysed.

A picture is compared, in cells of a few pixels, with the last one that was analysed and not with the one
before: however slowly something creeps, in the end it is a cell away from where it was seen. What a camera
does by itself is learned for each cell:

- *noise*, and leaves that tremble, by how far the cell is from the reference while nothing moves;
- *light* that comes and goes slowly, because it is the same for a whole neighbourhood;
- *habits*: the digits of a clock in the picture change again and again in the same few cells, and nothing
  else does. Something that walks never stays in the same cells.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from vedette.ingest.motion_cells import Cells, read_cells

__all__ = ["Look", "Motion"]

_TIMES_NOISE = np.float32(6.0)
"""A cell has changed when it is this many times its usual distance from the reference."""

_LIMIT_LEAST, _LIMIT_FIRST, _LIMIT_MOST = np.float32(5.0), np.float32(6.0), np.float32(16.0)
"""Luma levels. At least: coding alone makes up to 4 at a keyframe. At most: what passes by counts as noise,
too, but must not make the cells on its way blind: a person's contrast is mostly more."""

_LIMIT_EVERY = 4
"""Pictures. Noise changes slowly; to learn it from each would cost a quarter of the time."""
_LIMIT_RATE = np.float32(1 / 128)
"""What creeps into a cell within four seconds must reach the limit before the limit has learned it."""
_SURPRISE_RATE = np.float32(1 / 64)
"""By how much more what changes again and again (leaves, water) has to change the next time."""

_BLOCK = 8
"""Cells. Light is the same, or goes over smoothly, from one block of 8×8 cells to the next."""

_LIGHT_MOST = np.float32(5.0)
"""Luma levels. Light that is further from where it was four pictures ago did not change slowly."""
_LIGHT_RATE = np.float32(1 / 4)

_EVERYWHERE = 0.25
"""Share of the cells. Where more changed at once, a lamp was switched: nothing is learned from that."""

_HABIT_SHIFT = 5
_HABIT = 102
"""Of 255: a cell that changed in 40% of the last 2⁵ pictures that were analysed has a habit."""
_HABIT_ALONE = 0.01
"""Share of the cells. A car that passes by neither has habits nor makes a clock lose its own."""
_HABIT_MOST = 0.05
"""Share of the cells. Where more change all the time, that is no clock."""

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What motion is judged by: 60 kB of a picture. ``cells`` is None where its brightness cannot be read."""

    cells: Cells | None


class Motion:
    """One camera's reference and what was learned of it: 0.2 MB. May be used from several threads.

    ``look`` at each picture that could be analysed, ask whether it ``moved``, and hand in the look of those
    that are ``analysed``, whether they were asked about or not.
    """

    def __init__(self) -> None:
        self._scene: _Scene | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """What was learned goes with the camera from process to process."""
        with self._lock:
            return {"scene": self._scene}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._scene, self._lock = state["scene"], threading.Lock()

    def look(self, image: Any) -> Look:
        """Look at ``image``, an ``av.VideoFrame`` as the decoder gives it. Raises nothing."""
        return Look(read_cells(image))

    def moved(self, look: Look | None) -> bool:
        """Whether something is elsewhere than in the reference, the picture that was analysed last.

        True also without a reference, after a change of size, and for a picture that cannot be judged.
        """
        if look is None or look.cells is None:
            return True
        with self._lock:
            if self._scene is None or self._scene.shape != look.cells.shape:
                return True
            return self._scene.differs(look.cells)

    def analysed(self, look: Look | None) -> None:
        """This picture is analysed: from now on, it is what others are compared with."""
        if look is None or look.cells is None:
            return
        with self._lock:
            if self._scene is None or self._scene.shape != look.cells.shape:
                self._scene = _Scene(look.cells)
            else:
                self._scene.take_in(look.cells)

    def reset(self) -> None:
        """Forget the reference and all that was learned: another view, or another stream."""
        with self._lock:
            self._scene = None


class _Scene:
    """The reference in cells, and what is usual in it."""

    def __init__(self, cells: Cells) -> None:
        self.shape = cells.shape
        self._reference = cells.copy()
        self._limit = np.full_like(cells, _LIMIT_FIRST)
        self._habit = np.zeros(cells.shape, np.uint8)
        self._habitual: _Flags | None = None
        self._judged = 0

    def differs(self, cells: Cells) -> bool:
        off, light = self._compared(cells)
        distance = np.abs(off, out=off)
        changed = distance > self._limit
        self._judged += 1
        if self._judged % _LIMIT_EVERY == 0:
            self._learn_noise(distance, ~changed, _LIMIT_RATE)
        if self._any_pair(changed):
            return True
        light *= _LIGHT_RATE
        self._reference += light
        return False

    def take_in(self, cells: Cells) -> None:
        """Make ``cells`` the reference."""
        off, _ = self._compared(cells)
        distance = np.abs(off)
        changed = distance > self._limit
        share = np.count_nonzero(changed) / changed.size
        if share <= _EVERYWHERE:
            self._learn_noise(distance, changed, _SURPRISE_RATE)
        if share <= _HABIT_ALONE:
            self._learn_habits(changed)
        # Where nothing changed, the mean of both has less noise than either, and the new light in full.
        off *= np.float32(0.5)
        off[changed] = 0.0
        np.subtract(cells, off, out=self._reference)

    def _compared(self, cells: Cells) -> tuple[Cells, Cells]:
        """How far each cell is from the reference, without the light; and how much brighter that became."""
        off = cells - self._reference
        near = np.minimum(off, _LIGHT_MOST)
        np.maximum(near, -_LIGHT_MOST, out=near)
        (down, up), (left, right) = _smoothing(self.shape[0]), _smoothing(self.shape[1])
        light: Cells = up @ ((down @ near @ left.T) @ right.T)
        off -= light
        return off, light

    def _any_pair(self, changed: _Flags) -> bool:
        """Whether two neighbouring cells changed that do not always do. A single one is chance."""
        if not changed.any():
            return False
        if self._habitual is not None:
            changed = changed & ~self._habitual
        beside, below = changed[:, 1:] & changed[:, :-1], changed[1:] & changed[:-1]
        return bool(beside.any() or below.any())

    def _learn_noise(self, distance: Cells, where: _Flags, rate: np.float32) -> None:
        step = np.minimum(distance * _TIMES_NOISE, _TIMES_NOISE * _LIMIT_MOST)
        step -= self._limit
        step *= rate
        step *= where
        self._limit += step
        np.clip(self._limit, _LIMIT_LEAST, _LIMIT_MOST, out=self._limit)

    def _learn_habits(self, changed: _Flags) -> None:
        habit = self._habit.astype(np.int16)
        habit += ((changed * np.int16(255)) - habit) >> _HABIT_SHIFT
        self._habit = habit.astype(np.uint8)
        habitual = self._habit > _HABIT
        few = 0 < np.count_nonzero(habitual) <= _HABIT_MOST * habitual.size
        self._habitual = _grown(habitual) if few else None


def _grown(flags: _Flags) -> _Flags:
    """With the neighbours, diagonal ones included: not all strokes of a digit change each time."""
    grown = flags.copy()
    grown[1:] |= flags[:-1]
    grown[:-1] |= flags[1:]
    across = grown.copy()
    grown[:, 1:] |= across[:, :-1]
    grown[:, :-1] |= across[:, 1:]
    return grown


@lru_cache(maxsize=64)
def _smoothing(cells: int) -> tuple[Cells, Cells]:
    """Two matrices: from cells to the means of blocks, and from these back to cells, linear in between."""
    blocks = max(1, round(cells / _BLOCK))
    ends = np.linspace(0, cells, blocks + 1).round().astype(np.intp)
    centres = (ends[1:] + ends[:-1] - 1) / 2
    means, back = np.zeros((blocks, cells), np.float32), np.zeros((cells, blocks), np.float32)
    for block, own in enumerate(np.eye(blocks)):
        means[block, ends[block] : ends[block + 1]] = 1 / (ends[block + 1] - ends[block])
        back[:, block] = np.interp(np.arange(cells), centres, own)
    return means, back
