"""YOLO as Ultralytics has it (https://docs.ultralytics.com/datasets/detect): ``data.yaml``, a text file for
each picture.

A line is ``class centre-x centre-y width height``, in shares of the picture. Everything else that a set has
goes into ``vedette.json`` beside ``data.yaml``. There it belongs to the text of its line: a line that
somebody changed has lost it, and the others have not.

::

    data.yaml           path, train, val, names
    train.txt, val.txt  the pictures that are in the set
    images/…            the pictures; whoever trains puts them here
    labels/…            for images/a/b.jpg: labels/a/b.txt; a picture without one has no objects
    vedette.json
"""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from vedette.errors import LabelError
from vedette.quality.labels.check import checked, corners, label_problem
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.files import AT_MOST, picture_size, read_text, write_text
from vedette.quality.labels.names import picture_name
from vedette.quality.labels.values import Value, one_per_line, read_json, shown

__all__ = ["read_yolo", "write_yolo"]

SIDE = "vedette.json"
HEAD_AT_MOST = 4 * 2**20
"""Bytes. YAML is slow to read, and no list of names is as long."""
SPLITS = ("train", "val", "test")
PICTURES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
_HAS = ("train", "val", "test", "names", "nc", "path")


def read_yolo(path: Path, at_most: int = AT_MOST) -> Dataset:
    """``path``: the folder, or its ``data.yaml``. ``at_most`` bytes: of each file.

    The sizes of the pictures are read from the pictures; where one is missing, from ``vedette.json``.
    Raises LabelError.
    """
    head = path / "data.yaml" if path.is_dir() else path
    data = Value(_yaml(head, at_most), head)
    labels = _labels(data["names"])
    side = _Side.read(head.parent / SIDE, at_most)
    root = _root(data, head.parent)
    pictures = [
        _picture(root, name, splits, labels, side, at_most)
        for name, splits in _listed(data, root, side, at_most).items()
    ]
    if side.there:
        order = {name: number for number, name in enumerate(side.pictures)}
        pictures.sort(key=lambda picture: order.get(picture.name, len(order)))
        return Dataset(tuple(labels), tuple(pictures), side.attributes)
    return Dataset(tuple(labels), tuple(pictures), _others(data))


def _others(data: Value) -> dict[str, Any]:
    """What else ``data.yaml`` says. YAML knows dates, which JSON does not: those as text."""
    return {str(key): json.loads(json.dumps(raw, default=str)) for key, raw in data.others(*_HAS).items()}


def _yaml(path: Path, at_most: int) -> Any:
    text = read_text(path, min(at_most, HEAD_AT_MOST))
    try:
        # Without anchors: a few lines of them make more names than there is memory for.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise LabelError(f"{path}: aliases (*) are not read")
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise LabelError(f"{path}: is not YAML: {' '.join(str(err).split())}") from err


def _labels(names: Value) -> list[str]:
    found = names.raw
    if isinstance(found, dict):
        if set(found) != set(range(len(found))):
            raise names.problem(f"its numbers are not 0 to {len(found) - 1}")
        found = [found[number] for number in range(len(found))]
    labels = [
        # Names of digits are numbers in YAML.
        str(each.raw) if type(each.raw) is int else each.text()
        for each in Value(found, names.file, "names").each()
    ]
    if problem := label_problem(labels):
        raise names.problem(problem)
    return labels


def _root(data: Value, folder: Path) -> Path:
    """Where its paths begin. An absolute ``path``, and one upwards, was true on another machine only."""
    given = data.get("path")
    if given is None or given.text() in (".", "./", ""):
        return folder
    inside = _inside(given, given.text())
    return folder / inside if (folder / inside).is_dir() else folder


def _inside(value: Value, text: str) -> str:
    try:
        return picture_name(text)
    except ValueError as err:
        raise value.problem(f"{shown(text)} {err}; put data.yaml above the pictures") from err


def _listed(data: Value, root: Path, side: _Side, at_most: int) -> dict[str, set[str]]:
    """The files of all pictures relative to ``root``, by split."""
    found: dict[str, set[str]] = {}
    there = 0
    for split in SPLITS:
        given = data.get(split)
        entries = [] if given is None else list(given.each()) if isinstance(given.raw, list) else [given]
        there += bool(entries)
        for entry in entries:
            for name in _of_entry(entry, root, side, at_most):
                found.setdefault(name, set()).add(split)
    if not there:
        raise data.problem("has neither train nor val")
    return found


def _of_entry(entry: Value, root: Path, side: _Side, at_most: int) -> Iterator[str]:
    text = entry.text()
    # Roboflow writes ../train/images and means train/images beside the file; so do Ultralytics read it.
    where = _inside(entry, text[3:] if text.startswith("../") and (root / text[3:]).exists() else text)
    if where.endswith(".txt"):
        for number, line in enumerate(read_text(root / where, at_most).split("\n"), start=1):
            if line.strip():
                yield _inside(Value(line, root / where, f"line {number}"), line.removesuffix("\r"))
        return
    if not (root / where).is_dir() and not side.there:
        raise entry.problem(f"there is no folder {shown(where)}")
    seen = {_inside(entry, file) for file in _walked(root, where)}
    yield from sorted(seen)
    # What was written without its pictures.
    for name in side.pictures:
        file = f"images/{name}"
        if file not in seen and (file.startswith(f"{where}/") or where == "."):
            yield file


def _walked(root: Path, where: str) -> Iterator[str]:
    for folder, _, files in os.walk(root / where):
        for file in files:
            if PurePosixPath(file).suffix.lower() in PICTURES and not file.startswith("."):
                yield (Path(folder) / file).relative_to(root).as_posix()


def _picture(
    root: Path, file: str, splits: set[str], labels: Sequence[str], side: _Side, at_most: int
) -> Picture:
    name = file.removeprefix("images/")
    known = side.pictures.get(name)
    width, height = _size(root / file, known)
    boxes = tuple(_boxes(root / _label_file(file), labels, width, height, side.lines_of(name), at_most))
    attributes = dict(known.attributes) if known else {}
    # In several of them is in none.
    if len(splits) == 1 and not known:
        attributes["split"] = next(iter(splits))
    camera, captured_at, light = (known.camera, known.captured_at, known.light) if known else ("", None, "")
    return Picture(name, width, height, boxes, camera, captured_at, light, attributes)


def _size(path: Path, known: _Known | None) -> tuple[int, int]:
    if known and not path.exists():
        return known.width, known.height
    return picture_size(path)


def _label_file(file: str) -> str:
    """The last folder ``images`` becomes ``labels``; without one, the text lies beside the picture."""
    parts = list(PurePosixPath(file).with_suffix(".txt").parts)
    for number in range(len(parts) - 2, -1, -1):
        if parts[number] == "images":
            parts[number] = "labels"
            break
    return "/".join(parts)


def _boxes(
    path: Path, labels: Sequence[str], width: int, height: int, known: _Lines, at_most: int
) -> Iterator[Box]:
    if not path.exists():
        return
    for number, line in enumerate(read_text(path, at_most).split("\n"), start=1):
        if line.strip():
            try:
                label, xyxy = _box(line.split(), labels, width, height)
            except ValueError as err:
                raise LabelError(f"{path}: line {number}: {err}") from err
            yield known.box(xyxy, label, line.strip())


def _box(
    parts: Sequence[str], labels: Sequence[str], width: int, height: int
) -> tuple[str, tuple[float, float, float, float]]:
    if len(parts) != 5:
        also = " (polygons are not read)" if len(parts) > 6 else ""
        raise ValueError(f"has {len(parts)} numbers, not 5{also}")
    try:
        label, x, y, w, h = (float(part) for part in parts)
    except ValueError:
        raise ValueError(f"{shown(' '.join(parts))} is not 5 numbers") from None
    if not (math.isfinite(label) and label == int(label) and 0 <= label < len(labels)):
        raise ValueError(f"no class {parts[0][:20]}; there are {len(labels)}, from 0")
    left, top = (x - w / 2) * width, (y - h / 2) * height
    return labels[int(label)], corners(left, top, (x + w / 2) * width, (y + h / 2) * height)


# ---- what YOLO cannot hold


@dataclass(frozen=True)
class _Known:
    width: int
    height: int
    camera: str
    captured_at: float | None
    light: str
    attributes: Mapping[str, Any]
    lines: Mapping[str, Sequence[Value]]


class _Lines:
    """What is known of the lines of one file. Equal lines get theirs in order."""

    def __init__(self, known: Mapping[str, Sequence[Value]]) -> None:
        self._left = {line: list(values) for line, values in known.items()}

    def box(self, xyxy: tuple[float, float, float, float], label: str, line: str) -> Box:
        left = self._left.get(line)
        if not left:
            return Box(xyxy, label)
        value = left.pop(0)
        crowd, difficult, track = value.get("crowd"), value.get("difficult"), value.get("track_id")
        extra, exact = value.get("attributes"), value.get("xyxy")
        return Box(
            xyxy if exact is None else _exact(exact),
            label,
            crowd=crowd is not None and crowd.flag(),
            difficult=difficult is not None and difficult.flag(),
            track_id=None if track is None else track.whole(),
            attributes=dict(extra.mapping()) if extra else {},
        )


def _exact(value: Value) -> tuple[float, float, float, float]:
    left, top, right, bottom = value.numbers(4)
    try:
        return corners(left, top, right, bottom)
    except ValueError as err:
        raise value.problem(str(err)) from err


@dataclass(frozen=True)
class _Side:
    """``vedette.json``."""

    there: bool
    pictures: Mapping[str, _Known]
    attributes: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, at_most: int) -> _Side:
        if not path.exists():
            return cls(False, {}, {})
        value = read_json(path, at_most)
        extra = value.get("attributes")
        pictures = {}
        for each in value["pictures"].each():
            name = each["name"]
            pictures[_inside(name, name.text())] = cls._known(each)
        return cls(True, pictures, dict(extra.mapping()) if extra else {})

    @staticmethod
    def _known(value: Value) -> _Known:
        lines: dict[str, list[Value]] = defaultdict(list)
        boxes = value.get("boxes")
        for box in boxes.each() if boxes else ():
            lines[box["line"].text()].append(box)
        camera, light, captured = value.get("camera"), value.get("light"), value.get("captured_at")
        extra = value.get("attributes")
        return _Known(
            width=value["width"].whole(),
            height=value["height"].whole(),
            camera=camera.text() if camera else "",
            captured_at=captured.number() if captured else None,
            light=light.text() if light else "",
            attributes=dict(extra.mapping()) if extra else {},
            lines=lines,
        )

    def lines_of(self, name: str) -> _Lines:
        known = self.pictures.get(name)
        return _Lines(known.lines if known else {})


# ---- writing


def write_yolo(dataset: Dataset, path: Path) -> None:
    """``path``: a folder; the pictures belong into ``images/`` in it, and are not copied. Raises LabelError.

    Where pictures have an attribute ``split`` (train, val, test), lists say which belongs where.
    """
    dataset = checked(dataset)
    files = _label_files(dataset, path)
    number = {label: at for at, label in enumerate(dataset.labels)}
    about = []
    for file, picture in files.items():
        lines = [_line(number[box.label], box, picture) for box in picture.boxes]
        # There are as many as pictures; to wait for each would take minutes.
        write_text(path / file, "".join(f"{line}\n" for line in lines), wait=False)
        about.append(_about(picture, lines))
    write_text(path / SIDE, one_per_line({"pictures": about, "attributes": dict(dataset.attributes)}))
    names = dict(enumerate(dataset.labels))
    head = {"path": ".", **_write_splits(dataset, path), "names": names}
    # Last: until it is there, this is no set.
    write_text(path / "data.yaml", yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6))


def _label_files(dataset: Dataset, path: Path) -> dict[str, Picture]:
    files: dict[str, Picture] = {}
    for picture in dataset.pictures:
        if PurePosixPath(picture.name).suffix.lower() not in PICTURES:
            raise LabelError(f"{path}: picture {shown(picture.name)}: YOLO reads no such pictures")
        file = _label_file(f"images/{picture.name}")
        if file in files:
            other = shown(files[file].name)
            raise LabelError(f"{path}: pictures {other} and {shown(picture.name)} would share {file}")
        files[file] = picture
    return files


def _write_splits(dataset: Dataset, path: Path) -> dict[str, str]:
    """Lists, not folders: a picture that lies there and is not in the set would count as empty."""
    splits: dict[str, list[str]] = {"train": [], "val": []}
    for picture in dataset.pictures:
        split = picture.attributes.get("split")
        # Trainers want both train and val; a set that is not split is both.
        for each in (split,) if split in SPLITS else SPLITS[:2]:
            splits.setdefault(each, []).append(f"./images/{picture.name}\n")
    for split, names in splits.items():
        write_text(path / f"{split}.txt", "".join(names))
    return {split: f"{split}.txt" for split in splits}


def _line(number: int, box: Box, picture: Picture) -> str:
    if _far_out(box, picture):
        box = replace(box, xyxy=_clipped(box, picture))
    return " ".join(str(each) for each in (number, *_shares(box, picture)))


def _shares(box: Box, picture: Picture) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.xyxy
    x, y = (left + right) / 2 / picture.width, (top + bottom) / 2 / picture.height
    return x, y, (right - left) / picture.width, (bottom - top) / picture.height


def _far_out(box: Box, picture: Picture) -> bool:
    """Ultralytics take a picture with a number beyond 0 and 1 for damaged, and do not train with it."""
    return not all(0 <= each <= 1 for each in _shares(box, picture))


def _clipped(box: Box, picture: Picture) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.xyxy
    width, height = float(picture.width), float(picture.height)
    return (
        min(max(left, 0.0), width),
        min(max(top, 0.0), height),
        min(max(right, 0.0), width),
        min(max(bottom, 0.0), height),
    )


def _about(picture: Picture, lines: Sequence[str]) -> dict[str, Any]:
    about: dict[str, Any] = {"name": picture.name, "width": picture.width, "height": picture.height}
    about |= {"camera": picture.camera} if picture.camera else {}
    about |= {"captured_at": picture.captured_at} if picture.captured_at is not None else {}
    about |= {"light": picture.light} if picture.light else {}
    about |= {"attributes": dict(picture.attributes)} if picture.attributes else {}
    boxes = [_about_box(box, line, picture) for box, line in zip(picture.boxes, lines, strict=True)]
    return about | ({"boxes": boxes} if any(len(box) > 1 for box in boxes) else {})


def _about_box(box: Box, line: str, picture: Picture) -> dict[str, Any]:
    about: dict[str, Any] = {"line": line}
    about |= {"xyxy": list(box.xyxy)} if _far_out(box, picture) else {}
    about |= {"crowd": True} if box.crowd else {}
    about |= {"difficult": True} if box.difficult else {}
    about |= {"track_id": box.track_id} if box.track_id is not None else {}
    return about | ({"attributes": dict(box.attributes)} if box.attributes else {})
