"""Keep one box for each object: suppression within a class, and within classes that look alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONFUSABLE", "MOST", "overlap", "rivals", "suppress"]

CONFUSABLE: tuple[tuple[str, ...], ...] = (
    ("car", "truck", "bus", "train", "van"),
    ("motorcycle", "motorbike", "bicycle"),
)
"""Classes of which a detector finds two in one object: a van gets a truck box and a car box."""

MOST = 300
"""Boxes of one picture looked at, the most confident ones: bounds the cost of a crowded scene."""

_FARTHEST = 65_536.0
"""Pixels; beyond it left edges are taken for equal. More pairs are compared then, never fewer."""


def rivals(names: Sequence[str], groups: Sequence[Sequence[str]] = CONFUSABLE) -> NDArray[np.int32]:
    """For each class id the id it competes under [len(names)]: classes of one group share theirs."""
    keys = np.arange(len(names), dtype=np.int32)
    lower = [name.strip().lower() for name in names]
    for group in groups:
        members = [index for index, name in enumerate(lower) if name in {entry.lower() for entry in group}]
        keys[members] = min(members, default=0)
    return keys


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each box of ``a`` [n, 4] with each of ``b`` [m, 4] → [n, m]."""
    # Axis by axis on [n, m]: five times quicker than one [n, m, 2].
    return _overlap(np.ascontiguousarray(a.T)[:, :, None], np.ascontiguousarray(b.T)[:, None, :])


def _overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of left, top, right, bottom [4, …]."""
    left, top, right, bottom = a
    left_b, top_b, right_b, bottom_b = b
    shared = np.maximum(np.minimum(right, right_b) - np.maximum(left, left_b), 0)
    shared *= np.maximum(np.minimum(bottom, bottom_b) - np.maximum(top, top_b), 0)
    union = (right - left) * (bottom - top) + (right_b - left_b) * (bottom_b - top_b) - shared
    return np.asarray(shared / np.maximum(union, np.float32(1e-9)), np.float32)


def suppress(
    xyxy: NDArray[np.float32],
    confidence: NDArray[np.float32],
    class_id: NDArray[np.int32],
    iou: float,
    keys: NDArray[np.int32],
    most: int = MOST,
) -> NDArray[np.intp]:
    """Indices of the boxes to keep, the most confident first.

    A box goes when a more confident one of the same key (``keys[class_id]``, see :func:`rivals`; ids
    beyond it compete within their class) overlaps it by more than ``iou``.
    """
    order = np.argsort(-confidence, kind="stable")[:most]
    if len(order) < 2:
        return order
    edges = np.ascontiguousarray(xyxy[order].T)
    one, other = _neighbours(edges, _keys_of(class_id[order], keys), iou)
    clash = np.flatnonzero(_overlap(edges.take(one, axis=1), edges.take(other, axis=1)) > iou)
    return order[_standing(len(order), one[clash], other[clash])]


def _neighbours(
    edges: NDArray[np.float32], competing: NDArray[np.int32], iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All pairs of boxes ([4, n]) that may clash, and few others: there are some hundred boxes, and of ninety
    thousand pairs hardly two thousand are near each other.

    Boxes that overlap by more than ``iou`` share more than that of the width of each. So the left edge of the
    one that begins farther right lies within 1 − ``iou`` of the other's width, and a little for rounding.
    """
    left, _, right, _ = edges
    place = competing * (8 * _FARTHEST) + np.clip(left, -_FARTHEST, _FARTHEST)
    along = place.argsort()
    place = place[along]
    width = np.maximum(right - left, 0)[along]
    reach = np.minimum((1.01 - iou) * width, 2 * _FARTHEST) + 4 * np.spacing(np.abs(place).max())
    count = place.searchsorted(place + reach, side="right") - np.arange(1, len(place) + 1)
    first = np.repeat(np.arange(len(place)), count)
    second = np.arange(1, len(first) + 1) + np.repeat(np.arange(len(place)) - np.cumsum(count) + count, count)
    return along[first], along[second]


def _standing(count: int, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which boxes are left, the most confident being first, when of each pair that clashes the second goes if
    the first one stands."""
    stronger, weaker = np.minimum(one, other), np.maximum(one, other)
    in_turn = stronger.argsort(kind="stable")
    weaker, until = weaker[in_turn], np.cumsum(np.bincount(stronger, minlength=count)).tolist()
    stands, start = np.ones(count, bool), 0
    for index, end in enumerate(until):
        if end > start and stands[index]:
            stands[weaker[start:end]] = False
        start = end
    return stands


def _keys_of(class_id: NDArray[np.int32], keys: NDArray[np.int32]) -> NDArray[np.int32]:
    if not len(keys):
        return class_id
    known = (class_id >= 0) & (class_id < len(keys))
    return np.where(known, keys[np.clip(class_id, 0, len(keys) - 1)], class_id)
