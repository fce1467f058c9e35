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
    one, other = _clashes(xyxy.take(order, axis=0), _keys_of(class_id[order], keys), iou)
    return order[_standing(len(order), np.minimum(one, other), np.maximum(one, other))]


def _clashes(
    boxes: NDArray[np.float32], competing: NDArray[np.int32], iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All pairs of ``boxes`` [n, 4] that compete and overlap by more than ``iou``, as :func:`overlap` says to
    the bit."""
    along, first, second = _neighbours(boxes[:, 0], boxes[:, 2], competing, iou)
    # Right and bottom are turned round, so that one maximum of whole rows gives all four edges of what two
    # boxes share: gathering rows of 16 bytes is four times quicker than gathering four columns.
    inward = boxes.take(along, axis=0)
    area = (inward[:, 2] - inward[:, 0]) * (inward[:, 3] - inward[:, 1])
    np.negative(inward[:, 2:], out=inward[:, 2:])
    edges = np.maximum(inward.take(first, axis=0), inward.take(second, axis=0))
    shared = np.minimum(edges[:, 0] + edges[:, 2], 0)  # minus the width
    shared *= np.minimum(edges[:, 1] + edges[:, 3], 0)
    union = area.take(first) + area.take(second) - shared
    clash = np.flatnonzero(shared / np.maximum(union, np.float32(1e-9)) > iou)
    return along.take(first.take(clash)), along.take(second.take(clash))


def _neighbours(
    left: NDArray[np.float32], right: NDArray[np.float32], competing: NDArray[np.int32], iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """All pairs of n boxes that may clash, and few others: there are some hundred boxes, and of ninety
    thousand pairs hardly two thousand are near each other. Their order along, and pairs of places in that.

    Boxes that overlap by more than ``iou`` share more than that of the width of each. So the left edge of the
    one that begins farther right lies within 1 − ``iou`` of the other's width, and a little for rounding.
    """
    place = competing * (8 * _FARTHEST) + np.minimum(np.maximum(left, -_FARTHEST), _FARTHEST)
    along = place.argsort()
    place = place.take(along)
    width = np.maximum(right - left, 0).take(along)
    farthest = max(abs(float(place[0])), abs(float(place[-1])))
    reach = np.minimum((1.01 - iou) * width, 2 * _FARTHEST) + 4 * np.spacing(farthest)
    until = place.searchsorted(place + reach, side="right")
    here = np.arange(1, len(place) + 1)
    count = until - here
    first = np.repeat(here - 1, count)
    # The pairs of a box end with its farthest neighbour.
    second = np.arange(len(first)) + (until - np.cumsum(count)).take(first)
    return along, first, second


def _standing(count: int, stronger: NDArray[np.intp], weaker: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which boxes are left, the most confident being first, when of each pair that clashes the second goes if
    the first one stands."""
    stands, beaten = np.ones(count, bool), np.zeros(count, bool)
    beaten[weaker] = True
    # Whom nobody beats stands. That settles all but a few, which hang on others that are beaten.
    stands[weaker[~beaten.take(stronger)]] = False
    left = np.flatnonzero(stands.take(stronger) & stands.take(weaker))
    winners = stronger.take(left)
    in_turn = winners.argsort(kind="stable")
    gone: set[int] = set()
    for winner, loser in zip(winners[in_turn].tolist(), weaker[left[in_turn]].tolist(), strict=True):
        if winner not in gone:
            gone.add(loser)
    stands[list(gone)] = False
    return stands


def _keys_of(class_id: NDArray[np.int32], keys: NDArray[np.int32]) -> NDArray[np.int32]:
    if not len(keys):
        return class_id
    known = (class_id >= 0) & (class_id < len(keys))
    theirs = keys.take(class_id, mode="clip")
    return theirs if known.all() else np.where(known, theirs, class_id)
