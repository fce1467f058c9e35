"""The hash by which a version of a labelled set is known."""

from __future__ import annotations

import json
from hashlib import sha256

from vedette.quality.labels.check import checked
from vedette.quality.labels.dataset import Box, Dataset

__all__ = ["content_hash"]


def content_hash(dataset: Dataset) -> str:
    """SHA-256 in hex of all that is in the set: the same whatever format it went through, and in whatever
    order the pictures and boxes are. What is in the pictures themselves is not, unless an attribute says
    so, as ``sha256`` does of reviewed frames. Raises LabelError for a set that no format could hold."""
    dataset = checked(dataset)
    pictures = [
        [
            *(each.name, each.width, each.height, each.camera, each.captured_at, each.light),
            each.attributes,
            sorted(_text(_box(box)) for box in each.boxes),
        ]
        for each in sorted(dataset.pictures, key=lambda picture: picture.name)
    ]
    text = _text(["vedette labels 1", dataset.labels, dataset.attributes, pictures])
    return sha256(text.encode()).hexdigest()


def _box(box: Box) -> list[object]:
    return [box.label, box.xyxy, box.crowd, box.difficult, box.track_id, box.attributes]


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
