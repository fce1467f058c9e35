"""Boxes and labels drawn into a picture, readable at any size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vedette.results import UNTRACKED, Boxes

__all__ = ["annotate"]

Colour = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]

# Bright and far apart in hue, so that they stand out from grass, tarmac and night alike.
_COLOURS: tuple[Colour, ...] = (
    (255, 176, 0),
    (0, 200, 255),
    (120, 230, 80),
    (255, 95, 125),
    (178, 140, 255),
    (255, 235, 60),
    (0, 225, 180),
    (255, 130, 40),
)
_NAME_AT_MOST = 32
_DARK, _LIGHT = (16, 18, 22), (245, 245, 245)


def annotate(rgb: NDArray[np.uint8], boxes: Boxes, *, caption: str = "") -> NDArray[np.uint8]:
    """A copy of the picture (u8 [H, W, 3]) with a box and ``person 0.91 #7`` for each object.

    One colour per track (per class where nothing is tracked). Lines and text grow with the picture. Labels
    keep out of each other's way where they can; the most confident ones choose first.
    """
    image = Image.fromarray(np.ascontiguousarray(rgb))
    draw = ImageDraw.Draw(image, "RGBA")
    corners = _corners(boxes, image.size)
    order = np.argsort(-boxes.confidence, kind="stable").tolist()
    for index in reversed(order):
        _draw_box(draw, corners[index], _colour(boxes, index), max(2, round(image.height / 240)))
    taken: list[Rectangle] = []
    for index in order:
        taken.append(_draw_label(draw, image.size, boxes, index, corners[index], taken))
    if caption:
        _draw_caption(draw, image.size, caption)
    return np.asarray(image, dtype=np.uint8)


def _corners(boxes: Boxes, size: tuple[int, int]) -> list[Rectangle]:
    """In whole pixels inside the picture. Clipped as floats: a box without end must not overflow."""
    inside = np.clip(np.nan_to_num(boxes.xyxy), 0, [size[0] - 1, size[1] - 1] * 2).round().astype(int)
    return [(x1, y1, max(x1, x2), max(y1, y2)) for x1, y1, x2, y2 in inside.tolist()]


def _colour(boxes: Boxes, index: int) -> Colour:
    track = int(boxes.track_id[index])
    return _COLOURS[(track if track != UNTRACKED else int(boxes.class_id[index])) % len(_COLOURS)]


def _draw_box(draw: ImageDraw.ImageDraw, box: Rectangle, colour: Colour, line: int) -> None:
    x1, y1, x2, y2 = box
    # A dark line around the bright one keeps it visible on a bright background.
    draw.rectangle([x1 - 1, y1 - 1, x2 + 1, y2 + 1], outline=(*_DARK, 110), width=line + 2)
    draw.rectangle([x1, y1, x2, y2], outline=colour, width=line)


def _draw_label(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    boxes: Boxes,
    index: int,
    box: Rectangle,
    taken: list[Rectangle],
) -> Rectangle:
    track = int(boxes.track_id[index])
    number = f" #{track}" if track != UNTRACKED else ""
    # A name may be anything, also several lines of it.
    name = " ".join(boxes.class_name[index].split())[:_NAME_AT_MOST]
    text = f"{name} {boxes.confidence[index]:.2f}{number}"
    font = _font(_text_height(size[1]))
    pad = max(2, round(font.size / 5))
    width, height = round(draw.textlength(text, font)) + 2 * pad, round(font.size * 1.2) + pad
    place = _place(box, width, height, size, taken)
    draw.rectangle(place, fill=(*_colour(boxes, index), 235))
    draw.text((place[0] + pad, place[1] + height / 2), text, font=font, fill=_DARK, anchor="lm")
    return place


def _place(
    box: Rectangle, width: int, height: int, size: tuple[int, int], taken: list[Rectangle]
) -> Rectangle:
    """The first place that is free: above the box, below it, a line further up or down; else above."""
    lefts = (box[0] - 1, box[2] + 1 - width)
    tops = (box[1] - height - 1, box[3] + 1, box[1] - 2 * height - 2, box[3] + height + 2, box[1])
    places = []
    for top in tops:
        for left in lefts:
            x = max(0, min(left, size[0] - width - 1))
            y = max(0, min(top, size[1] - height - 1))
            places.append((x, y, x + width, y + height))
    return next((place for place in places if not any(_overlap(place, other) for other in taken)), places[0])


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _draw_caption(draw: ImageDraw.ImageDraw, size: tuple[int, int], caption: str) -> None:
    _, height = size
    font = _font(_text_height(height))
    pad = max(3, round(font.size / 3))
    text_width, text_height = round(draw.textlength(caption, font)) + 2 * pad, round(font.size * 1.25) + pad
    draw.rectangle([0, height - text_height, text_width, height], fill=(*_DARK, 150))
    draw.text((pad, height - text_height / 2), caption, font=font, fill=_LIGHT, anchor="lm")


def _text_height(height: int) -> int:
    return max(10, round(height / 40))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # with a size given, it is the scalable one
    return font
