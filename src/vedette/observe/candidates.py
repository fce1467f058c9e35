"""The processes of candidates, as those who look at a node see them: beside the workers, and told apart."""

from __future__ import annotations

import time
from collections.abc import Iterator

from vedette.observe.views import WorkerView
from vedette.roster import Roster
from vedette.supervise.canary import Canary, State
from vedette.supervise.child import Child
from vedette.supervise.shadow import Shadow
from vedette.supervise.usage import Usage
from vedette.workers.table import Table

__all__ = ["candidate_workers", "tried_on"]


def candidate_workers(
    canary: Canary, shadow: Shadow, table: Table, roster: Roster, usage: Usage
) -> Iterator[WorkerView]:
    """Those that run. From any thread."""
    child, trial = canary.child, canary.trial
    if child is not None and trial is not None:
        load = table.loads[table.canary_place]
        watched = sum(roster[index].watched for index in list(canary.has))
        ran = time.monotonic() - trial.started if trial.started else 0.0
        yield _worker(
            *(child, "canary", trial.model, trial.beside.describe, ran, usage),
            busy=float(load["busy"]),
            cameras=watched if trial.started else 0,
        )
    child, candidate = shadow.child, shadow.candidate
    if child is not None and candidate is not None:
        ran = time.monotonic() - candidate.started if candidate.started else 0.0
        busy = float(table.header["shadow_busy"])
        yield _worker(
            child, "shadow", candidate.model, candidate.beside.describe, ran, usage, busy=busy, cameras=0
        )


def _worker(
    child: Child,
    kind: str,
    model: str,
    beside: str,
    ran_s: float,
    usage: Usage,
    *,
    busy: float,
    cameras: int,
) -> WorkerView:
    found = usage.of(child.name)
    known = found is not None and found.pid == child.pid  # else it is of one before
    return WorkerView(
        name=child.name,
        kind=kind,
        pid=child.pid,
        busy=busy,
        cameras=cameras,
        usage=found if known else None,
        peak=usage.peak_of(child.name),
        post=child.post,
        model=model,
        beside=beside,
        ran_s=ran_s,
    )


def tried_on(canary: Canary) -> dict[int, str]:
    """The cameras that a canary detects for now, by index, and its model."""
    trial = canary.trial
    if trial is None or canary.child is None or trial.state in (State.STARTING, State.ENDED):
        return {}
    return dict.fromkeys(list(canary.has), trial.model)
