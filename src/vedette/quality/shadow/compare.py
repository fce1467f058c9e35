"""One frame that two detectors have seen: which boxes both have. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.review.matching import pairs

__all__ = ["SAME_FROM", "Seen", "Told", "compare"]

SAME_FROM = 0.5
"""Boxes of one class that overlap by so much (IoU) are the same object."""

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one detector is sure of, at its own threshold. ``xyxy``: float32 [n, 4] in pixels of the frame;
    ``names``: n classes."""

    xyxy: NDArray[np.float32]
    names: Sequence[str]

    def boxes(self) -> list[tuple[_Box, str]]:
        found = []
        for corners, name in zip(self.xyxy.tolist(), self.names, strict=True):
            left, top, right, bottom = corners
            found.append(((left, top, right, bottom), name))
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """Numbers of boxes."""

    both: int
    only_running: int
    only_candidate: int

    @property
    def differing(self) -> int:
        return self.only_running + self.only_candidate


def compare(running: Seen, candidate: Seen) -> Told:
    """Boxes are the same where class and place are: each has one partner at most, the nearest first. Class
    ids may mean something else in each; names are what counts."""
    same = len(pairs(running.boxes(), candidate.boxes(), SAME_FROM))
    return Told(same, len(running.names) - same, len(candidate.names) - same)
