"""Which boxes of a reviewed picture were right, and which objects were found: greedy by score, as COCO does.

The rules are those of pycocotools' ``COCOeval.evaluateImg``: boxes take their turn by score; each takes the
free object of its class that it overlaps most, if by enough, and only if there is none, one that nobody is
judged by. Unlike there, boxes beyond the hundredth count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.labels.dataset import Box

__all__ = ["Matched", "Prediction", "matched"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the detector said. ``xyxy``: left, top, right, bottom in pixels. ``score``: 0…1."""

    xyxy: tuple[float, float, float, float]
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Matched:
    """``right``: of each prediction; ``found``: of each object; both in the order given.

    None: nobody is to blame. The object is ``crowd`` or ``difficult``, or the prediction lies on such a one.
    """

    right: tuple[bool | None, ...]
    found: tuple[bool | None, ...]


def matched(predictions: Sequence[Prediction], objects: Sequence[Box], at: float = 0.5) -> Matched:
    """``at``: the overlap (IoU) from which a box is on an object.

    With a crowd the overlap is the share of the box that lies in it, and many boxes may.
    """
    overlaps = _overlaps(predictions, objects)
    right: list[bool | None] = [False] * len(predictions)
    found: list[bool | None] = [None if _nobodys(box) else False for box in objects]
    for number in sorted(range(len(predictions)), key=lambda each: -predictions[each].score):
        label = predictions[number].label
        same = [place for place, box in enumerate(objects) if box.label == label]
        taken = _most(overlaps[number], [place for place in same if found[place] is False], at)
        if taken is not None:
            right[number] = found[taken] = True
        elif _most(overlaps[number], [place for place in same if found[place] is None], at) is not None:
            right[number] = None
    return Matched(tuple(right), tuple(found))


def _nobodys(box: Box) -> bool:
    return box.crowd or box.difficult


def _most(overlaps: NDArray[np.float64], places: list[int], at: float) -> int | None:
    """The one of ``places`` that is overlapped most, of equals the last; None where none is by enough."""
    best = None
    for place in places:
        if overlaps[place] >= at:
            best, at = place, float(overlaps[place])
    return best


def _overlaps(predictions: Sequence[Prediction], objects: Sequence[Box]) -> NDArray[np.float64]:
    """[predictions, objects]"""
    ours = np.array([each.xyxy for each in predictions], np.float64).reshape(-1, 1, 4)
    theirs = np.array([each.xyxy for each in objects], np.float64).reshape(1, -1, 4)
    sides = np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2])
    shared = np.prod(np.clip(sides, 0, None), axis=-1)
    area, other = _area(ours), _area(theirs)
    nobodys = np.array([_nobodys(each) for each in objects], bool)
    whole = np.where(nobodys, area, area + other - shared)
    overlaps: NDArray[np.float64] = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return overlaps


def _area(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = np.prod(np.clip(xyxy[..., 2:] - xyxy[..., :2], 0, None), axis=-1)
    return area
