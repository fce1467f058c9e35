"""What stands above and below the rows: legend, incidents, the axis of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vedette.facts import Incident
from vedette.ledger.axis import Tick
from vedette.ledger.colours import FRAME, INK, PAPER, QUIET
from vedette.ledger.marks import Scale
from vedette.ledger.shapes import Hatch, Label, Rectangle, Shape, Stroke, fitted, text_width

__all__ = [
    "AXIS_PX",
    "LANE_PX",
    "LEGEND_PX",
    "Entry",
    "Placed",
    "axis",
    "bands",
    "brackets",
    "grid",
    "legend",
    "legend_lines",
    "place",
]

LEGEND_PX = 20
"""Height of one line of the legend."""

LANE_PX = 20
LANES_AT_MOST = 4
AXIS_PX = 40
_SIZE = 11
_SWATCH_PX = 14
_INCIDENT_AT_MOST_PX = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``form``: ``bar``, ``strip``, ``tick`` or ``hatch``, as in the rows; ``amount``
    is written after the name."""

    name: str
    colour: str
    form: str = "bar"
    amount: str = ""

    @property
    def width(self) -> float:
        amount = text_width(f" {self.amount}", _SIZE) if self.amount else 0
        return _SWATCH_PX + 6 + text_width(self.name, _SIZE) + amount + 20


def legend_lines(entries: Sequence[Entry], width: float) -> list[list[Entry]]:
    lines: list[list[Entry]] = [[]]
    used = 0.0
    for entry in entries:
        if lines[-1] and used + entry.width - 20 > width:
            lines.append([])
            used = 0.0
        lines[-1].append(entry)
        used += entry.width
    return lines if lines[0] else []


def legend(lines: Sequence[Sequence[Entry]], left: int, top: int) -> Iterator[Shape]:
    for number, line in enumerate(lines):
        x, y = float(left), top + number * LEGEND_PX
        for entry in line:
            yield from _swatch(entry, round(x), y)
            at = x + _SWATCH_PX + 6
            yield Label(round(at), y + 10, entry.name, _SIZE, INK)
            if entry.amount:
                after = at + text_width(f"{entry.name} ", _SIZE) + 1
                yield Label(round(after), y + 10, entry.amount, _SIZE, QUIET)
            x += entry.width


def _swatch(entry: Entry, x: int, y: int) -> Iterator[Shape]:
    match entry.form:
        case "strip":
            yield Rectangle(x, y + 4, _SWATCH_PX, 4, entry.colour)
        case "tick":
            yield Rectangle(x + 6, y - 1, 2, 14, entry.colour)
        case "hatch":
            yield Hatch(x, y, _SWATCH_PX, 12, entry.colour)
        case _:
            # An edge, or the palest ones would be lost on paper.
            yield Rectangle(x, y, _SWATCH_PX, 12, FRAME)
            yield Rectangle(x + 1, y + 1, _SWATCH_PX - 2, 10, PAPER)
            yield Rectangle(x + 1, y + 1, _SWATCH_PX - 2, 10, entry.colour)


@dataclass(frozen=True, slots=True)
class Placed:
    """An incident, in pixels; ``lane`` None where there was no room to write about it."""

    x1: int
    x2: int
    lane: int | None = None
    text: str = ""
    text_x: int = 0


def place(incidents: Iterable[Incident], scale: Scale) -> list[Placed]:
    """Each into the first lane in which neither it nor its text touches another. The largest choose first."""
    shown = [one for one in incidents if scale.shows(one.start, one.end)]
    shown.sort(key=lambda one: (-len(one.cameras), one.start))
    lanes: list[list[tuple[float, float]]] = [[] for _ in range(LANES_AT_MOST)]
    found = []
    for one in shown:
        x1, x2 = scale.span(one.start, one.end)
        text = fitted(_about(one), _SIZE, _INCIDENT_AT_MOST_PX)
        width = text_width(text, _SIZE)
        text_x = round(max(scale.left, min(x1, scale.right - width)))
        begins, ends = min(x1, text_x), max(x2, text_x + width)
        lane = _free_lane(lanes, begins - 6, ends + 6)
        if lane is not None:
            lanes[lane].append((begins, ends))
        found.append(Placed(x1, x2, lane, text, text_x))
    return found


def _free_lane(lanes: Sequence[Sequence[tuple[float, float]]], begins: float, ends: float) -> int | None:
    for number, taken in enumerate(lanes):
        if all(ends <= first or last <= begins for first, last in taken):
            return number
    return None


def _about(incident: Incident) -> str:
    return f"{incident.scope}: {incident.cause.value}, {len(incident.cameras)} cameras"


def bands(placed: Iterable[Placed], top: int, bottom: int) -> Iterator[Shape]:
    """Behind the marks, over all rows."""
    for one in placed:
        yield Rectangle(one.x1, top, one.x2 - one.x1, bottom - top, INK, opacity=0.06)


def brackets(placed: Iterable[Placed], top: int) -> Iterator[Shape]:
    """``top``: of the first lane."""
    for one in placed:
        if one.lane is None:
            continue
        y = top + one.lane * LANE_PX
        yield Label(one.text_x, y + 9, one.text, _SIZE, INK)
        last = max(one.x2 - 1, one.x1 + 1)
        yield Stroke(one.x1, y + 13, last, y + 13, INK)
        yield Stroke(one.x1, y + 13, one.x1, y + 17, INK)
        yield Stroke(last, y + 13, last, y + 17, INK)


def grid(ticks: Iterable[Tick], scale: Scale, top: int, bottom: int) -> Iterator[Shape]:
    """Faint, over what was seen and behind the marks."""
    for tick in ticks:
        x = scale.x(tick.at)
        if scale.left < x < scale.right:
            yield Rectangle(x, top, 1, bottom - top, INK, opacity=0.16 if tick.day else 0.07)


def axis(ticks: Iterable[Tick], scale: Scale, y: int, *, above: bool = False) -> Iterator[Shape]:
    """Along ``y``: below the rows, or above them where they are many."""
    down = -1 if above else 1
    yield Stroke(scale.left, y, scale.right - 1, y, FRAME)
    for tick in ticks:
        x = min(scale.x(tick.at), scale.right - 1)
        yield Stroke(x, y, x, y + 4 * down, FRAME)
        yield Label(x, y - 9 if above else y + 17, tick.text, _SIZE, QUIET, "middle")
        if tick.day:
            yield Label(x, y - 24 if above else y + 32, tick.day, _SIZE, INK, "middle")
