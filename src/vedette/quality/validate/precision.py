"""Average precision and recall of many choices of pictures at once. Pure.

A choice is a whole number for each picture: how many times it is in. Average precision is COCO's: precision
made falling, read at 101 recalls from 0 to 1 (Lin et al., "Microsoft COCO", 2014; the reference is
pycocotools). Only boxes that found something raise recall, and none but these can be where precision is
read; so a choice costs a running sum over all boxes, and everything else is done for the hits alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vedette.quality.validate.records import IOUS, Records

__all__ = ["MOST", "Choices", "average_precision", "found_and_right"]

Choices = NDArray[np.int32]
"""[B, N]: how often each of N pictures is in each of B choices."""

MOST = 100
"""Boxes of one picture and label that are looked at, the most confident ones, as COCO has it."""

_RECALLS = np.linspace(0.0, 1.0, 101)
_AT_ONCE = 4_000_000
"""Numbers in one table: 16 MB each, whatever the set."""


def average_precision(
    records: Records, choices: Choices, steps: Sequence[int] = tuple(range(len(IOUS)))
) -> NDArray[np.float64]:
    """[B, T, C]: for each choice, overlap ``IOUS[steps[t]]`` and label; NaN where a choice has no object of
    the label."""
    found = np.full((len(choices), len(steps), len(records.labels)), np.nan)
    for label in range(len(records.labels)):
        boxes = np.flatnonzero(records.label == label)
        boxes = boxes[np.argsort(-records.score[boxes], kind="stable")]
        wanted = choices @ records.truths[:, label]
        rows = max(1, _AT_ONCE // max(1, len(boxes)))
        for start in range(0, len(choices), rows):
            part = slice(start, start + rows)
            found[part, :, label] = _of_label(records, boxes, choices[part], wanted[part], steps)
    return found


def _of_label(
    records: Records,
    boxes: NDArray[np.intp],
    choices: Choices,
    wanted: NDArray[np.int32],
    steps: Sequence[int],
) -> NDArray[np.float64]:
    """[B, T]; ``boxes``: those of one label, the most confident first."""
    times = choices[:, records.picture[boxes]]
    so_far = np.cumsum(times, axis=1, dtype=np.int32)
    needed = _needed(wanted)
    found = np.full((len(choices), len(steps)), np.nan)
    for column, step in enumerate(steps):
        ignored = (records.ignored[boxes] >> step & 1).astype(bool)
        hits = np.flatnonzero((records.hit[boxes] >> step & 1).astype(bool) & ~ignored)
        looked = so_far[:, hits] - _before(times, np.flatnonzero(ignored), hits)
        right = np.cumsum(times[:, hits], axis=1, dtype=np.int32)
        found[:, column] = _area(right, looked, needed)
    found[wanted == 0] = np.nan
    return found


def _needed(wanted: NDArray[np.int32]) -> NDArray[np.int64]:
    """[B, 101]: how many must be found for each of the recalls, as floating point numbers compare."""
    total = np.maximum(wanted, 1)[:, None].astype(np.float64)
    least = np.ceil(_RECALLS * total)
    least -= (least - 1) / total >= _RECALLS
    least += least / total < _RECALLS
    return least.astype(np.int64)


def _before(times: Choices, some: NDArray[np.intp], places: NDArray[np.intp]) -> Choices | int:
    """How many of ``some`` boxes there are before each place, chosen as often as their picture."""
    if not len(some):
        return 0
    so_far = np.cumsum(times[:, some], axis=1, dtype=np.int32)
    so_far = np.concatenate([np.zeros((len(times), 1), np.int32), so_far], axis=1)
    return np.asarray(so_far[:, np.searchsorted(some, places)], np.int32)


def _area(right: Choices, looked: Choices, needed: NDArray[np.int64]) -> NDArray[np.float64]:
    """[B]: the mean of precision at the recalls. ``right``, ``looked`` [B, H]: up to each hit."""
    count, hits = right.shape
    if not hits:
        return np.zeros(count)
    precision = right / np.maximum(looked, 1)
    falling = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # One search in all rows: each is lifted above the one before it.
    lift = (np.arange(count, dtype=np.int64) * (max(int(right.max()), int(needed.max())) + 1))[:, None]
    place = np.searchsorted((right + lift).ravel(), (needed + lift).ravel()).reshape(needed.shape)
    place -= np.arange(count)[:, None] * hits
    read = np.take_along_axis(falling, np.minimum(place, hits - 1), axis=1)
    return np.asarray(np.where(place < hits, read, 0.0).mean(axis=1), np.float64)


def found_and_right(
    records: Records, choices: Choices, confidence: float, step: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[B] each: recall and precision of the boxes that are at least so confident, all labels together; NaN
    where there is no object, or no box."""
    sure = records.score >= confidence
    right, wrong = records.at(step)
    count = len(records.pictures)
    hits = choices @ np.bincount(records.picture[sure & right], minlength=count)
    misses = choices @ np.bincount(records.picture[sure & wrong], minlength=count)
    objects = choices @ records.truths.sum(axis=1)
    return _share(hits, objects), _share(hits, hits + misses)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
