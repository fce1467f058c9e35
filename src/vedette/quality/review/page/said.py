"""What the browser says of a frame, as it arrives: checked, and made a review."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vedette.quality.labels.dataset import Box
from vedette.quality.review.page.desk import Changes
from vedette.quality.review.rows import Final, Item, Review, State, Verdict
from vedette.quality.review.selection import Selection

__all__ = ["Asked", "AskedBefore", "AskedProgress", "BoxSaid", "Chosen", "Said", "TakenBack"]

Tab = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Id = Annotated[str, Field(max_length=64)]
Value = Annotated[str, Field(min_length=1, max_length=256)]
Values = Annotated[tuple[Value, ...], Field(max_length=100)]
Known = Annotated[tuple[Id, ...], Field(max_length=500)]
Number = Annotated[int, Field(ge=0, lt=2**63)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chosen(_Message):
    """Which frames somebody wants to look at, as the page's address has it."""

    camera: Values = ()
    reason: Values = ()
    class_: Annotated[Values, Field(alias="class")] = ()
    model: Values = ()

    def selection(self, threshold: float) -> Selection:
        return Selection(self.camera, self.reason, self.class_, self.model, threshold)


class Asked(_Message):
    """For ``want`` more frames. ``known``: ids of those that are open."""

    tab: Tab
    known: Known = ()
    want: Annotated[int, Field(ge=1, le=10)] = 2
    chosen: Chosen = Chosen()


class AskedBefore(_Message):
    """For ``want`` frames that were looked at, ``before`` (at, item) one that is known."""

    tab: Tab
    known: Known = ()
    want: Annotated[int, Field(ge=1, le=50)] = 20
    before: tuple[Number, Id] | None = None
    chosen: Chosen = Chosen()


class AskedProgress(_Message):
    tab: Tab
    classes: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    chosen: Chosen = Chosen()


class BoxSaid(_Message):
    """``of``: the number of the prediction; None for an object that the model missed."""

    xyxy: tuple[float, float, float, float]
    label: Name
    difficult: bool = False
    of: Annotated[int, Field(ge=0)] | None = None


class Said(_Message):
    """``changes``: the review that this one replaces, and its revision."""

    tab: Tab
    item: Id
    changes: tuple[Number, Number] | None = None
    state: Literal["reviewed", "skipped", "difficult"]
    boxes: Annotated[list[BoxSaid], Field(max_length=5000)] = []
    verdicts: Annotated[list[Verdict | None], Field(max_length=5000)] = []
    looked_for: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    reviewer: Annotated[str, Field(max_length=100)]
    seconds: Annotated[float, Field(ge=0)]

    def review(self, item: Item, at: float) -> Review:
        """``at``: Unix seconds. Whether it can have been said of the item is the store's affair."""
        return Review(
            State(self.state),
            tuple(Final(_box(each, item), each.of) for each in self.boxes),
            tuple(self.verdicts),
            tuple(self.looked_for),
            self.reviewer,
            self.seconds,
            at,
        )


class TakenBack(_Message):
    tab: Tab
    item: Id
    review: Number
    revision: Number

    @property
    def changes(self) -> Changes:
        return self.review, self.revision


def _box(said: BoxSaid, item: Item) -> Box:
    known = said.of is not None and said.of < len(item.predictions)
    track = item.predictions[said.of].track_id if known and said.of is not None else None
    return Box(said.xyxy, said.label, difficult=said.difficult, track_id=track)
