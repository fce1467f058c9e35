"""COCO instances JSON (https://cocodataset.org/#format-data), read by pycocotools, FiftyOne and most others.

What COCO has no field for is written so that others still open the file. FiftyOne makes every entry of
``attributes``, and every key it does not know, a field of its own in a database that is particular about
names and types: so only plain names and values go there, and the rest, as JSON text, under the key
``vedette``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vedette.quality.labels.check import checked, corners, label_problem, size_problem
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.files import AT_MOST, write_text
from vedette.quality.labels.names import picture_name, text_problem
from vedette.quality.labels.values import Value, json_text, one_per_line, read_json, shown

__all__ = ["is_coco", "read_coco", "write_coco"]

_PLAIN = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE | re.ASCII)
_TAKEN = frozenset(
    (
        # Of COCO, and of ours.
        *("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation", "keypoints"),
        *("num_keypoints", "score", "caption", "attributes", "difficult", "track_id", "vedette"),
        # Of FiftyOne's Detection, Polyline and Keypoint.
        *("label", "bounding_box", "mask", "mask_path", "confidence", "index", "tags", "points", "closed"),
        *("filled", "supercategory", "instance", "has_mask", "field_names", "pk", "cls", "self"),
    )
)
_IMAGE = ("id", "file_name", "width", "height", "camera", "captured_at", "light", "vedette")
_ANNOTATION = (
    *("id", "image_id", "category_id", "bbox", "area", "iscrowd"),
    *("difficult", "track_id", "attributes", "vedette"),
)
_SHAPES = ("segmentation", "keypoints", "num_keypoints")
"""Attributes that COCO has a field for."""


def is_coco(raw: Any) -> bool:
    return isinstance(raw, dict) and ("images" in raw or "annotations" in raw)


def read_coco(path: Path, at_most: int = AT_MOST) -> Dataset:
    """Raises LabelError."""
    document = read_json(path, at_most)
    ours = document.get("vedette")
    labels, categories = _categories(document)
    images = _images(document)
    boxes = _boxes(document, labels, images, ours is not None)
    pictures = tuple(
        _picture(value, name, boxes[id], None if ours else position)
        for position, (id, (name, value)) in enumerate(images.items(), start=1)
    )
    if ours is not None:
        extra = ours.get("attributes")
        attributes = dict(extra.mapping()) if extra else {}
    else:
        attributes = document.others("images", "annotations", "categories", "vedette") | categories
    return Dataset(tuple(labels.values()), pictures, attributes)


def _categories(document: Value) -> tuple[dict[int, str], dict[str, Any]]:
    """Names by id, and what else is said of the classes. The order of their ids numbers them."""
    labels: dict[int, str] = {}
    others: dict[str, Any] = {}
    for category in document["categories"].each():
        id, name = category["id"].whole(), category["name"].text()
        if id in labels:
            raise category.problem(f"category {id} is there twice")
        if problem := label_problem([*labels.values(), name]):
            raise category.problem(problem)
        labels[id] = name
        if extra := category.others("id", "name"):
            others[name] = extra
    ordered = dict(sorted(labels.items()))
    if list(ordered) != list(range(1, len(ordered) + 1)):
        for id, name in ordered.items():
            others.setdefault(name, {})["id"] = id
    return ordered, {"categories": others} if others else {}


def _images(document: Value) -> dict[int, tuple[str, Value]]:
    images: dict[int, tuple[str, Value]] = {}
    names: set[str] = set()
    for image in document["images"].each():
        id, name = image["id"].whole(), _name(image["file_name"])
        if id in images:
            raise image.problem(f"image {id} is there twice")
        if name in names:
            raise image.problem(f"{shown(name)} is there twice")
        names.add(name)
        images[id] = name, image
    return images


def _name(value: Value) -> str:
    try:
        return picture_name(value.text())
    except ValueError as err:
        raise value.problem(f"{shown(value.raw)} {err}") from err


def _boxes(
    document: Value, labels: Mapping[int, str], images: Mapping[int, Any], ours: bool
) -> Mapping[int, list[Box]]:
    boxes: dict[int, list[Box]] = defaultdict(list)
    for position, each in enumerate(document["annotations"].each(), start=1):
        image, category = each["image_id"].whole(), each["category_id"].whole()
        if category not in labels:
            raise each.problem(f"no category {category}")
        if image not in images:
            raise each.problem(f"no image {image}")
        boxes[image].append(_box(each, labels[category], None if ours else position))
    return boxes


def _box(annotation: Value, label: str, position: int | None) -> Box:
    left, top, width, height = annotation["bbox"].numbers(4)
    try:
        xyxy = corners(left, top, left + width, top + height)
    except ValueError as err:
        raise annotation["bbox"].problem(str(err)) from err
    crowd, difficult = annotation.get("iscrowd"), annotation.get("difficult")
    track = annotation.get("track_id")
    return Box(
        xyxy,
        label,
        crowd=crowd is not None and crowd.flag(),
        difficult=difficult is not None and difficult.flag(),
        track_id=None if track is None else track.whole(),
        attributes=_foreign_id(annotation, position) | _box_attributes(annotation),
    )


def _foreign_id(value: Value, position: int | None) -> dict[str, Any]:
    """Others refer to these; where they only count, nobody needs to keep them."""
    id = value.raw.get("id")
    return {} if position is None or id is None or id == position else {"id": id}


def _box_attributes(annotation: Value) -> dict[str, Any]:
    found = annotation.others(*_ANNOTATION)
    area, (_, _, width, height) = annotation.raw.get("area"), annotation.raw["bbox"]
    if area is not None and area != 0 and area != _area(width, height):
        found["area"] = area  # of the segmentation, not of the box
    if plain := annotation.get("attributes"):
        found |= plain.mapping()
    if rest := annotation.get("vedette"):
        found |= rest.json().mapping()
    return found


def _picture(image: Value, name: str, boxes: Sequence[Box], position: int | None) -> Picture:
    width, height = image["width"].whole(), image["height"].whole()
    if problem := size_problem(width, height):
        raise image.problem(problem)
    captured, extra = image.get("captured_at"), image.get("vedette")
    return Picture(
        name,
        width,
        height,
        tuple(boxes),
        camera=_text(image, "camera"),
        captured_at=None if captured is None else captured.number(),
        light=_text(image, "light"),
        attributes=_foreign_id(image, position)
        | image.others(*_IMAGE)
        | (dict(extra.mapping()) if extra else {}),
    )


def _text(image: Value, key: str) -> str:
    value = image.get(key)
    text = "" if value is None else value.text()
    if value is not None and text and (problem := text_problem(text)):
        raise value.problem(problem)
    return text


def write_coco(dataset: Dataset, path: Path) -> None:
    """Ids count from 1, unless attributes ``id`` say otherwise. Raises LabelError."""
    dataset = checked(dataset)
    extra = dataset.attributes.get("categories")
    extra = extra if isinstance(extra, dict) else {}
    about = {label: extra[label] if isinstance(extra.get(label), dict) else {} for label in dataset.labels}
    categories = dict(
        zip(dataset.labels, _ids([about[label] for label in dataset.labels], rising=True), strict=True)
    )
    info, licenses = dataset.attributes.get("info"), dataset.attributes.get("licenses")
    document = {
        "info": info if isinstance(info, dict) else {},
        "licenses": licenses if isinstance(licenses, list) else [],
        "categories": [
            {"supercategory": "", **about[label], "id": id, "name": label} for label, id in categories.items()
        ],
        "images": list(_written_images(dataset)),
        "annotations": list(_written_boxes(dataset, categories)),
        "vedette": {"format": 1, "attributes": dataset.attributes},
    }
    write_text(path, one_per_line(document))


def _ids(attributes: Sequence[Mapping[str, Any]], rising: bool = False) -> list[int]:
    """The ids they had, if all have one; otherwise counted from 1. ``rising``: their order means
    something."""
    had = [each.get("id") for each in attributes]
    sound = [id for id in had if isinstance(id, int) and not isinstance(id, bool) and 0 <= id < 2**53]
    if had and len(set(sound)) == len(had) and (not rising or sound == sorted(sound)):
        return sound
    return list(range(1, len(attributes) + 1))


def _written_images(dataset: Dataset) -> Iterator[dict[str, Any]]:
    ids = _ids([picture.attributes for picture in dataset.pictures])
    for id, picture in zip(ids, dataset.pictures, strict=True):
        image = {"id": id, "file_name": picture.name, "width": picture.width, "height": picture.height}
        if picture.camera:
            image["camera"] = picture.camera
        if picture.captured_at is not None:
            image["captured_at"] = picture.captured_at
        if picture.light:
            image["light"] = picture.light
        if picture.attributes:
            image["vedette"] = dict(picture.attributes)
        yield image


def _written_boxes(dataset: Dataset, categories: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    images = _ids([picture.attributes for picture in dataset.pictures])
    boxes = [
        (image, box) for image, picture in zip(images, dataset.pictures, strict=True) for box in picture.boxes
    ]
    ids = _ids([box.attributes for _, box in boxes])
    for id, (image, box) in zip(ids, boxes, strict=True):
        yield _annotation(id, image, categories[box.label], box)


def _annotation(id: int, image: int, category: int, box: Box) -> dict[str, Any]:
    left, top, right, bottom = box.xyxy
    width, height = round(right - left, 6), round(bottom - top, 6)
    area = box.attributes.get("area")
    written: dict[str, Any] = {
        "id": id,
        "image_id": image,
        "category_id": category,
        "bbox": [left, top, width, height],
        "area": area if _is_number(area) else _area(width, height),
        "iscrowd": int(box.crowd),
    }
    if box.difficult:
        written["difficult"] = True
    if box.track_id is not None:
        written["track_id"] = box.track_id
    written |= {key: box.attributes[key] for key in _SHAPES if key in box.attributes}
    plain = {key: value for key, value in box.attributes.items() if _is_plain(key, value)}
    rest = {key: value for key, value in box.attributes.items() if key not in plain and key not in _SHAPES}
    return written | ({"attributes": plain} if plain else {}) | ({"vedette": json_text(rest)} if rest else {})


def _area(width: float, height: float) -> float:
    return round(width * height, 6)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_plain(key: str, value: Any) -> bool:
    if _PLAIN.fullmatch(key) is None or key in _TAKEN:
        return False
    return isinstance(value, (str, bool, float)) or (isinstance(value, int) and abs(value) < 2**63)
