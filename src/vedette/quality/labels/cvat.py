"""CVAT's XML 1.1 "for images" (https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/).

What CVAT has no field for is written as attributes of boxes: ``crowd``, ``difficult``, ``track_id``, those
of the set that are text, and all others as JSON in one called ``vedette``. CVAT gives back those that its
task defines; so the file defines them. What belongs to a picture or the set is written where CVAT does not
look, and is not given back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from vedette.errors import LabelError
from vedette.quality.labels.check import checked, corners, label_problem, size_problem
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.files import AT_MOST, write_text
from vedette.quality.labels.names import picture_name, text_problem
from vedette.quality.labels.values import json_text, shown
from vedette.quality.labels.xml import Element, read_xml

__all__ = ["read_cvat", "write_cvat"]

_OURS = ("crowd", "difficult", "track_id", "vedette")
_NATIVE = ("occluded", "source", "z_order", "group_id")
_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_SHAPES = ("polygon", "polyline", "points", "cuboid", "skeleton", "mask", "ellipse")
_IMAGE = ("id", "name", "width", "height", "camera", "captured_at", "light", "vedette")
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_cvat(path: Path, at_most: int = AT_MOST) -> Dataset:
    """Raises LabelError; also for shapes that are no upright boxes: a picture of which some objects are
    left out would call whoever finds them wrong."""
    root = read_xml(path, at_most)
    if root.tag != "annotations":
        raise root.problem("is not CVAT's <annotations>")
    for track in root.each("track"):
        raise track.problem('this is CVAT "for video"; export "for images"')
    labels = {
        name.text: None
        for all in root.all("labels")
        for label in all.each("label")
        for name in label.each("name")
    }
    pictures: dict[str, Picture] = {}
    for image in root.each("image"):
        picture = _picture(image)
        if picture.name in pictures:
            raise image.problem(f"{shown(picture.name)} is there twice")
        pictures[picture.name] = picture
        labels |= dict.fromkeys(box.label for box in picture.boxes)
    if problem := label_problem(labels):
        raise root.problem(problem)
    ours = [each for meta in root.each("meta") for each in meta.each("vedette")]
    attributes = _json(ours[0], ours[0].text) if ours else {}
    return Dataset(tuple(labels), tuple(pictures.values()), attributes)


def _picture(image: Element) -> Picture:
    for shape in _SHAPES:
        for found in image.each(shape):
            raise found.problem("only boxes are read")
    try:
        name = picture_name(image["name"])
    except ValueError as err:
        raise image.problem(f"name {shown(image['name'])} {err}") from err
    width, height = image.whole("width"), image.whole("height")
    if problem := size_problem(width, height):
        raise image.problem(problem)
    attributes: dict[str, Any] = {key: value for key, value in image.attributes.items() if key not in _IMAGE}
    if tags := [tag["label"] for tag in image.each("tag")]:
        attributes["tags"] = tags
    if "vedette" in image.attributes:
        attributes |= _json(image, image["vedette"])
    captured = None
    if "captured_at" in image.attributes:
        captured = image.number("captured_at")
    return Picture(
        name,
        width,
        height,
        tuple(_box(box) for box in image.each("box")),
        camera=_text(image, "camera"),
        captured_at=captured,
        light=_text(image, "light"),
        attributes=attributes,
    )


def _text(image: Element, name: str) -> str:
    text = image.attributes.get(name, "")
    if text and (problem := text_problem(text)):
        raise image.problem(f"{name} {problem}")
    return text


def _json(element: Element, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise element.problem(f"vedette is not JSON: {err}") from err
    if not isinstance(found, dict):
        raise element.problem("vedette is not a JSON object")
    return found


def _box(box: Element) -> Box:
    if "rotation" in box.attributes and box.number("rotation") != 0:
        raise box.problem("rotated boxes are not read")
    try:
        xyxy = corners(*(box.number(name) for name in _CORNERS))
    except ValueError as err:
        raise box.problem(str(err)) from err
    given = {each["name"]: each for each in box.each("attribute")}
    attributes: dict[str, Any] = _native(box)
    attributes |= {name: each.text for name, each in given.items() if name not in _OURS}
    if "vedette" in given and given["vedette"].text.strip():
        attributes |= _json(given["vedette"], given["vedette"].text)
    return Box(
        xyxy,
        box["label"],
        crowd=_flag(given.get("crowd")),
        difficult=_flag(given.get("difficult")),
        track_id=_track(given.get("track_id")),
        attributes=attributes,
    )


def _native(box: Element) -> dict[str, Any]:
    """What CVAT notes of each box, where it is not what it notes of most."""
    found: dict[str, Any] = {}
    if box.attributes.get("occluded", "0") not in ("0", "false", "False"):
        found["occluded"] = True
    if box.attributes.get("source", "manual") != "manual":
        found["source"] = box["source"]
    if box.attributes.get("z_order", "0") != "0":
        found["z_order"] = box.whole("z_order")
    if "group_id" in box.attributes:
        found["group_id"] = box.whole("group_id")
    return found


def _flag(attribute: Element | None) -> bool:
    text = "" if attribute is None else attribute.text.strip().lower()
    if attribute is not None and text not in ("", "0", "1", "false", "true"):
        raise attribute.problem(f"{attribute['name']} is neither true nor false but {text[:40]!r}")
    return text in ("1", "true")


def _track(attribute: Element | None) -> int | None:
    text = "" if attribute is None else attribute.text.strip()
    if attribute is None or not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise attribute.problem(f"track_id is not a whole number but {text[:40]!r}") from None


# ---- writing


def write_cvat(dataset: Dataset, path: Path) -> None:
    """Raises LabelError."""
    dataset = checked(dataset)
    try:
        write_text(path, "".join(_document(dataset)))
    except ValueError as err:
        raise LabelError(f"{path}: {err}") from err


def _document(dataset: Dataset) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n'
    yield "    <task>\n      <labels>\n"
    defined = "".join(_defined(dataset))
    for label in dataset.labels:
        yield f"        <label><name>{_escaped(label)}</name><attributes>{defined}</attributes></label>\n"
    yield "      </labels>\n    </task>\n"
    if dataset.attributes:
        yield f"    <vedette>{_escaped(_ascii(dataset.attributes))}</vedette>\n"
    yield "  </meta>\n"
    for number, picture in enumerate(dataset.pictures):
        yield from _image(number, picture)
    yield "</annotations>\n"


def _defined(dataset: Dataset) -> Iterator[str]:
    """The attributes that occur. CVAT takes none that its task does not define."""
    boxes = [box for picture in dataset.pictures for box in picture.boxes]
    names = dict.fromkeys(name for box in boxes for name, _ in _written(box))
    for name in sorted(names):
        flag = name in ("crowd", "difficult")
        yield (
            f"<attribute><name>{_escaped(name)}</name><mutable>False</mutable>"
            f"<input_type>{'checkbox' if flag else 'text'}</input_type>"
            f"<default_value>{'false' if flag else ''}</default_value>"
            f"<values>{'false' if flag else ''}</values></attribute>"
        )


def _image(number: int, picture: Picture) -> Iterator[str]:
    head = {
        "id": str(number),
        "name": picture.name,
        "width": str(picture.width),
        "height": str(picture.height),
    }
    head |= {"camera": picture.camera} if picture.camera else {}
    head |= {"captured_at": repr(picture.captured_at)} if picture.captured_at is not None else {}
    head |= {"light": picture.light} if picture.light else {}
    head |= {"vedette": _ascii(picture.attributes)} if picture.attributes else {}
    yield f"  <image {_named(head)}>\n"
    for box in picture.boxes:
        yield from _box_lines(box)
    yield "  </image>\n"


def _box_lines(box: Box) -> Iterator[str]:
    head = {"label": box.label, "source": "manual", "occluded": "0"}
    head |= {name: repr(value) for name, value in zip(_CORNERS, box.xyxy, strict=True)}
    head |= {"z_order": "0"} | {key: str(_as_native(key, box.attributes[key])) for key in _native_of(box)}
    yield f"    <box {_named(head)}>\n"
    for name, text in _written(box):
        yield f"      <attribute name={quoteattr(name)}>{_escaped(text)}</attribute>\n"
    yield "    </box>\n"


def _native_of(box: Box) -> list[str]:
    """Attributes that CVAT has a field for, with a value that it can have and that is not the usual one."""
    fits = {
        "occluded": lambda value: value is True,
        "source": lambda value: isinstance(value, str) and value != "manual" and _is_writable(value),
        "z_order": lambda value: type(value) is int and value != 0 and abs(value) < 2**63,
        "group_id": lambda value: type(value) is int and abs(value) < 2**63,
    }
    return [key for key in _NATIVE if key in box.attributes and fits[key](box.attributes[key])]


def _as_native(key: str, value: Any) -> Any:
    return 1 if key == "occluded" else value


def _written(box: Box) -> Iterator[tuple[str, str]]:
    if box.crowd:
        yield "crowd", "true"
    if box.difficult:
        yield "difficult", "true"
    if box.track_id is not None:
        yield "track_id", str(box.track_id)
    native = _native_of(box)
    rest: dict[str, Any] = {}
    for name, value in box.attributes.items():
        if name in native:
            continue
        if isinstance(value, str) and _is_name(name) and _is_writable(value):
            yield name, value
        else:
            rest[name] = value
    if rest:
        yield "vedette", _ascii(rest)


def _is_name(name: str) -> bool:
    return name not in (*_OURS, *_NATIVE) and text_problem(name) is None and _is_writable(name)


def _is_writable(text: str) -> bool:
    return _UNWRITABLE.search(text) is None


def _ascii(value: Mapping[str, Any]) -> str:
    """JSON whose every character XML can hold."""
    json_text(value)
    return json.dumps(value).replace("\x7f", "\\u007f")


def _named(attributes: Mapping[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())


def _escaped(text: str) -> str:
    # A bare carriage return would be read as a line feed.
    return escape(text, {"\r": "&#13;"})
