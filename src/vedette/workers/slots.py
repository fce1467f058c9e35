"""Shared pictures: a few slots of the detector's input size, in memory without a name."""

from __future__ import annotations

import mmap
import os

import numpy as np
import numpy.typing as npt

from vedette.workers.table import anonymous_memory

__all__ = ["Slots"]


class Slots:
    """``slots[i]`` is u8 [height, width, 3] RGB. Takes the descriptor over and closes it once mapped."""

    def __init__(self, fd: int, count: int, height: int, width: int) -> None:
        self.count, self.height, self.width = count, height, width
        self._memory = mmap.mmap(fd, self.size(count, height, width))
        os.close(fd)
        self.pictures: npt.NDArray[np.uint8] = np.ndarray(
            (count, height, width, 3), np.uint8, buffer=self._memory
        )

    @staticmethod
    def size(count: int, height: int, width: int) -> int:
        return count * height * width * 3

    @classmethod
    def create(cls, count: int, height: int, width: int) -> tuple[Slots, int]:
        """New slots, and a descriptor of their memory to hand on."""
        fd = anonymous_memory(cls.size(count, height, width))
        return cls(os.dup(fd), count, height, width), fd

    def sized(self, slot: int, height: int, width: int) -> npt.NDArray[np.uint8]:
        """The beginning of a slot as a smaller picture, u8 [height, width, 3]."""
        flat: npt.NDArray[np.uint8] = self.pictures[slot].reshape(-1)
        return flat[: height * width * 3].reshape(height, width, 3)

    def __getitem__(self, slot: int) -> npt.NDArray[np.uint8]:
        picture: npt.NDArray[np.uint8] = self.pictures[slot]
        return picture
