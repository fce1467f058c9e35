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
    left, top, right, bottom = np.ascontiguousarray(a.T)[:, :, None]
    left_b, top_b, right_b, bottom_b = np.ascontiguousarray(b.T)[:, None, :]
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
    competing = _keys_of(class_id[order], keys)
    boxes = xyxy[order]
    clash = (overlap(boxes, boxes) > iou) & (competing[:, None] == competing[None, :])
    alive = np.ones(len(order), bool)
    for index in np.flatnonzero(np.triu(clash, 1).any(axis=1)):  # those that suppress nothing are left out
        if alive[index]:
            alive[index + 1 :] &= ~clash[index, index + 1 :]
    return order[alive]


def _keys_of(class_id: NDArray[np.int32], keys: NDArray[np.int32]) -> NDArray[np.int32]:
    if not len(keys):
        return class_id
    known = (class_id >= 0) & (class_id < len(keys))
    return np.where(known, keys[np.clip(class_id, 0, len(keys) - 1)], class_id)
