"""Gaps, incidents and coverage as rows with named columns: what every format but the table shows."""

from __future__ import annotations

from collections.abc import Iterable

from vedette.causes import BLINDING, Cause
from vedette.facts import Gap, Incident
from vedette.ledger.answers import Covered
from vedette.ledger.sheet import Column, Sheet, Type

__all__ = [
    "BLIND_CAUSES",
    "COVERAGE_COLUMNS",
    "GAP_COLUMNS",
    "INCIDENT_COLUMNS",
    "coverage_sheet",
    "gap_sheet",
    "incident_sheet",
]

_WHEN = (
    Column("start", Type.MOMENT),
    Column("end", Type.MOMENT),
    Column("seconds", Type.STRETCH),
)
_EXACT = (
    Column("start_us", Type.NUMBER, exact=True),
    Column("end_us", Type.NUMBER, exact=True),
)

GAP_COLUMNS = (
    Column("node"),
    Column("camera"),
    Column("kind"),
    Column("cause"),
    Column("blame"),
    *_WHEN,
    Column("frames_missed", Type.NUMBER),
    Column("tracks_cut", Type.NUMBER),
    Column("epoch_before", Type.NUMBER),
    Column("epoch_after", Type.NUMBER),
    Column("incident"),
    Column("detail"),
    Column("id"),
    *_EXACT,
)

INCIDENT_COLUMNS = (
    Column("node"),
    Column("scope"),
    Column("cause"),
    *_WHEN,
    Column("camera_count", Type.NUMBER),
    Column("cameras"),
    Column("id"),
    *_EXACT,
)

BLIND_CAUSES = tuple(cause for cause in Cause if cause in BLINDING)

COVERAGE_COLUMNS = (
    Column("node"),
    Column("camera"),
    Column("start", Type.MOMENT),
    Column("end", Type.MOMENT),
    Column("watched_s", Type.STRETCH),
    Column("seen_s", Type.STRETCH),
    Column("blind_s", Type.STRETCH),
    Column("unknown_s", Type.STRETCH),
    Column("share", Type.SHARE),
    *(Column(f"{cause.value}_s", Type.STRETCH) for cause in BLIND_CAUSES),
    *_EXACT,
)


def node_of(row: object) -> str:
    """Rows made by a timeline, and not read from a ledger, have no node."""
    return getattr(row, "node", "")


def _times(start: int, end: int | None) -> tuple[int, int | None, int | None]:
    return start, end, None if end is None else end - start


def gap_sheet(gaps: Iterable[Gap]) -> Sheet:
    """One row a gap, in the order given; ``end`` and ``seconds`` are None while it is open."""
    rows = (
        (
            *(node_of(gap), gap.camera, gap.kind.value, gap.cause.value, gap.blame.value),
            *_times(gap.start, gap.end),
            *(gap.frames_missed, gap.tracks_cut, gap.epoch_before, gap.epoch_after),
            *(gap.incident, gap.detail, gap.id, gap.start, gap.end),
        )
        for gap in gaps
    )
    return Sheet(GAP_COLUMNS, rows)


def incident_sheet(incidents: Iterable[Incident]) -> Sheet:
    """``cameras``: their names, with a space between."""
    rows = (
        (
            *(node_of(one), one.scope, one.cause.value),
            *_times(one.start, one.end),
            *(len(one.cameras), " ".join(one.cameras), one.id, one.start, one.end),
        )
        for one in incidents
    )
    return Sheet(INCIDENT_COLUMNS, rows)


def coverage_sheet(rows: Iterable[Covered]) -> Sheet:
    """``seen_s`` + ``blind_s`` = ``watched_s``, and the causes add up to ``blind_s``, to the microsecond."""
    cells = (
        (
            *(row.node, row.camera, row.start, row.end),
            *(row.watched, row.seen, row.watched - row.seen, row.unknown, row.share),
            *(row.blind.get(cause, 0) for cause in BLIND_CAUSES),
            *(row.start, row.end),
        )
        for row in rows
    )
    return Sheet(COVERAGE_COLUMNS, cells)
