"""Gaps, incidents and coverage as tables for people, readable on 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Generic, TypeVar

from rich.table import Table
from rich.text import Text

from vedette.causes import Cause, Kind
from vedette.facts import Gap, Incident
from vedette.ledger.answers import Covered
from vedette.ledger.export import node_of
from vedette.ledger.sheet import printable
from vedette.ledger.when import counted, local, percent, period, stretch

__all__ = ["ROWS_AT_MOST", "coverage_table", "gap_table", "incident_table"]

ROWS_AT_MOST = 500
"""More than that nobody reads, and it would take a while to draw; the other formats have all."""

WIDE = 110
"""Columns of a terminal from which on there is room for blame, and for details worth reading."""

CAUSES_NAMED = 3
_STYLES = {Kind.BLIND: "red", Kind.DEGRADED: "yellow", Kind.EVENT: "cyan"}

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class _Column(Generic[_Row]):
    """``most``: characters; None for what takes the room that is left."""

    name: str
    text: Callable[[_Row], str]
    most: int | None = None
    right: bool = False
    style: Callable[[_Row], str] = lambda _: ""


def gap_table(
    gaps: Sequence[Gap],
    since: int,
    until: int,
    *,
    width: int,
    heard: Mapping[str, int] | None = None,
    tz: tzinfo | None = None,
) -> Table:
    """In the order given; the last ``ROWS_AT_MOST`` of them. ``width``: columns of the terminal. ``heard``:
    when (µs) nodes that do not run were last heard of; what they have open is counted up to then."""
    shown = gaps[-ROWS_AT_MOST:]
    clock = _clock([gap.start for gap in shown], tz)
    wide = width >= WIDE
    columns = [
        _Column[Gap]("start", lambda gap: f"{local(gap.start, tz):{clock}}", 14),
        _Column[Gap]("for", lambda gap: _for(gap, (heard or {}).get(node_of(gap), until)), 8, right=True),
        _Column[Gap]("camera", lambda gap: gap.camera, 24 if wide else 18),
        _Column[Gap]("cause", lambda gap: gap.cause.value, 18, style=lambda gap: _STYLES[gap.kind]),
    ]
    if _several_nodes(gaps):
        columns.insert(2, _Column("node", node_of, 14))
    if wide:
        columns.append(_Column("blame", lambda gap: gap.blame.value, 9))
        columns.append(_Column("missed", _missed, 9, right=True))
    columns.append(_Column("detail", lambda gap: gap.detail))
    caption = _gaps_in_short(gaps) + _left_out(len(gaps), "only the last")
    return _filled(f"Gaps from {period(since, until, tz)}", caption, columns, shown)


def incident_table(incidents: Sequence[Incident], since: int, until: int, tz: tzinfo | None = None) -> Table:
    """In the order given; the last ``ROWS_AT_MOST`` of them."""
    shown = incidents[-ROWS_AT_MOST:]
    clock = _clock([one.start for one in shown], tz)
    columns = [
        _Column[Incident]("start", lambda one: f"{local(one.start, tz):{clock}}", 14),
        _Column[Incident]("for", lambda one: _for(one, until), 8, right=True),
        _Column[Incident]("in common", lambda one: one.scope, 28),
        _Column[Incident]("cause", lambda one: one.cause.value, 18),
        _Column[Incident]("cameras", lambda one: f"{len(one.cameras)}", 7, right=True),
        _Column[Incident]("", lambda one: " ".join(one.cameras[:20])),
    ]
    if _several_nodes(incidents):
        columns.insert(2, _Column("node", node_of, 14))
    caption = counted(len(incidents), "incident") + _left_out(len(incidents), "only the last")
    return _filled(f"Incidents from {period(since, until, tz)}", caption, columns, shown)


def coverage_table(
    rows: Sequence[Covered], since: int, until: int, *, by: str, tz: tzinfo | None = None
) -> Table:
    """The worst first; the worst ``ROWS_AT_MOST`` of them. ``by``: hour, day or all."""
    worst = sorted(rows, key=lambda row: (row.sure, row.node, row.camera, row.start))[:ROWS_AT_MOST]
    columns = [
        _Column[Covered]("seen", lambda row: percent(row.seen, row.watched) if row.watched else "-", 7, True),
        _Column[Covered]("camera", lambda row: row.camera, 20),
        _Column[Covered]("watched", lambda row: stretch(row.watched), 7, True),
        _Column[Covered]("blind", lambda row: _or_nothing(row.watched - row.seen), 7, True),
    ]
    if any(row.unknown for row in rows):
        columns.append(_Column("unknown", lambda row: _or_nothing(row.unknown), 7, True))
    columns.append(_Column("because of", lambda row: _causes(row.blind)))
    if by != "all":
        form = "%m-%d %H:%M" if by == "hour" else "%Y-%m-%d"
        columns.insert(2, _Column(by, lambda row: f"{local(row.start, tz):{form}}", 11))
    if _several_nodes(rows):
        columns.insert(1, _Column("node", node_of, 14))
    caption = _coverage_in_short(rows) + _left_out(len(rows), "only the worst")
    return _filled(f"Coverage from {period(since, until, tz)}", caption, columns, worst)


def _filled(title: str, caption: str, columns: Sequence[_Column[_Row]], rows: Sequence[_Row]) -> Table:
    table = Table(
        title=Text(title, style="bold"),
        caption=Text(caption, style="dim"),
        title_justify="left",
        caption_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="bold dim",
    )
    cells = [
        [
            Text(printable(column.text(row)), style=column.style(row), no_wrap=True, overflow="ellipsis")
            for column in columns
        ]
        for row in rows
    ]
    for number, column in enumerate(columns):
        longest = max([len(column.name), *(line[number].cell_len for line in cells)])
        table.add_column(
            column.name,
            justify="right" if column.right else "left",
            # Only what has no most of its own gives way on narrow terminals: that is what Rich takes for
            # wrapping, though its cells do not wrap either.
            no_wrap=column.most is not None,
            overflow="ellipsis",
            max_width=column.most,
            min_width=None if column.most is None else min(column.most, longest),
        )
    for line in cells:
        table.add_row(*line)
    return table


def _several_nodes(rows: Sequence[object]) -> bool:
    return len({node_of(row) for row in rows}) > 1


def _clock(moments: Sequence[int], tz: tzinfo | None) -> str:
    """The title has the year; days are told only where there are several."""
    days = {local(moment, tz).date() for moment in moments}
    return "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M:%S"


def _for(row: Gap | Incident, until: int) -> str:
    if row.end is None:
        return f"{stretch(max(0, until - row.start))}+"
    return "" if isinstance(row, Gap) and row.kind is Kind.EVENT else stretch(row.end - row.start)


def _missed(gap: Gap) -> str:
    return "" if gap.frames_missed is None else f"{gap.frames_missed:,}"


def _gaps_in_short(gaps: Sequence[Gap]) -> str:
    cameras = len({(node_of(gap), gap.camera) for gap in gaps})
    kinds = Counter(gap.kind for gap in gaps)
    named = ", ".join(f"{kinds[kind]:,} {kind.value}" for kind in Kind if kinds[kind])
    still = "; +: not over" if any(gap.end is None for gap in gaps) else ""
    return f"{counted(len(gaps), 'row')} of {counted(cameras, 'camera')}: {named}{still}"


def _coverage_in_short(rows: Sequence[Covered]) -> str:
    watched, seen = sum(row.watched for row in rows), sum(row.seen for row in rows)
    cameras = counted(len({(row.node, row.camera) for row in rows}), "camera")
    text = f"{cameras}, {percent(seen, watched) if watched else '-'} seen"
    if any(row.unknown for row in rows):
        text += "; unknown: nothing was heard of the node"
    return text


def _left_out(rows: int, which: str) -> str:
    return f"\n{which} {ROWS_AT_MOST} are shown, --format csv has all" if rows > ROWS_AT_MOST else ""


def _or_nothing(microseconds: int) -> str:
    return stretch(microseconds) if microseconds else ""


def _causes(blind: Mapping[Cause, int]) -> str:
    """The longest few."""
    ordered = sorted(blind.items(), key=lambda item: -item[1])
    named = [f"{cause.value} {stretch(length)}" for cause, length in ordered[:CAUSES_NAMED]]
    more = len(ordered) - CAUSES_NAMED
    return ", ".join([*named, f"{more} more"] if more > 0 else named)
