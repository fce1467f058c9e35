"""What the reviews tell of the detector by now: figures, and sentences about them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from vedette.quality.confirm.looks import judged_of
from vedette.quality.estimates import Estimate, Judged, Method, TooFew, more_frames, precision, recall
from vedette.quality.review.rows import Item, Review, State

__all__ = ["Figure", "about", "figures", "judged_frames"]

NARROWER = 2 / 3
"""What more frames would bring is told for an interval of so much the width."""


@dataclass(frozen=True, slots=True)
class Figure:
    """``value``, ``lower``, ``upper``: shares, None where it is too early. ``said``: the same for people.
    ``outlook``: what more frames would bring. ``frames``: drawn and reviewed, on which it rests."""

    name: str
    value: float | None
    lower: float | None
    upper: float | None
    said: str
    outlook: str
    frames: int


FEW = 20


def about(count: int) -> str:
    """How many frames wait, so roughly that nobody sees whether the last one was among them: a blind repeat
    was not."""
    if count == 0:
        return "none"
    if count < FEW:
        return f"fewer than {FEW}"
    step = 10 ** (len(str(count)) - (1 if count < 100 else 2))
    return f"about {round(count / step) * step}"


def judged_frames(
    reviewed: Iterable[tuple[Item, Review]], classes: Collection[str], threshold: float, model: str
) -> list[Judged]:
    """Of one model, and those in which all of ``classes`` were looked for. ``threshold``: the score from
    which the detector emits. Pictures that are gone from the disk count: somebody saw them."""
    return [
        judged_of(item, review, classes, threshold=threshold)
        for item, review in reviewed
        if item.model == model and review.state is State.REVIEWED and set(classes) <= set(review.looked_for)
    ]


def figures(frames: Sequence[Judged]) -> list[Figure]:
    """Precision and recall, with 95% intervals, from the frames that were drawn by chance."""
    return [
        _figure("precision", precision(frames), "boxes"),
        _figure("recall", recall(frames), "objects"),
    ]


def _figure(name: str, known: Estimate | TooFew, things: str) -> Figure:
    if isinstance(known, TooFew):
        short = known.needed - known.frames
        more = f"{short} more {_frames(short)} with {things} until it can be told"
        return Figure(name, None, None, None, "too early", more, known.frames)
    said = f"{known.value:.0%}, {known.lower:.0%} to {known.upper:.0%}"
    return Figure(name, known.value, known.lower, known.upper, said, _outlook(known), known.frames)


def _outlook(known: Estimate) -> str:
    points = known.half_width * 100
    wanted = round(points * NARROWER)
    if wanted < 1:
        return f"±{points:.1f} points: narrow"
    more = more_frames(known, wanted / 100)
    if more is None:
        return f"±{points:.0f} points"
    # What the cautious interval tells is the most that it can take.
    most = "at most " if known.method is Method.CAUTIOUS else ""
    return f"{most}{more} more {_frames(more)} narrow{'s' * (more == 1)} ±{points:.0f} to ±{wanted}"


def _frames(count: int) -> str:
    return "frame" if count == 1 else "frames"
