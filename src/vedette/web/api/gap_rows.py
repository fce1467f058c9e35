"""Rows of the ledger as the API says them: seconds in place of microseconds, and words beside causes.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from vedette.causes import Kind
from vedette.errors import redact
from vedette.ledger.answers import Covered
from vedette.ledger.rows import LedgerGap, LedgerIncident
from vedette.ledger.when import SECOND
from vedette.web.api.rows import Open
from vedette.web.api.words import reason

__all__ = [
    "Coverage",
    "CoverageRow",
    "GapRow",
    "Gaps",
    "IncidentRow",
    "Incidents",
    "coverage_row",
    "gap_row",
    "incident_row",
    "opened",
]


class GapRow(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: blind, degraded or event. ``start``, ``end``: Unix seconds; ``end`` null while it is open.
    ``seconds``: its length so far. ``words``: the cause for people. ``frames_missed``: estimated, null where
    that is not known. ``incident``: the id of what it has in common with others."""

    id: str
    node: str
    camera: str
    kind: str
    cause: str
    words: str
    blame: str
    start: float
    end: float | None
    seconds: float
    detail: str
    frames_missed: int | None
    tracks_cut: int
    epoch_before: int | None
    epoch_after: int | None
    incident: str | None


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """``total``: how many there are, of which ``gaps`` are some, the newest first unless asked otherwise.
    ``heard``: when nodes that do not run now were last heard of, Unix seconds: what those have open is known
    up to then."""

    gaps: list[GapRow]
    total: int
    since: float
    until: float
    heard: Mapping[str, float] = {}


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Cameras that went within seconds of each other. ``scope``: what they share."""

    id: str
    node: str
    scope: str
    cause: str
    words: str
    start: float
    end: float | None
    seconds: float
    cameras: list[str]


class Incidents(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    incidents: list[IncidentRow]
    total: int
    since: float
    until: float


class CoverageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A camera in one bucket. ``seen_s`` and ``blind_s`` make up ``watched_s``; ``unknown_s`` lies beside it.
    ``share``: seen of watched, null where it was not watched; ``sure``: the same with what is unknown as not
    seen. ``causes``: seconds by cause."""

    node: str
    camera: str
    start: float
    end: float
    watched_s: float
    seen_s: float
    blind_s: float
    unknown_s: float
    share: float | None
    sure: float
    causes: Mapping[str, float]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """By node, camera and bucket."""

    coverage: list[CoverageRow]
    since: float
    until: float
    by: str


def gap_row(gap: LedgerGap, now: int) -> GapRow:
    """``now``: µs."""
    return GapRow(
        id=gap.id,
        node=gap.node,
        camera=gap.camera,
        kind=gap.kind.value,
        cause=gap.cause.value,
        words=reason(gap.cause),
        blame=gap.blame.value,
        start=gap.start / SECOND,
        end=None if gap.end is None else gap.end / SECOND,
        seconds=max(0, (now if gap.end is None else gap.end) - gap.start) / SECOND,
        detail=redact(gap.detail),
        frames_missed=gap.frames_missed,
        tracks_cut=gap.tracks_cut,
        epoch_before=gap.epoch_before,
        epoch_after=gap.epoch_after,
        incident=gap.incident,
    )


def incident_row(incident: LedgerIncident, now: int) -> IncidentRow:
    """``now``: µs."""
    end = incident.end
    return IncidentRow(
        id=incident.id,
        node=incident.node,
        scope=incident.scope,
        cause=incident.cause.value,
        words=reason(incident.cause),
        start=incident.start / SECOND,
        end=None if end is None else end / SECOND,
        seconds=max(0, (now if end is None else end) - incident.start) / SECOND,
        cameras=list(incident.cameras),
    )


def coverage_row(covered: Covered) -> CoverageRow:
    return CoverageRow(
        node=covered.node,
        camera=covered.camera,
        start=covered.start / SECOND,
        end=covered.end / SECOND,
        watched_s=covered.watched / SECOND,
        seen_s=covered.seen / SECOND,
        blind_s=(covered.watched - covered.seen) / SECOND,
        unknown_s=covered.unknown / SECOND,
        share=covered.share,
        sure=covered.sure,
        causes={cause.value: time / SECOND for cause, time in covered.blind.items()},
    )


def opened(gaps: Iterable[LedgerGap]) -> dict[str, dict[str, Open]]:
    """By camera and cause: what is open. ``gaps``: of one node."""
    found: dict[str, dict[str, Open]] = {}
    for gap in gaps:
        if gap.end is None and gap.kind is not Kind.EVENT:
            told = Open(gap.cause.value, gap.start / SECOND, redact(gap.detail), gap.incident)
            found.setdefault(gap.camera, {})[gap.cause.value] = told
    return found


def page(gaps: Sequence[LedgerGap], offset: int, limit: int, *, newest: bool) -> Sequence[LedgerGap]:
    """Of rows by their start."""
    ordered = gaps[::-1] if newest else gaps
    return ordered[offset : offset + limit]
