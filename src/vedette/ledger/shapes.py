"""What a picture of the ledger is made of; the painters draw these and decide nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

__all__ = [
    "Anchor",
    "Drawing",
    "Hatch",
    "Label",
    "Rectangle",
    "Shape",
    "Stroke",
    "fitted",
    "space",
    "text_width",
    "words",
]

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """In pixels from the upper left corner. ``title`` is shown where a picture can answer the mouse."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    opacity: float = 1.0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Hatch:
    """A rectangle of thin slanted lines; neighbours join without a seam."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A horizontal or vertical line, one pixel wide."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """Text on one line; ``y`` is its baseline."""

    x: float
    y: float
    text: str
    size: int
    colour: str
    anchor: Anchor = "start"


Shape = Rectangle | Hatch | Stroke | Label


@dataclass(slots=True)
class Drawing:
    """``shapes`` from the back to the front."""

    width: int
    height: int
    title: str
    shapes: list[Shape] = field(default_factory=list)


@lru_cache(maxsize=4096)
def text_width(text: str, size: int) -> float:
    """Pixels, by the font that pictures are painted with; fonts of browsers come close."""
    return sum(width for _, width in words(text, size)) + space(size) * text.count(" ")


@lru_cache(maxsize=4096)
def words(text: str, size: int) -> tuple[tuple[str, float], ...]:
    """Each word and its width in pixels."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    return tuple((word, float(font.getlength(word))) for word in text.split(" "))


def space(size: int) -> int:
    """Pixels between words. At these sizes the font's own space, hinted and kerned, nearly vanishes."""
    return max(3, round(size * 0.33))


def fitted(text: str, size: int, width: float) -> str:
    """As much of the text as fits into ``width`` pixels, with an ellipsis where something is left out."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…" if text else ""
