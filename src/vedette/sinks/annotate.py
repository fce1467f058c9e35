"""Boxes and labels drawn into a picture, readable at any size."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vedette.results import UNTRACKED, Boxes

__all__ = ["annotate"]

Colour = tuple[int, int, int]

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
_DARK, _LIGHT = (16, 18, 22), (245, 245, 245)


def annotate(rgb: NDArray[np.uint8], boxes: Boxes, *, caption: str = "") -> NDArray[np.uint8]:
    """A copy of the picture (u8 [H, W, 3]) with a box and ``person 0.91 #7`` for each object.

    One colour per track (per class where nothing is tracked). Lines and text grow with the picture. The most
    confident box is drawn last, on top.
    """
    image = Image.fromarray(np.ascontiguousarray(rgb))
    draw = ImageDraw.Draw(image, "RGBA")
    for index in np.argsort(boxes.confidence, kind="stable"):
        _draw_box(draw, image.size, boxes, int(index))
    if caption:
        _draw_caption(draw, image.size, caption)
    return np.asarray(image, dtype=np.uint8)


def _draw_box(draw: ImageDraw.ImageDraw, size: tuple[int, int], boxes: Boxes, index: int) -> None:
    width, height = size
    # Clipped in floats: a box that reaches to infinity must not overflow.
    x1, y1, x2, y2 = (
        np.clip(np.nan_to_num(boxes.xyxy[index]), 0, [width - 1, height - 1] * 2).round().astype(int)
    )
    track, line = int(boxes.track_id[index]), max(2, round(height / 240))
    colour = _COLOURS[(track if track != UNTRACKED else int(boxes.class_id[index])) % len(_COLOURS)]
    box = [int(x1), int(y1), int(max(x1, x2)), int(max(y1, y2))]
    # A dark line around the bright one keeps it visible on a bright background.
    draw.rectangle([box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1], outline=(*_DARK, 110), width=line + 2)
    draw.rectangle(box, outline=colour, width=line)
    number = f" #{track}" if track != UNTRACKED else ""
    label = f"{boxes.class_name[index]} {boxes.confidence[index]:.2f}{number}"
    _draw_label(draw, size, label, box, colour)


def _draw_label(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], label: str, box: list[int], colour: Colour
) -> None:
    """On top of the box where there is room, else inside it; never outside the picture."""
    width, height = size
    font = _font(_text_height(height))
    pad = max(2, round(font.size / 5))
    text_width, text_height = round(draw.textlength(label, font)) + 2 * pad, round(font.size * 1.25) + pad
    left = max(0, min(box[0] - 1, width - text_width))
    top = box[1] - text_height if box[1] >= text_height else box[1]
    top = max(0, min(top, height - text_height))
    draw.rectangle([left, top, left + text_width, top + text_height], fill=(*colour, 235))
    draw.text((left + pad, top + text_height / 2), label, font=font, fill=_DARK, anchor="lm")


def _draw_caption(draw: ImageDraw.ImageDraw, size: tuple[int, int], caption: str) -> None:
    _, height = size
    font = _font(_text_height(height))
    pad = max(3, round(font.size / 3))
    text_width, text_height = round(draw.textlength(caption, font)) + 2 * pad, round(font.size * 1.25) + pad
    draw.rectangle([0, height - text_height, text_width, height], fill=(*_DARK, 150))
    draw.text((pad, height - text_height / 2), caption, font=font, fill=_LIGHT, anchor="lm")


def _text_height(height: int) -> int:
    return max(11, round(height / 32))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # with a size given, it is the scalable one
    return font
