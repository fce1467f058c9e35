"""What the review store holds, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.infer.detector import WEAK_FROM
from vedette.quality.labels.dataset import Box
from vedette.quality.review.sampling import Reason

__all__ = [
    "Ended",
    "Final",
    "Item",
    "Prediction",
    "Review",
    "State",
    "Stored",
    "Task",
    "Verdict",
    "Version",
]

SCORE_FROM = WEAK_FROM
"""Boxes with less are not stored: neither people nor estimates look at them."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model said. ``xyxy``: left, top, right, bottom in pixels of the picture."""

    xyxy: tuple[float, float, float, float]
    label: str
    score: float
    track_id: int | None = None


class State(StrEnum):
    WAITING = "waiting"
    REVIEWED = "reviewed"
    SKIPPED = "skipped"
    DIFFICULT = "difficult"
    """Looked at, and not even people can tell what is in it."""
    DROPPED = "dropped"
    """The disk budget took the picture before anybody looked. The row stays: estimates must know of it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A frame that was kept. ``captured_at``: Unix seconds. ``model``: the hash of the model that looked at
    it.

    ``reason``: None in the uniform stream. ``probability``: with which the frame was chosen; None where
    that is not known, as in targeted streams. ``file``: of the picture, below the store's ``pictures``.
    ``bytes``: 0 where the picture is gone.
    """

    id: str
    file: str
    camera: str
    captured_at: float
    width: int
    height: int
    light: str
    model: str
    predictions: tuple[Prediction, ...]
    reason: Reason | None
    probability: float | None
    state: State
    bytes: int
    sha256: str

    @property
    def uniform(self) -> bool:
        return self.reason is None


class Verdict(StrEnum):
    """About one predicted box."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CORRECTED = "corrected"
    """There is an object, and the box or the class was not quite right."""


@dataclass(frozen=True, slots=True)
class Final:
    """A box that is right. ``of``: the number of the prediction it was; None for an object the model
    missed."""

    box: Box
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said of an item.

    ``verdicts``: one for each of its predictions; None for those that were too weak to be shown.
    ``looked_for``: the classes of which every object is in ``boxes``. ``seconds``: how long it took.
    ``at``: Unix seconds.
    """

    state: State
    boxes: tuple[Final, ...]
    verdicts: tuple[Verdict | None, ...]
    looked_for: tuple[str, ...]
    reviewer: str
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Stored:
    """A review in the store. ``repeat_of``: the id of the review that this one, blindly, repeats.
    ``revision``: counts from 1, and goes up when the review is changed."""

    id: int
    item: str
    review: Review
    repeat_of: int | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """What a review said before it was changed or taken back. ``at``: when that was, Unix seconds."""

    stored: Stored
    at: float


@dataclass(frozen=True, slots=True)
class Task:
    """Something to look at. ``repeat_of``: not to be shown to anybody, and given back with the review."""

    item: Item
    repeat_of: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A labelled set as it once was. ``hash``: of its content. ``made_at``: Unix seconds."""

    hash: str
    name: str
    made_at: float
    pictures: int
