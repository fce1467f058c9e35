"""Pictures that people have looked at, and what they saw in them. All formats are read into this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Box", "Dataset", "Picture"]


@dataclass(frozen=True, slots=True)
class Box:
    """An object. ``xyxy``: left, top, right, bottom in pixels of the picture, fractions allowed."""

    xyxy: tuple[float, float, float, float]
    label: str
    crowd: bool = False
    """So many that nobody told them apart: whatever is found in here is neither right nor wrong."""
    difficult: bool = False
    """People themselves were not sure. Evaluated like ``crowd``: found or not, nobody is to blame."""
    track_id: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else a format keeps with a box, so that a round trip loses nothing. JSON values."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole picture in which every object of the set's labels was looked for.

    ``name``: of its file, relative to the folder of the set's pictures. ``captured_at``: POSIX seconds.
    ``light``: which light it was taken in, as drift has it; empty where nobody noted it.
    """

    name: str
    width: int
    height: int
    boxes: tuple[Box, ...] = ()
    camera: str = ""
    captured_at: float | None = None
    light: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """``labels``: the classes that were looked for, in the order that numbers them, from 0. Every box has one
    of them; a label without boxes was looked for and not found."""

    labels: tuple[str, ...]
    pictures: tuple[Picture, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
