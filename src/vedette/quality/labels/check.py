"""Whether a set is one that formats can hold, and the exactness to which all of them keep it.

Coordinates are kept to a millionth of a pixel. Formats count from other corners, or in shares of the
picture, and floating point does not come back from there bit for bit; rounded, it does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from vedette.errors import LabelError
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.names import picture_name, text_problem
from vedette.quality.labels.values import json_text, shown

__all__ = ["box_problem", "checked", "corners", "label_problem"]

DECIMALS = 6
FARTHEST = 1e7
"""Pixels. Beyond that a millionth is lost in the arithmetic, and no picture is as large."""
LARGEST = 1_000_000
"""Pixels of a picture's side."""


def corners(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    """Rounded. Raises ValueError for what is no box."""
    # + 0.0: without a sign on zero.
    xyxy = tuple(round(each, DECIMALS) + 0.0 for each in (left, top, right, bottom))
    if problem := box_problem(*xyxy):
        raise ValueError(problem)
    return (xyxy[0], xyxy[1], xyxy[2], xyxy[3])


def box_problem(left: float, top: float, right: float, bottom: float) -> str | None:
    """Why these are not corners, or None. Boxes without an area, or out of the picture, are boxes."""
    if not all(math.isfinite(each) and abs(each) <= FARTHEST for each in (left, top, right, bottom)):
        return f"a coordinate is not within ±{FARTHEST:,.0f} pixels"
    if right < left or bottom < top:
        return f"its width or height is negative ({right - left:g} × {bottom - top:g})"
    return None


def size_problem(width: int, height: int) -> str | None:
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        return f"its size is {width} × {height}"
    return None


def label_problem(labels: Iterable[str]) -> str | None:
    """Why these cannot be the classes of a set, or None."""
    seen = set()
    for label in labels:
        if problem := text_problem(label):
            return f"class {shown(label)} {problem}"
        if label in seen:
            return f"class {shown(label)} is there twice"
        seen.add(label)
    return None


def checked(dataset: Dataset) -> Dataset:
    """The same, rounded. Raises LabelError, without a file, for what no format could hold."""
    if problem := label_problem(dataset.labels):
        raise LabelError(problem)
    _json(dataset.attributes, "the set")
    names: set[str] = set()
    pictures = []
    for picture in dataset.pictures:
        if picture.name in names:
            raise LabelError(f"picture {shown(picture.name)} is there twice")
        names.add(picture.name)
        pictures.append(_picture(picture, frozenset(dataset.labels)))
    return Dataset(dataset.labels, tuple(pictures), dict(dataset.attributes))


def _picture(picture: Picture, labels: frozenset[str]) -> Picture:
    where = f"picture {shown(picture.name)}"
    try:
        if picture_name(picture.name) != picture.name:
            raise LabelError(f"{where}: its name has needless slashes or dots")
    except ValueError as err:
        raise LabelError(f"{where}: its name {err}") from err
    for what, text in (("camera", picture.camera), ("light", picture.light)):
        if text and (problem := text_problem(text)):
            raise LabelError(f"{where}: its {what} {problem}")
    if problem := size_problem(picture.width, picture.height):
        raise LabelError(f"{where}: {problem}")
    if picture.captured_at is not None and not math.isfinite(picture.captured_at):
        raise LabelError(f"{where}: captured_at is {picture.captured_at}")
    _json(picture.attributes, where)
    boxes = tuple(_box(box, labels, f"{where}, box {number}") for number, box in enumerate(picture.boxes))
    return Picture(
        picture.name,
        int(picture.width),
        int(picture.height),
        boxes,
        camera=picture.camera,
        captured_at=None if picture.captured_at is None else float(picture.captured_at),
        light=picture.light,
        attributes=dict(picture.attributes),
    )


def _box(box: Box, labels: frozenset[str], where: str) -> Box:
    if box.label not in labels:
        raise LabelError(f"{where}: {shown(box.label)} is none of the set's classes")
    if box.track_id is not None and abs(box.track_id) >= 2**63:
        raise LabelError(f"{where}: track_id is {box.track_id}")
    try:
        xyxy = corners(*(float(each) for each in box.xyxy))
    except ValueError as err:
        raise LabelError(f"{where}: {err}") from err
    _json(box.attributes, where)
    return Box(
        xyxy,
        box.label,
        crowd=bool(box.crowd),
        difficult=bool(box.difficult),
        track_id=None if box.track_id is None else int(box.track_id),
        attributes=dict(box.attributes),
    )


def _json(attributes: Any, where: str) -> None:
    if attributes == {}:
        return
    try:
        json_text(attributes).encode()
    except ValueError as err:  # UnicodeEncodeError is one
        raise LabelError(f"{where}: attributes: {err}") from err
