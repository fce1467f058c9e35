"""What is asked of a ledger, and the answer: rows that end where knowledge of them ends. Pure.

What a node has open is true up to its last heartbeat. While it runs that is a moment ago. Of one that does
not run, nobody knows what happened since: such time is neither seen nor blind but unknown, until the node's
next start accounts for it as ``node_down``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeVar

import msgspec

from vedette.causes import Cause
from vedette.ledger.coverage import Bucket, Watch, coverage
from vedette.ledger.rows import LedgerGap, LedgerIncident, LedgerNode, LedgerWatch
from vedette.ledger.when import SECOND

__all__ = ["Covered", "Record", "covered", "known_only"]

RUNS_WITHIN_US = 20 * SECOND
"""A node that was heard of so recently runs; what it has seen since is only not written yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was read of a ledger at one moment."""

    gaps: Sequence[LedgerGap]
    watches: Sequence[LedgerWatch]
    incidents: Sequence[LedgerIncident]
    nodes: Sequence[LedgerNode]


@dataclass(frozen=True, slots=True)
class Covered:
    """A camera of a node in one bucket, in µs. ``seen`` and ``blind`` make up ``watched``; ``unknown`` lies
    beside it."""

    node: str
    camera: str
    start: int
    end: int
    watched: int
    seen: int
    unknown: int
    blind: Mapping[Cause, int]

    @property
    def share(self) -> float | None:
        """Seen of watched; None where nothing is known."""
        return self.seen / self.watched if self.watched else None

    @property
    def sure(self) -> float:
        """Seen of all that should have been: what is unknown counts as not seen."""
        whole = self.watched + self.unknown
        return self.seen / whole if whole else 1.0


_Open = TypeVar("_Open", LedgerGap, LedgerWatch, LedgerIncident)


def known_only(record: Record, until: int) -> Record:
    """The same, with what is open of nodes that do not run ended where they were last heard of."""
    heard = silent(record.nodes, until)
    return Record(
        _ended(record.gaps, heard),
        _ended(record.watches, heard),
        _ended(record.incidents, heard),
        record.nodes,
    )


def silent(nodes: Iterable[LedgerNode], until: int) -> dict[str, int]:
    """Nodes of which nothing is known up to ``until`` (µs), and when they were last heard of. One that said
    goodbye is silent at once."""

    def gone(node: LedgerNode) -> bool:
        patience = 0 if node.stopped is not None else RUNS_WITHIN_US
        return until - node.heartbeat > patience

    return {node.node: node.heartbeat for node in nodes if gone(node)}


def _ended(rows: Sequence[_Open], heard: Mapping[str, int]) -> list[_Open]:
    return [
        msgspec.structs.replace(row, end=max(row.start, heard[row.node]))
        if row.end is None and row.node in heard
        else row
        for row in rows
    ]


def covered(record: Record, since: int, until: int, bucket: Bucket, zone: tzinfo) -> list[Covered]:
    """Coverage of each camera of each node, by node, camera and bucket."""
    known = known_only(record, until)
    heard = silent(record.nodes, until)
    rows: list[Covered] = []
    for node in sorted({watch.node for watch in record.watches}):
        watches = [watch for watch in known.watches if watch.node == node]
        gaps = [gap for gap in known.gaps if gap.node == node]
        # Time after the last heartbeat, by the same arithmetic: as if it were watched by somebody else.
        tails = [
            Watch(watch.camera, max(watch.start, heard[node]), None)
            for watch in record.watches
            if watch.node == node and watch.end is None and node in heard
        ]
        unknown = {
            (row.camera, row.start): row.watched for row in coverage(tails, [], since, until, bucket, zone)
        }
        found = {(row.camera, row.start): row for row in coverage(watches, gaps, since, until, bucket, zone)}
        for row in coverage([*watches, *tails], [], since, until, bucket, zone):
            key = row.camera, row.start
            part = found.get(key)
            watched, seen, blind = (part.watched, part.seen, part.blind) if part else (0, 0, {})
            if watched or unknown.get(key):
                rows.append(
                    Covered(node, row.camera, row.start, row.end, watched, seen, unknown.get(key, 0), blind)
                )
    return rows
