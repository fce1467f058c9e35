"""What is new to each of a worker's cameras: one :class:`Novelty` each, for as long as one model detects."""

from __future__ import annotations

import zlib

import numpy as np

from vedette.found import Found
from vedette.quality.review.novelty import Novelty, UnreadableNovelty

__all__ = ["News"]


class News:
    """``index``: of a camera. Not for several threads."""

    def __init__(self) -> None:
        self._model = b""
        self._cameras: dict[int, Novelty] = {}

    def follow(self, model: bytes) -> None:
        """This model detects. What another one half sees is news of its own."""
        if model != self._model:
            self._model = model
            self._cameras.clear()

    def frame(self, index: int, at: float, found: Found) -> int:
        """How many boxes of a frame are of something new. Each studied frame is to be shown. ``at``: Unix
        seconds."""
        novelty = self._cameras.setdefault(index, Novelty())
        size = np.array([found.width, found.height] * 2, np.float32)
        shares = np.asarray(found.xyxy / size, np.float32)
        return novelty.frame(at, shares, found.class_id, found.confidence)

    def forget(self, index: int) -> None:
        """It is gone, or looks elsewhere now."""
        self._cameras.pop(index, None)

    def left(self, index: int) -> bytes | None:
        """What another worker goes on with; forgotten here. Most of it is zeros."""
        novelty = self._cameras.pop(index, None)
        return None if novelty is None else zlib.compress(self._model + novelty.to_bytes(), 1)

    def go_on(self, index: int, known: bytes | None) -> None:
        """With what was learnt by another worker, if it is of the same model."""
        if known is None:
            return
        data = zlib.decompress(known)
        if data.startswith(self._model):
            try:
                self._cameras[index] = Novelty.from_bytes(data[len(self._model) :])
            except UnreadableNovelty:
                pass  # learnt by a worker of another version: it is learnt anew
