"""Reading and writing labelled sets in any of the formats we know.

::

    read("instances.json")                       # recognised: COCO or Label Studio
    read("export/", "yolo")
    write(dataset, "boxes.xml", "cvat")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vedette.errors import LabelError
from vedette.quality.labels.check import checked
from vedette.quality.labels.coco import is_coco, read_coco, write_coco
from vedette.quality.labels.cvat import read_cvat, write_cvat
from vedette.quality.labels.dataset import Dataset
from vedette.quality.labels.files import AT_MOST
from vedette.quality.labels.label_studio import read_label_studio, write_label_studio
from vedette.quality.labels.values import read_json
from vedette.quality.labels.yolo import read_yolo, write_yolo

__all__ = ["FORMATS", "Format", "read", "recognised", "write"]


@dataclass(frozen=True)
class Format:
    """``read``: path, most bytes of a file, folder of the pictures."""

    name: str
    read: Callable[[Path, int, Path | None], Dataset]
    write: Callable[[Dataset, Path], None]


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("coco", lambda path, most, _: read_coco(path, most), write_coco),
        Format("yolo", lambda path, most, _: read_yolo(path, most), write_yolo),
        Format("label-studio", read_label_studio, write_label_studio),
        Format("cvat", lambda path, most, _: read_cvat(path, most), write_cvat),
    )
}


def read(
    path: str | Path, format: str | None = None, *, pictures: str | Path | None = None, at_most: int = AT_MOST
) -> Dataset:
    """``path``: a file, or the folder of a YOLO set. ``format``: a key of :data:`FORMATS`; None: recognised.

    ``pictures``: their folder, where a format does not say how large they are. ``at_most``: bytes of a file.
    Raises LabelError, naming the file and the place.
    """
    path = Path(path)
    chosen = _named(format or recognised(path, at_most))
    found = chosen.read(path, at_most, None if pictures is None else Path(pictures))
    try:
        return checked(found)
    except LabelError as err:
        raise LabelError(f"{path}: {err}") from err


def write(dataset: Dataset, path: str | Path, format: str) -> None:
    """``path``: a file; for ``yolo`` a folder. Raises LabelError for what the format cannot hold."""
    path = Path(path)
    try:
        _named(format).write(dataset, path)
    except LabelError as err:
        # What is wrong with the set itself was found before anybody thought of a file.
        raise err if str(path) in str(err) else LabelError(f"{path}: cannot be written: {err}") from err


def recognised(path: Path, at_most: int = AT_MOST) -> str:
    """The format by the name and, of JSON, by what is in it. Raises LabelError."""
    if not path.exists():
        raise LabelError(f"{path}: there is no such file or folder")
    if path.is_dir():
        if (path / "data.yaml").exists():
            return "yolo"
        raise LabelError(f"{path}: is a folder without a data.yaml")
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return "yolo"
    if suffix == ".xml":
        return "cvat"
    if suffix == ".json":
        raw = read_json(path, at_most).raw
        if is_coco(raw):
            return "coco"
        if isinstance(raw, list) and (not raw or (isinstance(raw[0], dict) and "data" in raw[0])):
            return "label-studio"
    raise LabelError(f"{path}: is none of {', '.join(FORMATS)} as far as one can see; say which")


def _named(format: str) -> Format:
    if format not in FORMATS:
        raise LabelError(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
    return FORMATS[format]
