"""Which objects of a picture were found, which boxes are false: what a person would point at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.validate.coco_eval import Found

__all__ = ["Sighting", "sighting", "worst"]

ENOUGH = 0.5
"""Overlap from which on an object is found."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Of one picture, at the pipeline's threshold. ``right``, ``wrong``: numbers of boxes of its ``Found``;
    the others are not sure enough, or in a crowd. ``missed``: objects."""

    number: int
    right: tuple[int, ...]
    wrong: tuple[int, ...]
    missed: tuple[Box, ...]

    @property
    def mistakes(self) -> int:
        return len(self.wrong) + len(self.missed)


def worst(dataset: Dataset, found: Sequence[Found], confidence: float, most: int) -> list[Sighting]:
    """Pictures with the most mistakes, and those among them in which the least is right."""
    seen = [
        sighting(number, picture, boxes, dataset.labels, confidence)
        for number, (picture, boxes) in enumerate(zip(dataset.pictures, found, strict=True))
    ]
    seen.sort(key=lambda each: (-each.mistakes, len(each.right), each.number))
    return [each for each in seen[:most] if each.mistakes]


def sighting(
    number: int, picture: Picture, found: Found, labels: Sequence[str], confidence: float
) -> Sighting:
    """As COCO has it: the surest box chooses first, the object it overlaps most; crowds last, and again."""
    order = np.argsort(-found.score, kind="stable")
    free = set(range(len(picture.boxes)))
    right, wrong = [], []
    for index in order[found.score[order] >= confidence].tolist():
        label = labels[int(found.label[index])]
        alike = [place for place in sorted(free) if picture.boxes[place].label == label]
        chosen = _best(found.xyxy[index], picture.boxes, alike)
        if chosen is None:
            wrong.append(index)
        elif not _forgiven(picture.boxes[chosen]):
            right.append(index)
            free.discard(chosen)
    missed = tuple(picture.boxes[place] for place in sorted(free) if not _forgiven(picture.boxes[place]))
    return Sighting(number, tuple(right), tuple(wrong), missed)


def _forgiven(box: Box) -> bool:
    return box.crowd or box.difficult


def _best(xyxy: NDArray[np.floating], boxes: Sequence[Box], places: Sequence[int]) -> int | None:
    for forgiven in (False, True):
        overlaps = [
            (_overlap(xyxy, boxes[place]), place) for place in places if _forgiven(boxes[place]) is forgiven
        ]
        best = max(overlaps, default=(0.0, -1))
        if best[0] >= ENOUGH:
            return best[1]
    return None


def _overlap(xyxy: NDArray[np.floating], box: Box) -> float:
    """Intersection over union; over the box alone for a crowd, in which it need only lie."""
    left, top, right, bottom = (float(edge) for edge in xyxy)
    x1, y1, x2, y2 = box.xyxy
    shared = max(0.0, min(right, x2) - max(left, x1)) * max(0.0, min(bottom, y2) - max(top, y1))
    own = (right - left) * (bottom - top)
    whole = own if _forgiven(box) else own + (x2 - x1) * (y2 - y1) - shared
    return shared / whole if whole > 0 else 0.0
