"""Where labelled sets come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vedette.errors import LabelError
from vedette.quality.labels.dataset import Box, Dataset, Picture

__all__ = ["dataset_of"]


def dataset_of(path: Path, pictures: Path | None = None) -> Dataset:
    """Read a labelled set. ``pictures``: their folder, where a format does not say how large they are. Raises
    LabelError that names the file."""
    return _dataset_of(path, pictures)


def _dataset_of(path: Path, pictures: Path | None) -> Dataset:
    """The least of COCO: until the readers of ``quality.labels`` are here, which take this one's place."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise LabelError(f"{path}: cannot be read: {err.strerror}") from err
    except ValueError as err:
        raise LabelError(f"{path}: is not JSON: {err}") from err
    try:
        return _of_coco(content)
    except (KeyError, TypeError, ValueError) as err:
        raise LabelError(f"{path}: is not a COCO set: {type(err).__name__}: {err}") from err


def _of_coco(content: Any) -> Dataset:
    categories = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
    boxes: dict[Any, list[Box]] = {entry["id"]: [] for entry in content["images"]}
    for entry in content.get("annotations", ()):
        left, top, width, height = (float(length) for length in entry["bbox"])
        boxes[entry["image_id"]].append(
            Box(
                (left, top, left + width, top + height),
                categories[entry["category_id"]],
                crowd=bool(entry.get("iscrowd", 0)),
                difficult=bool(entry.get("difficult", 0)),
            )
        )
    pictures = tuple(
        Picture(
            str(entry["file_name"]),
            int(entry["width"]),
            int(entry["height"]),
            tuple(boxes[entry["id"]]),
            light=str(entry.get("light", "")),
        )
        for entry in content["images"]
    )
    return Dataset(tuple(categories.values()), pictures)
