"""A node of sixteen workers that are watched and replaced as the product does it, sample by sample."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.resources.world import EVERY_S, Leaking, Life, Node, lives
from vedette.supervise.leaks import Leaks, watched
from vedette.supervise.recycle import GiveUpChurning, Look, Replace, State, decide
from vedette.supervise.seen import Kind, Limits, Measure, Seen

__all__ = ["LOOP_COLUMNS", "looped"]

WORKERS = 16
WARM_S = 60.0
"""From the decision until the other worker took over: long, because a model may have to be compiled."""
LIMITS = Limits(
    most={Measure.MEMORY: 1e9, Measure.FILES: 1024.0, Measure.THREADS: 500.0}, lifetime=86_400.0, apart=600.0
)
LOOP_COLUMNS = {
    "leak in 1 of 16": "{leak}",
    "worker-days": "{days:.0f}",
    "replaced: lifetime": "{lifetime}",
    "leak, of the leaker": "{leaker}",
    "leak, of others": "{others}",
    "memory limit": "{memory_limit}",
    "given up": "{given_up}",
    "most a worker had, MB": "{highest_mb:.0f}",
    "samples over the limit of 1000 MB": "{over}",
}


@dataclass
class _Worker:
    name: str
    started_at: float
    life: Life
    leak: Leaking


@dataclass
class _Happened:
    replaced: list[tuple[str, str]] = field(default_factory=list)
    given_up: int = 0
    highest: float = 0.0
    over: int = 0


def looped(name: str, leak: Leaking, nodes: int, hours: float) -> dict[str, Any]:
    """A row: what happened on so many nodes in so many hours each."""
    happened = _Happened()
    for seed in range(nodes):
        _run(np.random.default_rng([11, seed]), leak, hours, happened)
    leaks = [who for who, reason in happened.replaced if reason.startswith("leak_")]
    return {
        "leak": name,
        "days": nodes * WORKERS * hours / 24,
        "lifetime": sum(reason == "lifetime" for _, reason in happened.replaced),
        "memory_limit": sum(reason == "memory_limit" for _, reason in happened.replaced),
        "leaker": leaks.count("camera-0"),
        "others": len(leaks) - leaks.count("camera-0"),
        "given_up": happened.given_up,
        "highest_mb": happened.highest / 1e6,
        "over": happened.over,
    }


def _run(rng: np.random.Generator, leak: Leaking, hours: float, happened: _Happened) -> None:
    node, draws = Node.drawn(rng), random.Random(int(rng.integers(2**31)))
    workers = [
        _begun(rng, node, f"camera-{number}", 0.0, leak if number == 0 else Leaking())
        for number in range(WORKERS)
    ]
    leaks, state, turning, done_at = Leaks(), State(), "", 0.0
    for step in range(round(hours * 3600 / EVERY_S)):
        now = step * EVERY_S
        if turning and now >= done_at:
            workers = [
                _begun(rng, node, each.name, now, each.leak) if each.name == turning else each
                for each in workers
            ]
            turning = ""
        seen = tuple(_seen(each, now) for each in workers)
        highest = float(max(each.uss or 0 for each in seen))
        happened.highest = max(happened.highest, highest)
        happened.over += highest >= LIMITS.most[Measure.MEMORY]
        leaks = watched(leaks, seen, LIMITS, now)
        look = Look(workers=seen, leaks=leaks.found, under_way=bool(turning))
        state, decision = decide(state, look, LIMITS, now, draws)
        happened.given_up += isinstance(decision, GiveUpChurning)
        if isinstance(decision, Replace):
            happened.replaced.append((decision.worker, decision.reason.value))
            turning, done_at = decision.worker, now + WARM_S


def _begun(rng: np.random.Generator, node: Node, name: str, now: float, leak: Leaking) -> _Worker:
    return _Worker(name, now, lives(rng, node, now / 3600, 25.0, leak), leak)


def _seen(worker: _Worker, now: float) -> Seen:
    sample = round((now - worker.started_at) / EVERY_S)
    life = worker.life
    return Seen(
        name=worker.name,
        kind=Kind.CAMERA,
        started_at=worker.started_at,
        uss=int(life.memory[sample]),
        files=int(life.files[sample]),
        threads=int(life.threads[sample]),
    )
