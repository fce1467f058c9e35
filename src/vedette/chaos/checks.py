"""What must hold over a whole run, whatever went wrong in it. Each check is a sentence for what does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vedette.errors import LedgerError
from vedette.facts import Outcome, WorkerEnded

__all__ = ["ages", "ledger", "outcomes", "tracks", "workers"]

AGE_TOLERANCE_S = 0.005
"""A result is judged a moment before it leaves."""


def outcomes(report: Mapping[str, Any]) -> list[str]:
    """Every frame received ended as exactly one thing. ``report``: of a node that has stopped."""
    problems = []
    for name, camera in report["cameras"].items():
        frames = camera["frames"]
        ended = sum(frames[outcome.value] for outcome in Outcome)
        if frames["received"] != ended or frames["in_flight"]:
            problems.append(
                f"camera {name}: received {frames['received']}, outcomes {ended}, "
                f"in flight {frames['in_flight']}"
            )
    return problems


def ledger(target: str, node: str, since: int) -> list[str]:
    """Gaps and the time seen partition the time watched. ``since``: µs since 1970, the start of the run."""
    from vedette.ledger.audit import partition_problems
    from vedette.ledger.store import Ledger  # heavy, and not needed to judge

    try:
        with Ledger.open(target, migrate=False) as opened:
            return partition_problems(
                opened.watches(since=since, node=node), opened.gaps(since=since, node=node)
            )
    except LedgerError as error:
        return [str(error)]


def workers(lost: Iterable[WorkerEnded]) -> list[str]:
    return [f"worker {each.worker} died ({each.detail or f'exit code {each.exit_code}'})" for each in lost]


def ages(oldest: Mapping[str, float], max_age: Mapping[str, float]) -> list[str]:
    """Seconds. Only of the cameras in ``max_age``: files may wait."""
    return [
        f"camera {name}: a result was {age:.3f} s old, {max_age[name]:g} s at most"
        for name, age in sorted(oldest.items())
        if name in max_age and age > max_age[name] + AGE_TOLERANCE_S
    ]


def tracks(reused: Mapping[str, set[int]]) -> list[str]:
    return [f"camera {name}: {len(ids)} track ids live in two epochs" for name, ids in sorted(reused.items())]
