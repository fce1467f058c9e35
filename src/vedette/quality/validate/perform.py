"""Makes a run: looks at each picture of a set as the pipeline would, and works out the figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from vedette.errors import LabelError
from vedette.infer.detector import Boxes
from vedette.infer.load import DetectorSpec
from vedette.quality.labels.dataset import Dataset
from vedette.quality.validate.classes import Classes
from vedette.quality.validate.coco_eval import Found, evaluate, records_of
from vedette.quality.validate.estimate import estimates
from vedette.quality.validate.model import model_of
from vedette.quality.validate.pictures import decode, key_of, read
from vedette.quality.validate.predict import Predictor, load
from vedette.quality.validate.run import DatasetName, Model, Run

__all__ = ["Outcome", "content_of", "make_run", "run_validation"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A run, and what is needed to show it: the boxes themselves, one entry for each picture of the set."""

    run: Run
    dataset: Dataset
    folder: Path
    found: list[Found]


def run_validation(
    name: str,
    dataset: Dataset,
    folder: Path,
    spec: DetectorSpec,
    *,
    at: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Look at each picture of a set as the pipeline would. ``folder``: where the pictures lie; ``at``: now;
    ``progress`` is told after each picture how many are done.

    Raises LabelError where the set or a picture cannot be used, DetectorError where the detector cannot.
    """
    if not dataset.pictures:
        raise LabelError(f"{name}: there is no picture in it")
    if len(set(dataset.labels)) < len(dataset.labels):
        raise LabelError(f"{name}: two of its labels have the same name")
    missing = [each.name for each in dataset.pictures if not (folder / each.name).is_file()]
    if missing:
        count = f"{len(missing)} of {len(dataset.pictures)} pictures are not there"
        raise LabelError(f"{folder}: {count}, such as {missing[0]}")
    predictor = Predictor(load(spec))
    model = model_of(spec, predictor.detector.made_of)
    classes = Classes(dataset.labels, predictor.detector.names)
    found, keys, left_out = [], [], dict[str, int]()
    for key, boxes in _looked_at(dataset, folder, predictor):
        keys.append(key)
        found.append(_labelled(boxes, classes, spec.confidence, left_out))
        progress(len(found))
    precision = predictor.detector.precision
    run = make_run(name, dataset, spec.confidence, model, classes, found, keys, left_out, at, precision)
    return Outcome(run, dataset, folder, found)


def _looked_at(dataset: Dataset, folder: Path, predictor: Predictor) -> Iterator[tuple[str, Boxes]]:
    for picture in dataset.pictures:
        data = read(folder, picture)
        yield key_of(picture, data), predictor.boxes_in(decode(data, picture))


def _labelled(boxes: Boxes, classes: Classes, confidence: float, left_out: dict[str, int]) -> Found:
    """The boxes of what was looked for; counts the others that are sure enough."""
    label = np.array(classes.label_of(boxes.class_name), np.int32)
    for name, number, sure in zip(boxes.class_name, label, boxes.confidence >= confidence, strict=True):
        if number < 0 and sure:
            left_out[name] = left_out.get(name, 0) + 1
    asked = label >= 0
    # Six digits are more than anybody is sure of, and short in a file.
    return Found(boxes.xyxy[asked], boxes.confidence[asked].astype(np.float64).round(6), label[asked])


def make_run(
    name: str,
    dataset: Dataset,
    confidence: float,
    model: Model,
    classes: Classes,
    found: Sequence[Found],
    keys: Sequence[str],
    left_out: dict[str, int],
    at: datetime,
    precision: str = "",
) -> Run:
    """Of what was found in each picture, and what tells whether it is the same one (``keys``). ``precision``:
    in which the network computed."""
    figures, by_label, by_light = evaluate(dataset, found, _by_light(dataset))
    records = records_of(dataset, found, keys)
    weakest = [float(each.score.min()) for each in found if len(each.score)]
    content = content_of(dataset, keys)
    when = at.astimezone(UTC)
    who = hashlib.sha256(f"{model.hash}{content}{when.isoformat()}".encode()).hexdigest()[:8]
    return Run(
        id=f"{when:%Y%m%dT%H%M%SZ}-{who}",
        at=when.isoformat(timespec="seconds"),
        dataset=DatasetName(name, content, len(keys), int(records.truths.sum())),
        model=model,
        confidence=confidence,
        floor=min(weakest, default=None),
        estimates=estimates(records, confidence),
        figures=figures,
        by_label=by_label,
        by_light=by_light,
        unknown=list(classes.unknown),
        left_out=dict(sorted(left_out.items(), key=lambda item: -item[1])),
        records=records.stored(),
        precision=precision,
    )


def content_of(dataset: Dataset, keys: Sequence[str]) -> str:
    """A hash of all pictures and labels. ``keys``: see :func:`vedette.quality.validate.pictures.key_of`."""
    return hashlib.sha256("\n".join([*dataset.labels, "", *sorted(keys)]).encode()).hexdigest()


def _by_light(dataset: Dataset) -> dict[str, list[int]]:
    """Numbers of the pictures taken in each light that was noted."""
    found: dict[str, list[int]] = {}
    for number, picture in enumerate(dataset.pictures):
        if picture.light:
            found.setdefault(picture.light, []).append(number)
    return dict(sorted(found.items()))
