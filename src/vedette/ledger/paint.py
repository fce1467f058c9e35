"""Two painters for one drawing: SVG as text, PNG by Pillow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from vedette.ledger.shapes import Drawing, Hatch, Label, Rectangle, Shape, Stroke, space, text_width, words

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["painted", "svg"]

HATCH_PX = 6
"""From one slanted line to the next."""

_FONT = "Aileron, Helvetica, Arial, 'Liberation Sans', sans-serif"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""How much of a text lies left of its x."""


def svg(drawing: Drawing) -> str:
    """A whole SVG document. Texts are escaped; what XML cannot hold is replaced."""
    hatches = sorted({shape.colour for shape in drawing.shapes if isinstance(shape, Hatch)})
    size = f'width="{drawing.width}" height="{drawing.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {drawing.width} {drawing.height}" '
        f'role="img" font-family="{_FONT}" shape-rendering="crispEdges">',
        f"<title>{_text(drawing.title)}</title>",
        *(_pattern(colour) for colour in hatches),
        f'<rect {size} fill="#ffffff"/>',
        *(_element(shape) for shape in drawing.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _pattern(colour: str) -> str:
    side = HATCH_PX
    # Three strokes, so that the corners of neighbouring tiles meet.
    path = f"M-1,1 l2,-2 M0,{side} l{side},-{side} M{side - 1},{side + 1} l2,-2"
    return (
        f'<defs><pattern id="hatch-{colour[1:]}" patternUnits="userSpaceOnUse" '
        f'width="{side}" height="{side}">'
        f'<path d="{path}" stroke="{colour}" stroke-width="1" shape-rendering="geometricPrecision"/>'
        "</pattern></defs>"
    )


def _element(shape: Shape) -> str:
    match shape:
        case Rectangle():
            opacity = f' fill-opacity="{shape.opacity:g}"' if shape.opacity < 1 else ""
            head = f'<rect {_place(shape)} fill="{shape.fill}"{opacity}'
            return f"{head}><title>{_text(shape.title)}</title></rect>" if shape.title else f"{head}/>"
        case Hatch():
            return f'<rect {_place(shape)} fill="url(#hatch-{shape.colour[1:]})"/>'
        case Stroke():
            # Half a pixel in: a line along the edge between two pixels would be drawn over both.
            x1, y1, x2, y2 = (f"{value + 0.5:g}" for value in (shape.x1, shape.y1, shape.x2, shape.y2))
            return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{shape.colour}"/>'
        case Label():
            return (
                f'<text x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size}" fill="{shape.colour}" '
                f'text-anchor="{shape.anchor}">{_text(shape.text)}</text>'
            )


def _place(shape: Rectangle | Hatch) -> str:
    return f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def painted(drawing: Drawing) -> Image:
    """The drawing as an RGB image of its size in pixels."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (drawing.width, drawing.height), "#ffffff")
    draw = ImageDraw.Draw(image, "RGBA")
    for shape in drawing.shapes:
        match shape:
            case Rectangle():
                alpha = f"{round(shape.opacity * 255):02x}"
                draw.rectangle(_corners(shape), fill=shape.fill + alpha)
            case Hatch():
                _paint_hatch(image, shape)
            case Stroke():
                draw.line((shape.x1, shape.y1, shape.x2, shape.y2), fill=shape.colour)
            case Label():
                _paint_label(draw, shape)
    return image


def _paint_label(draw: ImageDraw, label: Label) -> None:
    """Word by word, as :func:`text_width` counts."""
    from PIL import ImageFont

    font = ImageFont.load_default(label.size)
    x = label.x - text_width(label.text, label.size) * _BEFORE[label.anchor]
    for word, width in words(label.text, label.size):
        draw.text((round(x), label.y), word, fill=label.colour, font=font, anchor="ls")
        x += width + space(label.size)


def _corners(shape: Rectangle | Hatch) -> tuple[float, float, float, float]:
    """Pillow counts the last row and column in."""
    return shape.x, shape.y, shape.x + shape.width - 1, shape.y + shape.height - 1


def _paint_hatch(image: Image, shape: Hatch) -> None:
    from PIL import Image, ImageDraw

    left, top, right, bottom = (round(value) for value in _corners(shape))
    width, height = right - left + 1, bottom - top + 1
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    # Counted from the picture's corner, so that the lines of neighbours meet.
    first = -((left + top) % HATCH_PX)
    for at in range(first, width + height, HATCH_PX):
        draw.line((at, 0, at - height, height), fill=255)
    image.paste(Image.new("RGB", (width, height), shape.colour), (left, top), mask)
