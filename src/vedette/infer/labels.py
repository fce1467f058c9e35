"""Class names: from the configuration, a file, or the model itself."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vedette.errors import DetectorError

__all__ = ["COCO", "class_names", "coco", "coco91", "names_from_metadata"]

COCO = Path(__file__).parent.parent / "assets" / "coco.txt"

# Ids that COCO's 91 numbers leave out (0 is the background); the rest are the 80 classes in order.
_COCO91_GAPS = frozenset((0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83))

_METADATA_KEYS = ("names", "class_names", "classes", "labels")


def coco() -> tuple[str, ...]:
    """The 80 names of COCO, numbered 0..79."""
    return tuple(COCO.read_text(encoding="utf-8").split("\n")[:80])


def coco91() -> tuple[str, ...]:
    """COCO under its original ids 1..90, as TensorFlow's SSD and RF-DETR number them."""
    names = iter(coco())
    return tuple(f"class_{index}" if index in _COCO91_GAPS else next(names) for index in range(91))


def class_names(
    classes: Sequence[str] | str | None, folder: str | Path = ".", metadata: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The names by class id; empty where none are known (``class_<id>`` is shown then).

    ``classes``: a list; ``coco`` or ``coco91``; or a file, relative to ``folder``: text with a name per
    line, or YAML or JSON with a list, a mapping of ids to names, or either under the key ``names``.
    Without it, the model's ``metadata``. Raises DetectorError for a file that cannot be used.
    """
    if classes is None:
        return names_from_metadata(metadata or {})
    if not isinstance(classes, str):
        return tuple(str(name) for name in classes)
    known = {"coco": coco, "coco91": coco91}
    return known[classes]() if classes in known else _from_file(Path(folder) / classes)


def names_from_metadata(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Names that an exporter left in the model, such as ``names = "{0: 'person', 1: 'car'}"``.

    Metadata is a courtesy: what cannot be understood counts as not being there.
    """
    for key in _METADATA_KEYS:
        text = metadata.get(key, "")
        for parse in (ast.literal_eval, json.loads):
            try:
                return _ordered(parse(text))
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue
    return ()


def _from_file(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise DetectorError(f"class names: cannot read {path}: {err}") from err
    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        return tuple(line.strip() for line in text.rstrip().splitlines())
    try:
        found = yaml.safe_load(text)
        if isinstance(found, dict) and "names" in found:
            found = found["names"]
        return _ordered(found)
    except (yaml.YAMLError, ValueError, TypeError) as err:
        raise DetectorError(f"class names: {path} holds no list or mapping of names: {err}") from err


def _ordered(found: Any) -> tuple[str, ...]:
    """A list of names, or a mapping of ids to names, by id. Raises ValueError or TypeError for others."""
    if isinstance(found, dict):
        by_id = {int(class_id): str(name) for class_id, name in found.items()}
        if not by_id or min(by_id) < 0 or max(by_id) >= 100_000:
            raise ValueError("class ids must be 0..99999")
        return tuple(by_id.get(index, f"class_{index}") for index in range(max(by_id) + 1))
    if isinstance(found, (list, tuple)) and found:
        return tuple(str(name) for name in found)
    raise ValueError("no names in it")
