"""What the browser says of a frame, as it arrives: checked, and made a review."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vedette.quality.labels.dataset import Box
from vedette.quality.review.rows import Final, Item, Review, State, Verdict

__all__ = ["Asked", "BoxSaid", "Said", "TakenBack", "as_task"]

Tab = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Id = Annotated[str, Field(max_length=64)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Message):
    """For ``want`` more frames. ``known``: ids of those that are open."""

    tab: Tab
    known: Annotated[list[Id], Field(max_length=500)] = []
    want: Annotated[int, Field(ge=1, le=10)] = 2


class BoxSaid(_Message):
    """``of``: the number of the prediction; None for an object that the model missed."""

    xyxy: tuple[float, float, float, float]
    label: Name
    difficult: bool = False
    of: Annotated[int, Field(ge=0)] | None = None


class Said(_Message):
    """``changes``: the id of the review that this one replaces."""

    tab: Tab
    item: Id
    changes: int | None = None
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
    review: int


def _box(said: BoxSaid, item: Item) -> Box:
    known = said.of is not None and said.of < len(item.predictions)
    track = item.predictions[said.of].track_id if known and said.of is not None else None
    return Box(said.xyxy, said.label, difficult=said.difficult, track_id=track)


def as_task(item: Item) -> dict[str, object]:
    """What whoever looks may know. Not why the frame was kept, nor whether anybody saw it before: that would
    lead the eye."""
    return {
        "item": item.id,
        "camera": item.camera,
        "captured_at": item.captured_at,
        "light": item.light,
        "width": item.width,
        "height": item.height,
        "predictions": [
            {"xyxy": each.xyxy, "label": each.label, "score": each.score} for each in item.predictions
        ],
    }
