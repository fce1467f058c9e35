"""Which boxes of two lists are the same object."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["XYXY", "iou", "pairs"]

XYXY = tuple[float, float, float, float]


def iou(a: XYXY, b: XYXY) -> float:
    """Intersection over union; 0 where neither has an area."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def pairs(
    first: Sequence[tuple[XYXY, str]],
    second: Sequence[tuple[XYXY, str]],
    at_least: float,
    *,
    same_label: bool = True,
) -> list[tuple[int, int]]:
    """Numbers of boxes in both that overlap by ``at_least``, the best first, each box once.

    Boxes that are equal are a pair also where they have no area.
    """
    found = [
        (1.0 if a == b else iou(a, b), i, j)
        for i, (a, label) in enumerate(first)
        for j, (b, other) in enumerate(second)
        if label == other or not same_label
    ]
    chosen: list[tuple[int, int]] = []
    left, right = set(range(len(first))), set(range(len(second)))
    for overlap, i, j in sorted(found, key=lambda each: (-each[0], each[1], each[2])):
        if overlap >= at_least and i in left and j in right:
            chosen.append((i, j))
            left.remove(i)
            right.remove(j)
    return chosen
