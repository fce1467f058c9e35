"""Reviewed items as a labelled set, and labels that people made elsewhere as reviews. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vedette.quality.labels.dataset import Box, Dataset, Picture
from vedette.quality.review.matching import XYXY, iou, pairs
from vedette.quality.review.rows import Final, Item, Prediction, Review, State, Verdict

__all__ = ["Imported", "reviews_of", "to_dataset"]

SAME_BOX = 0.95
"""Overlap from which nobody meant to correct a box: tools round to whole pixels."""
SAME_OBJECT = 0.5
SHOWN_FROM = 0.25
"""Scores from which a predicted box was there to be judged, unless somebody says otherwise."""


def to_dataset(reviewed: Iterable[tuple[Item, Review]], labels: Sequence[str]) -> Dataset:
    """By the time of capture. ``labels``: the classes of the set; boxes of others are left out, and so are
    pictures in which not all of these were looked for, those that are gone from the disk, and those that
    were skipped or are too difficult: who finds something there would be wrong without being to blame."""
    chosen = [
        (item, review)
        for item, review in reviewed
        if review.state is State.REVIEWED and item.bytes and set(labels) <= set(review.looked_for)
    ]
    chosen.sort(key=lambda pair: (pair[0].captured_at, pair[0].id))
    return Dataset(tuple(labels), tuple(_picture(item, review, set(labels)) for item, review in chosen))


def _picture(item: Item, review: Review, labels: set[str]) -> Picture:
    about = {
        "item": item.id,
        "sha256": item.sha256,
        "model": item.model,
        "stream": "uniform" if item.reason is None else item.reason.value,
        "probability": item.probability,
        "reviewer": review.reviewer,
    }
    return Picture(
        item.file,
        item.width,
        item.height,
        tuple(each.box for each in review.boxes if each.box.label in labels),
        camera=item.camera,
        captured_at=item.captured_at,
        light=item.light,
        attributes=about,
    )


@dataclass(frozen=True, slots=True)
class Imported:
    """``unknown``: names of pictures that belong to no item."""

    reviews: tuple[tuple[Item, Review], ...]
    unknown: tuple[str, ...]


def reviews_of(
    dataset: Dataset, items: Iterable[Item], *, reviewer: str, at: float, shown_from: float = SHOWN_FROM
) -> Imported:
    """What somebody labelled elsewhere, as if they had reviewed it here. ``at``: Unix seconds.

    A picture is told by its attribute ``item``, by its file's name below ``pictures``, or by the name
    alone, which some tools leave of it. Predictions of at least ``shown_from`` get a verdict.
    """
    items = list(items)
    by_id = {item.id: item for item in items}
    by_name = {name: item for item in items for name in (item.file, item.file.rsplit("/", 1)[-1])}
    found: list[tuple[Item, Review]] = []
    unknown: list[str] = []
    for picture in dataset.pictures:
        item = (
            by_id.get(str(picture.attributes.get("item")))
            or by_name.get(picture.name)
            or by_name.get(picture.name.rsplit("/", 1)[-1])
        )
        if item is None:
            unknown.append(picture.name)
        else:
            found.append((item, _review(picture, item, dataset.labels, reviewer, at, shown_from)))
    return Imported(tuple(found), tuple(unknown))


def _review(
    picture: Picture, item: Item, labels: tuple[str, ...], reviewer: str, at: float, shown_from: float
) -> Review:
    # Tools may show it at another size.
    scale = (item.width / picture.width, item.height / picture.height) * 2
    boxes = [
        replace(box, xyxy=_scaled(box.xyxy, scale)) if scale != (1.0,) * 4 else box for box in picture.boxes
    ]
    shown = [
        number
        for number, each in enumerate(item.predictions)
        if each.score >= shown_from and each.label in labels
    ]
    of = _matched(boxes, [item.predictions[number] for number in shown])
    verdicts: list[Verdict | None] = [None] * len(item.predictions)
    finals = []
    for number in shown:
        verdicts[number] = Verdict.REJECTED
    for number, box in enumerate(boxes):
        prediction = shown[of[number]] if number in of else None
        if prediction is not None:
            verdicts[prediction] = _verdict(box, item.predictions[prediction])
        finals.append(Final(box, prediction))
    return Review(State.REVIEWED, tuple(finals), tuple(verdicts), labels, reviewer, 0.0, at)


def _scaled(xyxy: XYXY, scale: tuple[float, ...]) -> XYXY:
    left, top, right, bottom = (each * by for each, by in zip(xyxy, scale, strict=True))
    return left, top, right, bottom


def _verdict(box: Box, prediction: Prediction) -> Verdict:
    same = box.xyxy == prediction.xyxy or iou(box.xyxy, prediction.xyxy) >= SAME_BOX
    return Verdict.ACCEPTED if same and box.label == prediction.label else Verdict.CORRECTED


def _matched(boxes: Sequence[Box], predictions: Sequence[Prediction]) -> dict[int, int]:
    """Numbers of predictions by the number of their box: first of the same class, then of any."""
    ours = [(box.xyxy, box.label) for box in boxes]
    theirs = [(each.xyxy, each.label) for each in predictions]
    of = dict(pairs(ours, theirs, SAME_OBJECT))
    left = [number for number in range(len(ours)) if number not in of]
    free = [number for number in range(len(theirs)) if number not in set(of.values())]
    rest = pairs([ours[i] for i in left], [theirs[j] for j in free], SAME_OBJECT, same_label=False)
    return of | {left[i]: free[j] for i, j in rest}
