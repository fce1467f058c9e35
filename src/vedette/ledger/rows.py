"""What is read from and written into a ledger, as plain values. Times are µs since 1970, UTC, everywhere."""

from __future__ import annotations

import msgspec

from vedette.facts import Gap, Incident

__all__ = [
    "UNUSED",
    "Begun",
    "Counters",
    "LedgerGap",
    "LedgerIncident",
    "LedgerNode",
    "LedgerWatch",
    "WatchChange",
]


class LedgerGap(Gap, frozen=True, kw_only=True):
    """A gap, and the node that wrote it."""

    node: str


class LedgerIncident(Incident, frozen=True, kw_only=True):
    """An incident, and the node that wrote it."""

    node: str


class LedgerWatch(msgspec.Struct, frozen=True, kw_only=True):
    """A period in which ``node`` was responsible for ``camera``; ``end`` None while it is."""

    node: str
    camera: str
    host: str
    start: int
    end: int | None = None


class LedgerNode(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of a node's latest life.

    ``life`` counts its starts. Everything up to ``heartbeat`` is in the ledger. ``stopped`` is None while it
    runs, and after it died without a word; which of the two, nobody but its lock can tell.
    """

    node: str
    life: int
    started: int
    heartbeat: int
    stopped: int | None = None
    version: str = ""


class WatchChange(msgspec.Struct, frozen=True, kw_only=True):
    """A camera is watched from ``at`` on, or, with ``host`` None, is not any more."""

    camera: str
    at: int
    host: str | None = None


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that are never used twice: a camera's newest epoch (-1: none yet) and its next track id."""

    epoch: int
    next_track_id: int


UNUSED = Counters(epoch=-1, next_track_id=1)
"""Those of a camera that never was."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What a node goes on from.

    ``epochs``: per camera the newest epoch any earlier life may have used; the next is one more.
    ``next_track_ids``: the first that no earlier life can have used. ``not_before``: the earliest ledger time
    this life may write, which is later than now where the clock was set back. ``downtime``: the rows, written
    already, for the time the node was away. ``incidents``: those that were still open, closed now.
    """

    node: str
    life: int
    not_before: int
    epochs: dict[str, int]
    next_track_ids: dict[str, int]
    downtime: list[Gap]
    incidents: list[Incident]
