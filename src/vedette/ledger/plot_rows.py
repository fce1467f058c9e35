"""The rows of the picture: what each camera saw and did not see, one below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vedette.causes import Kind
from vedette.facts import Gap
from vedette.ledger.colours import COLOURS, FRAME, INK, OTHER, PAPER, QUIET, SEEN, UNKNOWN
from vedette.ledger.coverage import CoverageRow
from vedette.ledger.marks import Scale, marks
from vedette.ledger.shapes import Hatch, Label, Rectangle, Shape, Stroke, fitted
from vedette.ledger.when import percent

__all__ = ["LABEL_PX", "LABEL_SIZE", "Row", "RowShape", "backgrounds", "foregrounds", "names"]

HEIGHT_PX = 1500
"""What rows may take together before they shrink below what is comfortable; beyond 750 cameras it grows."""

PITCH_PX = (2, 28)
ROOMY_PX = 22
"""Rows from this height on have room between the bar and what stands above and below it."""

LABEL_SIZE = 11
LABEL_PX = 13
"""From one name to the next, at least."""

_EVERY = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Row:
    """One camera. ``watched``: stretches in µs, within the picture; ``covered``: what was seen of them."""

    camera: str
    watched: Sequence[tuple[int, int]]
    gaps: Sequence[Gap]
    covered: CoverageRow | None

    @property
    def share(self) -> str:
        return percent(self.covered.seen, self.covered.watched) if self.covered else "-"

    def unwatched(self, scale: Scale) -> bool:
        """Whether a pixel of the row shows that nobody watched."""
        return _joined(scale.span(*each) for each in self.watched) != [(scale.left, scale.right)]


@dataclass(frozen=True, slots=True)
class RowShape:
    """In pixels: ``pitch`` from row to row, ``bar`` for seen and blind, ``strip`` for degraded, below it.

    Where there is no room for a strip, it is the last pixel of the bar.
    """

    pitch: int
    bar: int
    strip: int
    strip_at: int

    @classmethod
    def of(cls, rows: int) -> RowShape:
        least, most = PITCH_PX
        pitch = max(least, min(most, HEIGHT_PX // max(1, rows)))
        if pitch >= ROOMY_PX:
            bar = pitch - 10
            return cls(pitch, bar, 4, bar + 1)
        if pitch >= 7:
            space = 1 if pitch < 12 else 3
            bar = pitch - 2 - space
            return cls(pitch, bar, 2, bar)
        bar = pitch if pitch < 4 else pitch - 1
        return cls(pitch, bar, 1, bar - 1)

    @property
    def label_every(self) -> int:
        """Names stand so far apart that none touches the next."""
        return next((every for every in _EVERY if every * self.pitch >= LABEL_PX), _EVERY[-1])


def backgrounds(rows: Sequence[Row], shape: RowShape, top: int, scale: Scale) -> Iterator[Shape]:
    """What was watched at all, as if all of it had been seen."""
    for index, row in enumerate(rows):
        y = top + index * shape.pitch
        yield Hatch(scale.left, y, scale.right - scale.left, shape.bar, UNKNOWN)
        for x1, x2 in _joined(scale.span(start, end) for start, end in row.watched):
            yield Rectangle(x1, y, x2 - x1, shape.bar, PAPER)
            yield Rectangle(x1, y, x2 - x1, shape.bar, SEEN)


def _joined(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for x1, x2 in sorted(spans):
        if found and x1 <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], x2))
        else:
            found.append((x1, x2))
    return found


def foregrounds(
    rows: Sequence[Row], shape: RowShape, top: int, scale: Scale, others: frozenset[str]
) -> Iterator[Shape]:
    """The marks. ``others``: ids of gaps that were not asked for; they are grey."""
    for index, row in enumerate(rows):
        y = top + index * shape.pitch
        asked = [gap for gap in row.gaps if gap.id not in others]
        if len(asked) < len(row.gaps):
            rest = [gap for gap in row.gaps if gap.id in others and gap.kind is Kind.BLIND]
            yield from _blocks(rest, scale, y, shape.bar, OTHER)
        degraded = [gap for gap in asked if gap.kind is Kind.DEGRADED]
        blind = [gap for gap in asked if gap.kind is Kind.BLIND]
        events = [gap for gap in asked if gap.kind is Kind.EVENT]
        yield from _blocks(degraded, scale, y + shape.strip_at, shape.strip)
        # An event may be hidden by a gap, but never a gap by an event.
        yield from _events(events, scale, y, shape)
        yield from _blocks(blind, scale, y, shape.bar)


def _blocks(
    gaps: Sequence[Gap], scale: Scale, y: int, height: int, colour: str | None = None
) -> Iterator[Rectangle]:
    for mark in marks(gaps, scale):
        fill = colour or COLOURS[mark.cause]
        yield Rectangle(mark.x1, y, mark.x2 - mark.x1, height, fill, title=mark.title)


def _events(gaps: Sequence[Gap], scale: Scale, y: int, shape: RowShape) -> Iterator[Rectangle]:
    """Ticks; where there is room they stand out above and below the bar, whatever is drawn over them."""
    roomy = shape.pitch >= ROOMY_PX
    for mark in marks(gaps, scale):
        width = mark.x2 - mark.x1 + (1 if roomy else 0)
        height, raised = (shape.bar + 4, 2) if roomy else (shape.bar, 0)
        yield Rectangle(mark.x1, y - raised, width, height, COLOURS[mark.cause], title=mark.title)


def names(rows: Sequence[Row], shape: RowShape, top: int, scale: Scale) -> Iterator[Shape]:
    """Names at the left, shares at the right; of every row, or of as many as there is room for."""
    every = shape.label_every
    for index in range(0, len(rows), every):
        y = top + index * shape.pitch
        baseline = y + shape.bar / 2 + 4
        if every > 1:
            # The row it belongs to is too thin for the eye to follow.
            baseline = y + 4 + shape.bar // 2
            yield Stroke(scale.left - 6, y, scale.left - 2, y, FRAME)
            yield Stroke(scale.right + 1, y, scale.right + 5, y, FRAME)
        name = fitted(rows[index].camera, LABEL_SIZE, scale.left - 34)
        yield Label(scale.left - 10, round(baseline), name, LABEL_SIZE, INK, "end")
        yield Label(scale.right + 60, round(baseline), rows[index].share, LABEL_SIZE, QUIET, "end")
