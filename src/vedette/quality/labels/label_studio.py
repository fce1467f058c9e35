"""Label Studio's JSON (https://labelstud.io/guide/task_format): a list of tasks, boxes in percent of the
picture.

What it has no field for lies under the key ``vedette`` in a task's ``data`` and in a region's ``meta``,
both of which Label Studio gives back with its export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from vedette.errors import LabelError
from vedette.quality.labels.check import checked, corners, label_problem, size_problem
from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.labels.files import AT_MOST, picture_size, write_text
from vedette.quality.labels.names import picture_name, picture_of_url
from vedette.quality.labels.values import Value, json_text, read_json, shown

__all__ = ["labelling_config", "read_label_studio", "write_label_studio"]

LOCAL = "/data/local-files/?d="


def read_label_studio(path: Path, at_most: int = AT_MOST, pictures: Path | None = None) -> Dataset:
    """``pictures``: their folder. Without boxes a task of others does not say how large its picture is;
    then the picture does. Of several people's work on a task counts what is marked as ground truth,
    otherwise the last. Regions that are no rectangles are kept as a picture's attribute ``regions``. Raises
    LabelError.
    """
    document = read_json(path, at_most)
    labels: dict[str, None] = {}
    attributes: dict[str, Any] = {}
    found: dict[str, Picture] = {}
    for task in document.each():
        if ours := task["data"].get("vedette"):
            classes, extra = ours.get("classes"), ours.get("set")
            labels |= dict.fromkeys(each.text() for each in (classes.each() if classes else ()))
            attributes |= extra.mapping() if extra else {}
        picture = _picture(task, ours, lambda name: _size_in(pictures, name))
        if picture.name in found:
            raise task.problem(f"{shown(picture.name)} is there twice")
        found[picture.name] = picture
        labels |= dict.fromkeys(box.label for box in picture.boxes)
    if problem := label_problem(labels):
        raise document.problem(problem)
    return Dataset(tuple(labels), tuple(found.values()), attributes)


def _size_in(folder: Path | None, name: str) -> tuple[int, int] | None:
    return None if folder is None else picture_size(folder / name)


def _picture(task: Value, ours: Value | None, size: Callable[[str], tuple[int, int] | None]) -> Picture:
    name = _name(task, ours)
    result = _result(task)
    regions = [each for each in result if _is_box(each)]
    width, height = _size(task, ours, regions) or size(name) or (0, 0)
    if not width:
        raise task.problem("has no boxes, so nobody knows its picture's size; say where the pictures are")
    if problem := size_problem(width, height):
        raise task.problem(problem)
    boxes = tuple(_box(each, width, height) for each in regions)
    extra = ours.get("attributes") if ours else None
    attributes = dict(extra.mapping()) if extra else {}
    if others := [each.raw for each in result if not _is_box(each)]:
        attributes["regions"] = others
    about = _About.of(ours)
    return Picture(name, width, height, boxes, about.camera, about.captured_at, about.light, attributes)


@dataclass(frozen=True)
class _About:
    camera: str = ""
    captured_at: float | None = None
    light: str = ""

    @classmethod
    def of(cls, ours: Value | None) -> _About:
        if ours is None:
            return cls()
        camera, captured, light = ours.get("camera"), ours.get("captured_at"), ours.get("light")
        return cls(
            camera.text() if camera else "",
            captured.number() if captured else None,
            light.text() if light else "",
        )


def _name(task: Value, ours: Value | None) -> str:
    value = ours.get("name") if ours else None
    read: Callable[[str], str] = picture_name
    if value is None:
        value, read = _address(task["data"]), picture_of_url
    try:
        return read(value.text())
    except ValueError as err:
        raise value.problem(f"{shown(value.raw)} {err}") from err


def _address(data: Value) -> Value:
    """Its key is whatever the labelling configuration says; mostly ``image``."""
    found = data.get("image")
    if found is not None:
        return found
    texts = [key for key, raw in data.mapping().items() if isinstance(raw, str)]
    if len(texts) != 1:
        raise data.problem("has no image")
    return data[texts[0]]


def _result(task: Value) -> list[Value]:
    done = []
    for annotation in task["annotations"].each():
        cancelled = annotation.get("was_cancelled")
        if cancelled is None or not cancelled.flag():
            done.append(annotation)
    truth = [each for each in done if each.raw.get("ground_truth") is True]
    if not done:
        raise task.problem("nobody labelled it")
    return list((truth or done)[-1]["result"].each())


def _is_box(region: Value) -> bool:
    return bool(region["type"].text() == "rectanglelabels")


def _size(task: Value, ours: Value | None, regions: list[Value]) -> tuple[int, int] | None:
    for place in (ours, task["data"]):
        if place is not None and place.get("width") is not None and place.get("height") is not None:
            return place["width"].whole(), place["height"].whole()
    if regions:
        return regions[0]["original_width"].whole(), regions[0]["original_height"].whole()
    return None


def _box(region: Value, width: int, height: int) -> Box:
    value = region["value"]
    for place, key in ((value, "rotation"), (region, "image_rotation")):
        turned = place.get(key)
        if turned is not None and turned.number() != 0:
            raise turned.problem("rotated boxes are not read")
    names = [each.text() for each in value["rectanglelabels"].each()]
    if len(names) != 1:
        raise value.problem(f"has {len(names)} classes, not one")
    left, top = value["x"].number(), value["y"].number()
    right, bottom = left + value["width"].number(), top + value["height"].number()
    try:
        xyxy = corners(left * width / 100, top * height / 100, right * width / 100, bottom * height / 100)
    except ValueError as err:
        raise value.problem(str(err)) from err
    return _with_meta(xyxy, names[0], region)


def _with_meta(xyxy: tuple[float, float, float, float], label: str, region: Value) -> Box:
    meta = region.get("meta")
    ours = meta.get("vedette") if meta else None
    attributes: dict[str, Any] = {}
    if meta and (others := meta.others("vedette")):
        attributes["meta"] = others
    if ours is None:
        return Box(xyxy, label, attributes=attributes)
    crowd, difficult, track = ours.get("crowd"), ours.get("difficult"), ours.get("track_id")
    extra = ours.get("attributes")
    return Box(
        xyxy,
        label,
        crowd=crowd is not None and crowd.flag(),
        difficult=difficult is not None and difficult.flag(),
        track_id=None if track is None else track.whole(),
        attributes=attributes | (dict(extra.mapping()) if extra else {}),
    )


# ---- writing


def write_label_studio(dataset: Dataset, path: Path) -> None:
    """A file to import into a project whose labelling configuration is :func:`labelling_config`, its
    pictures served from local storage. Raises LabelError, also for a set without pictures: its classes
    would be lost.
    """
    dataset = checked(dataset)
    if not dataset.pictures and (dataset.labels or dataset.attributes):
        raise LabelError(f"{path}: Label Studio keeps classes with the pictures, and there are none")
    tasks = ",\n".join(json_text(task) for task in _tasks(dataset))
    write_text(path, f"[\n{tasks}\n]\n" if tasks else "[]\n")


def labelling_config(dataset: Dataset) -> str:
    """XML that makes Label Studio offer these classes."""
    labels = "".join(f"    <Label value={quoteattr(label)}/>\n" for label in dataset.labels)
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <RectangleLabels name="label" toName="image">\n{labels}  </RectangleLabels>\n</View>\n'
    )


def _tasks(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for number, picture in enumerate(dataset.pictures):
        about: dict[str, Any] = {
            "name": picture.name,
            "width": picture.width,
            "height": picture.height,
            "classes": list(dataset.labels),
        }
        about |= {"camera": picture.camera} if picture.camera else {}
        about |= {"captured_at": picture.captured_at} if picture.captured_at is not None else {}
        about |= {"light": picture.light} if picture.light else {}
        about |= {"attributes": dict(picture.attributes)} if picture.attributes else {}
        about |= {"set": dict(dataset.attributes)} if dataset.attributes and number == 0 else {}
        result = [_region(at, box, picture) for at, box in enumerate(picture.boxes)]
        yield {
            "data": {"image": LOCAL + quote(picture.name), "vedette": about},
            "annotations": [{"was_cancelled": False, "result": result}],
        }


def _region(number: int, box: Box, picture: Picture) -> dict[str, Any]:
    left, top, right, bottom = box.xyxy
    width, height = picture.width, picture.height
    region: dict[str, Any] = {
        "id": f"box{number}",
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "x": left * 100 / width,
            "y": top * 100 / height,
            "width": (right - left) * 100 / width,
            "height": (bottom - top) * 100 / height,
            "rotation": 0,
            "rectanglelabels": [box.label],
        },
    }
    if meta := _meta(box):
        region["meta"] = {"vedette": meta}
    return region


def _meta(box: Box) -> Mapping[str, Any]:
    meta: dict[str, Any] = {"crowd": True} if box.crowd else {}
    meta |= {"difficult": True} if box.difficult else {}
    meta |= {"track_id": box.track_id} if box.track_id is not None else {}
    return meta | ({"attributes": dict(box.attributes)} if box.attributes else {})
