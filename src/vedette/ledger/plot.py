"""The picture of a ledger: cameras × time, coloured by cause.

Read from afar: calm green was seen, whatever has a colour was not, slanted lines are time that nobody watched
or of which nothing is known. One layout makes a drawing, which is written as SVG or PNG.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from vedette.causes import Cause, Kind
from vedette.facts import Gap, Incident
from vedette.ledger import plot_head as head
from vedette.ledger.axis import ticks
from vedette.ledger.colours import COLOURS, INK, OTHER, QUIET, SEEN, UNKNOWN
from vedette.ledger.coverage import Watched, coverage
from vedette.ledger.marks import Scale
from vedette.ledger.paint import painted, svg
from vedette.ledger.plot_rows import LABEL_SIZE, Row, RowShape, backgrounds, foregrounds, names
from vedette.ledger.shapes import Drawing, Label, text_width
from vedette.ledger.when import counted, percent, period, stretch

__all__ = ["FORMATS", "draw", "plot"]

FORMATS = (".svg", ".png")
MARGIN_PX = 24
NAMES_AT_MOST_PX = 220
SHARES_PX = 60
TICK_PX = 84
"""From one tick of the axis to the next, at least."""

TALL_PX = 700
"""Rows taller than this have the axis above them too."""

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class _Story:
    """What there is to draw. ``others``: ids of the gaps that were not asked for."""

    rows: Sequence[Row]
    asked: Sequence[Gap]
    others: frozenset[str]
    incidents: Sequence[head.Placed]


def plot(
    gaps: Sequence[Gap],
    watches: Sequence[Watched],
    incidents: Sequence[Incident],
    since: int,
    until: int,
    path: Path,
    width: int = 1200,
    *,
    asked: Callable[[Gap], bool] = lambda _: True,
    tz: tzinfo | None = None,
) -> None:
    """Write the picture into ``path``, which ends with ``.svg`` or ``.png``.

    Raises:
        ValueError: ``path`` ends otherwise. OSError: it cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError("a picture is written as .svg or .png")
    drawing = draw(gaps, watches, incidents, since, until, width, asked=asked, tz=tz)
    if path.suffix.lower() == ".svg":
        path.write_text(svg(drawing), encoding="utf-8")
    else:
        painted(drawing).save(path, format="PNG")


def draw(
    gaps: Sequence[Gap],
    watches: Sequence[Watched],
    incidents: Sequence[Incident],
    since: int,
    until: int,
    width: int = 1200,
    *,
    asked: Callable[[Gap], bool] = lambda _: True,
    tz: tzinfo | None = None,
) -> Drawing:
    """The picture of ``since`` to ``until`` (µs since 1970), ``width`` pixels wide and as high as it takes.

    Watches and gaps that go on have ``end`` None and are drawn to the end; end them where knowledge of them
    ends. Gaps that are not ``asked`` for are grey, so that what was seen stays true. ``tz``: of the axis; the
    machine's unless given.
    """
    rows = _rows(gaps, watches, since, until)
    longest = max((text_width(row.camera, LABEL_SIZE) for row in rows), default=0)
    left = MARGIN_PX + 11 + round(min(max(longest, 60), NAMES_AT_MOST_PX))
    scale = Scale(since, until, left, width - MARGIN_PX - SHARES_PX, tz)
    shown = [gap for gap in gaps if scale.shows(gap.start, gap.end)]
    others = frozenset(gap.id for gap in shown if not asked(gap))
    story = _Story(rows, [gap for gap in shown if gap.id not in others], others, head.place(incidents, scale))
    drawing = Drawing(width, 0, _title(rows))
    top = _draw_head(drawing, story, scale)
    drawing.height = _draw_rows(drawing, story, scale, top) + head.AXIS_PX + 14
    return drawing


def _rows(gaps: Sequence[Gap], watches: Sequence[Watched], since: int, until: int) -> list[Row]:
    """A row per camera, in the order in which people count: cam2 before cam10."""
    watched: dict[str, list[tuple[int, int]]] = defaultdict(list)
    of: dict[str, list[Gap]] = defaultdict(list)
    for watch in watches:
        start, end = max(watch.start, since), min(until if watch.end is None else watch.end, until)
        if start < end:
            watched[watch.camera].append((start, end))
    for gap in gaps:
        of[gap.camera].append(gap)
    covered = {row.camera: row for row in coverage(watches, gaps, since, until)}
    cameras = sorted(watched.keys() | of.keys(), key=_as_counted)
    return [Row(camera, watched[camera], of[camera], covered.get(camera)) for camera in cameras]


def _as_counted(name: str) -> list[tuple[bool, int, str]]:
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(name)]


def _draw_head(drawing: Drawing, story: _Story, scale: Scale) -> int:
    """Titles, legend and incidents. Returns where the rows may begin."""
    drawing.shapes.append(Label(MARGIN_PX, 36, drawing.title, 18, INK))
    drawing.shapes.append(Label(MARGIN_PX, 57, _subtitle(story, scale), 12, QUIET))
    y = 76
    lines = head.legend_lines(list(_entries(story, scale)), drawing.width - 2 * MARGIN_PX)
    drawing.shapes.extend(head.legend(lines, MARGIN_PX, y))
    y += len(lines) * head.LEGEND_PX + 12
    drawing.shapes.extend(head.brackets(story.incidents, y))
    lanes = 1 + max((one.lane for one in story.incidents if one.lane is not None), default=-1)
    return y + lanes * head.LANE_PX


def _draw_rows(drawing: Drawing, story: _Story, scale: Scale, y: int) -> int:
    """The rows and the axis of time, from ``y`` on. Returns where the rows end."""
    shape = RowShape.of(len(story.rows))
    height = len(story.rows) * shape.pitch
    marked = ticks(scale.since, scale.until, max(2, (scale.right - scale.left) // TICK_PX), scale.tz)
    shapes = drawing.shapes
    if height > TALL_PX:
        y += head.AXIS_PX
        shapes.extend(head.axis(marked, scale, y - 4, above=True))
    shapes.extend(backgrounds(story.rows, shape, y, scale))
    shapes.extend(head.grid(marked, scale, y, y + height))
    shapes.extend(head.bands(story.incidents, y - 2, y + height))
    shapes.extend(foregrounds(story.rows, shape, y, scale, story.others))
    shapes.extend(names(story.rows, shape, y, scale))
    shapes.extend(head.axis(marked, scale, y + height + 2))
    return y + height


def _title(rows: Sequence[Row]) -> str:
    if not rows:
        return "Nothing was watched"
    return f"What {counted(len(rows), 'camera')} saw"


def _subtitle(story: _Story, scale: Scale) -> str:
    parts = [period(scale.since, scale.until, scale.tz)]
    seen = sum(row.covered.seen for row in story.rows if row.covered)
    watched = sum(row.covered.watched for row in story.rows if row.covered)
    if watched:
        parts.append(f"{percent(seen, watched)} seen")
    parts.append(counted(sum(gap.kind is Kind.BLIND for gap in story.asked), "gap"))
    if story.incidents:
        parts.append(counted(len(story.incidents), "incident"))
    return "  \u00b7  ".join(parts)


def _entries(story: _Story, scale: Scale) -> Iterator[head.Entry]:
    """What occurs, in the order of the causes; with how long, or for events how often."""
    if any(row.watched for row in story.rows):
        yield head.Entry("seen", SEEN)
    for kind, form in ((Kind.BLIND, "bar"), (Kind.DEGRADED, "strip"), (Kind.EVENT, "tick")):
        spent: Counter[Cause] = Counter()
        for gap in story.asked:
            if gap.kind is kind:
                spent[gap.cause] += 1 if kind is Kind.EVENT else scale.length(gap.start, gap.end)
        for cause in COLOURS:
            if cause in spent:
                amount = f"{spent[cause]}x" if kind is Kind.EVENT else stretch(spent[cause])
                yield head.Entry(cause.value, COLOURS[cause], form, amount)
    if story.others:
        yield head.Entry("other causes", OTHER)
    if any(row.unwatched(scale) for row in story.rows):
        yield head.Entry("not watched, or not known", UNKNOWN, "hatch")
