"""What happened to one camera, on one axis of time: when it was watched, what was not seen, and events.
Pure."""

from __future__ import annotations

import msgspec

from vedette.causes import Kind
from vedette.ledger.answers import Record, covered, known_only
from vedette.ledger.when import LOCAL, SECOND
from vedette.web.api.gap_rows import CoverageRow, GapRow, IncidentRow, coverage_row, gap_row, incident_row

__all__ = ["Epoch", "Timeline", "Watch", "timeline"]


class Watch(msgspec.Struct, frozen=True):
    """A period in which a node was responsible for it. Unix seconds; ``end`` null while it is."""

    node: str
    start: float
    end: float | None


class Epoch(msgspec.Struct, frozen=True):
    """From ``at`` on (Unix seconds) track ids belong to this ``epoch``."""

    at: float
    epoch: int


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All by time, the oldest first. ``blind``: what was not seen; ``degraded``: what was seen badly, with
    the ladder's rungs among it (``thinned``); ``events``: of one moment."""

    camera: str
    since: float
    until: float
    watched: list[Watch]
    blind: list[GapRow]
    degraded: list[GapRow]
    events: list[GapRow]
    epochs: list[Epoch]
    incidents: list[IncidentRow]
    coverage: list[CoverageRow]


def timeline(camera: str, record: Record, since: int, until: int) -> Timeline:
    """``record``: of this camera. ``since``, ``until``: µs."""
    known = known_only(record, until)
    rows = {kind: [gap_row(gap, until) for gap in known.gaps if gap.kind is kind] for kind in Kind}
    epochs = [
        Epoch((gap.end or gap.start) / SECOND, gap.epoch_after)
        for gap in known.gaps
        if gap.epoch_after is not None and gap.epoch_after != gap.epoch_before
    ]
    return Timeline(
        camera=camera,
        since=since / SECOND,
        until=until / SECOND,
        watched=[
            Watch(
                each.node,
                max(each.start, since) / SECOND,
                None if each.end is None else min(each.end, until) / SECOND,
            )
            for each in known.watches
        ],
        blind=rows[Kind.BLIND],
        degraded=rows[Kind.DEGRADED],
        events=rows[Kind.EVENT],
        epochs=sorted(epochs, key=lambda each: each.at),
        incidents=[incident_row(each, until) for each in known.incidents],
        coverage=[coverage_row(row) for row in covered(record, since, until, "all", LOCAL)],
    )
