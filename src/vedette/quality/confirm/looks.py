"""Reviewed frames of a store as estimates see them, in the order in which people saw them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vedette.quality.confirm.settings import Measure
from vedette.quality.estimates import Judged, Prediction, judged
from vedette.quality.estimates.frames import drawn, of_boxes, of_objects
from vedette.quality.estimates.ratio import Floats, Shares
from vedette.quality.labels.dataset import Picture
from vedette.quality.review.rows import Item, Review, State

__all__ = ["Look", "in_order", "judged_of", "look_of", "masses", "shares_of"]


@dataclass(frozen=True, slots=True)
class Look:
    """A frame that somebody looked at. ``at``: when, Unix seconds. ``item``: its id."""

    at: float
    item: str
    frame: Judged


def look_of(item: Item, review: Review, *, threshold: float, site: str = "") -> Look | None:
    """None where nobody can be judged by it: skipped, or too difficult. ``threshold``: the score from which
    the detector emits. Boxes of classes that were not looked for are left out: nobody knows of them."""
    if review.state is not State.REVIEWED:
        return None
    frame = judged_of(item, review, review.looked_for, threshold=threshold, site=site)
    return Look(review.at, item.id, frame)


def judged_of(
    item: Item, review: Review, classes: Collection[str], *, threshold: float, site: str = ""
) -> Judged:
    """What was right in a reviewed frame, of these classes only. ``threshold``: the score from which the
    detector emits."""
    picture = Picture(
        item.file,
        item.width,
        item.height,
        tuple(each.box for each in review.boxes if each.box.label in classes),
        camera=item.camera,
        captured_at=item.captured_at,
        light=item.light,
    )
    predictions = [
        Prediction(each.xyxy, each.label, each.score) for each in item.predictions if each.label in classes
    ]
    return judged(
        picture,
        predictions,
        probability=item.probability if item.uniform else None,
        threshold=threshold,
        site=site,
        model=item.model,
    )


def in_order(looks: Iterable[Look]) -> list[Look]:
    """As they were reviewed. Uniform frames are shown in an order of chance, so it says nothing of them."""
    return sorted(looks, key=lambda each: (each.at, each.item))


def shares_of(looks: Sequence[Look], measure: Measure) -> tuple[Shares, Floats]:
    """Of frames that were drawn and have something to be judged by, in their order; and when each was
    reviewed [frames]."""
    chosen = [each for each in looks if each.frame.probability is not None]
    frames = drawn(each.frame for each in chosen)
    shares = of_boxes(frames) if measure == "precision" else of_objects(frames)
    there = shares.wholes > 0
    times = np.array([each.at for each in chosen], np.float64)
    return Shares(shares.weight[there], shares.parts[there], shares.wholes[there]), times[there]


def masses(items: Iterable[Item], threshold: float) -> Floats:
    """How much each of these uniform frames counts, whether it was reviewed or not: its emitted boxes, at
    least one, over the probability of being drawn. Known without any label; [items]."""
    return np.array(
        [
            max(1, sum(box.score >= threshold for box in item.predictions)) / item.probability
            for item in items
            if item.uniform and item.probability
        ],
        np.float64,
    )
