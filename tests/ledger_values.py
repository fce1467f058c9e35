"""Gaps and ledgers for the tests of those who read them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from vedette.causes import Blame, Cause, Kind, kind_of
from vedette.facts import Gap, Incident
from vedette.ledger.rows import LedgerGap
from vedette.ledger.store import Ledger

S = 1_000_000
"""µs of a second."""

NOON = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()) * S

_ids = count()


def gap(camera: str, cause: Cause, start: int, end: int | None, *, detail: str = "", node: str = "") -> Gap:
    """``start``, ``end``: seconds after noon; of the kind that its cause has."""
    values = {
        "id": f"g{next(_ids)}",
        "camera": camera,
        "kind": kind_of(cause),
        "start": NOON + start * S,
        "end": None if end is None else NOON + end * S,
        "cause": cause,
        "blame": Blame.CAMERA,
        "detail": detail,
    }
    if kind_of(cause) is Kind.EVENT:
        values["end"] = values["start"]
    return LedgerGap(**values, node=node) if node else Gap(**values)  # type: ignore[arg-type]


def incident(start: int, end: int | None, cameras: list[str]) -> Incident:
    return Incident(
        id=f"i{next(_ids)}",
        scope="subnet 10.0.0.0/24",
        start=NOON + start * S,
        end=None if end is None else NOON + end * S,
        cause=Cause.UNREACHABLE,
        cameras=cameras,
    )


def write_ledger(
    path: Path,
    cameras: list[str],
    gaps: list[Gap],
    heartbeat: int,
    incidents: list[Incident] | None = None,
    node: str = "node",
    began: int = NOON,
) -> Path:
    """A ledger whose node watched ``cameras`` from ``began`` on, and was killed when it was last heard of, at
    ``heartbeat``; both in µs."""
    with Ledger.open(path) as ledger:
        ledger.begin(node, dict.fromkeys(cameras, "10.0.0.1"), began)
        ledger.write(heartbeat=heartbeat, gaps=gaps, incidents=incidents or [])
    return path
