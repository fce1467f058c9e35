"""Whether the rows of a ledger do partition the time in which cameras were watched. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from vedette.causes import Kind
from vedette.facts import Gap

__all__ = ["Watch", "Watched", "partition_problems"]

PROBLEMS_AT_MOST = 1000
"""A ledger with more of them is known to be broken."""

_1970 = datetime(1970, 1, 1, tzinfo=UTC)


class Watched(Protocol):
    """A period in which somebody was responsible for a camera: µs since 1970; ``end`` None while it lasts."""

    @property
    def camera(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Watch:
    """The plainest :class:`Watched`."""

    camera: str
    start: int
    end: int | None = None


def partition_problems(watches: Iterable[Watched], gaps: Iterable[Gap]) -> list[str]:
    """What is wrong with the rows of a ledger, in sentences; empty when nothing is.

    At most :data:`PROBLEMS_AT_MOST`, and a last one that says how many more there are. A camera is told from
    another by its name alone: of a ledger that several nodes share, pass the rows of one.
    """
    periods: dict[str, list[Watched]] = defaultdict(list)
    for watch in watches:
        periods[watch.camera].append(watch)
    rows: dict[str, list[Gap]] = defaultdict(list)
    for gap in gaps:
        rows[gap.camera].append(gap)
    problems: list[str] = []
    more = 0
    for camera in sorted(periods.keys() | rows.keys()):
        for problem in _problems_of(camera, periods[camera], rows[camera]):
            if len(problems) < PROBLEMS_AT_MOST:
                problems.append(problem)
            else:
                more += 1
    return [*problems, f"and {more} more"] if more else problems


def _problems_of(camera: str, watches: list[Watched], gaps: list[Gap]) -> Iterator[str]:
    yield from _overlaps(f"camera {camera}: the watch", [_Named("", w.start, w.end) for w in watches])
    yield from _doubles(camera, gaps)
    by_kind: dict[str, list[_Named]] = defaultdict(list)
    for gap in gaps:
        named = _Named(f" {gap.id} ({gap.cause})", gap.start, gap.end)
        if gap.kind is Kind.EVENT and gap.end != gap.start:
            yield f"camera {camera}: the event{named} does not end where it begins"
        elif gap.kind is Kind.BLIND:
            by_kind["the blind row"].append(named)
        elif gap.kind is Kind.DEGRADED:
            by_kind[f"the row of kind degraded, cause {gap.cause},"].append(named)
    for what, named_rows in by_kind.items():
        yield from _overlaps(f"camera {camera}: {what}", named_rows)
    yield from _outside(camera, watches, gaps)


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    start: int
    end: int | None

    def __str__(self) -> str:
        end = "open" if self.end is None else _text(self.end)
        return f"{self.name} {_text(self.start)} – {end}"


def _text(at: int) -> str:
    return f"{_1970 + timedelta(microseconds=at):%Y-%m-%dT%H:%M:%S.%fZ}"


def _overlaps(what: str, rows: list[_Named]) -> Iterator[str]:
    """Of rows that must lie beside each other; of which only the last may be open."""
    reached: _Named | None = None
    for row in sorted(rows, key=lambda row: row.start):
        if row.end is not None and row.end < row.start:
            yield f"{what}{row} ends before it begins"
        if row.end is not None and row.end <= row.start:
            continue  # empty: it lies beside everything
        if reached is not None and row.end is None and reached.end is None:
            yield f"{what}{row} is open while{reached} is"
        elif reached is not None and (reached.end is None or reached.end > row.start):
            yield f"{what}{row} overlaps{reached}"
        if reached is None or (reached.end is not None and (row.end is None or row.end > reached.end)):
            reached = row


def _doubles(camera: str, gaps: list[Gap]) -> Iterator[str]:
    ids: set[str] = set()
    for gap in gaps:
        if gap.id in ids:
            yield f"camera {camera}: the row {gap.id} is there twice"
        ids.add(gap.id)


def _outside(camera: str, watches: list[Watched], gaps: list[Gap]) -> Iterator[str]:
    """Rows of any kind about a time for which nobody was responsible. Watches that touch are one here."""
    periods: list[tuple[int, float]] = []
    for watch in sorted(watches, key=lambda watch: watch.start):
        end = _until(watch.end)
        if periods and watch.start <= periods[-1][1]:
            periods[-1] = (periods[-1][0], max(periods[-1][1], end))
        else:
            periods.append((watch.start, end))
    for gap in gaps:
        number = bisect_right(periods, gap.start, key=lambda period: period[0]) - 1
        if number < 0 or _until(gap.end) > periods[number][1] or gap.start > periods[number][1]:
            named = _Named(f" {gap.id} ({gap.cause})", gap.start, gap.end)
            yield f"camera {camera}: the row{named} lies outside of the time it was watched"


def _until(end: int | None) -> float:
    return float("inf") if end is None else end
