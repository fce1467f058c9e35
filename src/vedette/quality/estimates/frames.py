"""Reviewed frames, as estimates see them: what was right, what was found, how each was drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vedette.quality.estimates.emitted import ROUNDING, Emitted
from vedette.quality.estimates.matching import Prediction, matched
from vedette.quality.estimates.powered import Cells
from vedette.quality.estimates.ratio import Floats, Shares
from vedette.quality.labels.dataset import Picture

__all__ = [
    "BoxSeen",
    "Judged",
    "ObjectThere",
    "by_cells",
    "drawn",
    "judged",
    "of_boxes",
    "of_label",
    "of_objects",
]


@dataclass(frozen=True, slots=True)
class BoxSeen:
    """A box that the detector emitted. ``right``: None = nobody is to blame."""

    label: str
    score: float
    right: bool | None


@dataclass(frozen=True, slots=True)
class ObjectThere:
    """An object that people saw. ``area``: of its box, px² of the picture. ``found``: None = nobody is to
    blame."""

    label: str
    area: float
    found: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A reviewed frame, once: what a repeat of it says tells how people agree.

    ``probability``: with which any of the draws would have taken this frame, above 0, at most 1; of draws
    that do not know of each other 1 - Π(1 - pᵢ). None = it was picked, not drawn: then no share is estimated
    from it.
    """

    boxes: tuple[BoxSeen, ...]
    objects: tuple[ObjectThere, ...]
    probability: float | None
    camera: str = ""
    site: str = ""
    light: str = ""
    model: str = ""

    def __post_init__(self) -> None:
        if self.probability is not None and not 0 < self.probability <= 1:
            raise ValueError(f"a frame cannot have been drawn with probability {self.probability:g}")


def judged(
    picture: Picture,
    predictions: Iterable[Prediction],
    *,
    probability: float | None,
    threshold: float,
    site: str = "",
    model: str = "",
    at: float = 0.5,
) -> Judged:
    """What was right in a picture that people looked at. Predictions below ``threshold``, the score from
    which the detector emits, are left out; ``at``: see :func:`matched`."""
    emitted = [each for each in predictions if each.score >= threshold - ROUNDING]
    pairs = matched(emitted, picture.boxes, at)
    return Judged(
        boxes=tuple(
            BoxSeen(each.label, each.score, right) for each, right in zip(emitted, pairs.right, strict=True)
        ),
        objects=tuple(
            ObjectThere(box.label, _area(box.xyxy), found)
            for box, found in zip(picture.boxes, pairs.found, strict=True)
        ),
        probability=probability,
        camera=picture.camera,
        site=site,
        light=picture.light,
        model=model,
    )


def _area(xyxy: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = xyxy
    return max(0.0, right - left) * max(0.0, bottom - top)


def drawn(frames: Iterable[Judged]) -> list[Judged]:
    """Those that were taken by chance."""
    return [frame for frame in frames if frame.probability is not None]


def of_label(frames: Iterable[Judged], label: str) -> list[Judged]:
    """The same frames with what is of one class in them. It takes :class:`Emitted` of that class, too."""
    return [
        replace(
            frame,
            boxes=tuple(box for box in frame.boxes if box.label == label),
            objects=tuple(each for each in frame.objects if each.label == label),
        )
        for frame in frames
    ]


def of_objects(frames: Sequence[Judged], smallest: float = 0.0, largest: float = math.inf) -> Shares:
    """Objects found of those there; of drawn frames, sizes from ``smallest`` to below ``largest`` px²."""
    parts, wholes = np.zeros(len(frames)), np.zeros(len(frames))
    for number, frame in enumerate(frames):
        found = [
            each.found for each in frame.objects if each.found is not None and smallest <= each.area < largest
        ]
        parts[number], wholes[number] = sum(found), len(found)
    return Shares(_weight(frames), parts, wholes)


def of_boxes(frames: Sequence[Judged]) -> Shares:
    """Boxes right of those emitted; of drawn frames."""
    rights = [[box.right for box in frame.boxes if box.right is not None] for frame in frames]
    parts = np.array([sum(right) for right in rights], np.float64)
    return Shares(_weight(frames), parts, np.array([len(right) for right in rights], np.float64))


def by_cells(frames: Sequence[Judged], emitted: Emitted) -> Cells:
    """The boxes of frames by cell; frames that were picked weigh 1. ValueError where a box cannot be among
    those that were emitted."""
    counts = np.zeros((3, len(frames), emitted.counts.size))
    rows: dict[bool | None, int] = {True: 0, False: 1, None: 2}
    for number, frame in enumerate(frames):
        for box in frame.boxes:
            counts[rows[box.right], number, emitted.cell(frame.light, box.score)] += 1
    return Cells(_weight(frames), counts[0], counts[1], counts[2])


def _weight(frames: Sequence[Judged]) -> Floats:
    return np.array([1 / (frame.probability or 1.0) for frame in frames], np.float64)
