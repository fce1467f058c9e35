"""Boxes drawn into a picture that the node made."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TypeVar
from zlib import crc32

from PIL import Image, ImageDraw, ImageFont

from vedette.control.protocol import Picture

__all__ = ["across", "colour_of", "drawn", "ink_on"]

QUALITY = 80
COLOURS = (
    # Okabe and Ito's, which colour-blind people tell apart (jfly.uni-koeln.de/color, 2008), without black.
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
DARK, LIGHT = (16, 20, 26), (255, 255, 255)
BOXES_AT_MOST = 300
"""More nobody could tell apart."""

T = TypeVar("T")


def colour_of(name: str) -> tuple[int, int, int]:
    """Of a class: always the same."""
    return COLOURS[crc32(name.encode()) % len(COLOURS)]


def ink_on(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Of text on it: whichever of dark and light has more contrast (WCAG 2.2, relative luminance)."""
    luminance = sum(
        share * _linear(part / 255) for share, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True)
    )
    return DARK if luminance > 0.179 else LIGHT


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def across(jpeg: bytes) -> int:
    """Its width in pixels. Reads its head only. Raises OSError for bytes that are no picture."""
    with Image.open(io.BytesIO(jpeg)) as opened:
        return opened.width


def drawn(picture: Picture, *, width: int = 65_535, boxes: bool = True) -> bytes:
    """The picture as JPEG, ``width`` pixels wide at most, with its ``boxes``, their classes, track ids and
    confidences. Takes some milliseconds; for a thread. Raises OSError for bytes that are no picture."""
    boxes, narrower = boxes and bool(picture.xyxy), across(picture.jpeg) > width
    if not (boxes or narrower):
        return picture.jpeg
    with Image.open(io.BytesIO(picture.jpeg)) as opened:
        if narrower:
            opened.thumbnail((width, opened.height))  # decodes no more of it than that needs
        image = opened.convert("RGB")
    if boxes:
        _draw(image, picture)
    held = io.BytesIO()
    image.save(held, "JPEG", quality=QUALITY)
    return held.getvalue()


def _draw(image: Image.Image, picture: Picture) -> None:
    draw = ImageDraw.Draw(image)
    across, down = image.width / max(1, picture.width), image.height / max(1, picture.height)
    font = _font(max(10, min(18, image.width // 40)))
    stroke = max(1, image.width // 320)
    for number, box in list(enumerate(picture.xyxy))[:BOXES_AT_MOST]:
        left, right = sorted((box[0] * across, box[2] * across))
        top, bottom = sorted((box[1] * down, box[3] * down))
        name = _at(picture.names, number, "")
        colour = colour_of(name)
        draw.rectangle((left, top, right, bottom), outline=colour, width=stroke)
        _label(draw, font, (left, top), _text(picture, number, name), colour)


def _text(picture: Picture, number: int, name: str) -> str:
    track, sure = _at(picture.tracks, number, -1), _at(picture.confidence, number, 0.0)
    return f"{name}{f' {track}' if track >= 0 else ''} {sure:.0%}"


def _label(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    corner: tuple[float, float],
    text: str,
    colour: tuple[int, int, int],
) -> None:
    """Above the box, or inside of it where there is no room."""
    _, _, wide, high = draw.textbbox((0, 0), text, font=font)
    left, top = corner
    above = top - high - 2 if top >= high + 2 else top
    draw.rectangle((left, above, left + wide + 4, above + high + 2), fill=colour)
    draw.text((left + 2, above), text, fill=ink_on(colour), font=font)


def _at(values: list[T], number: int, otherwise: T) -> T:
    return values[number] if number < len(values) else otherwise
