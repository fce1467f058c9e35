"""What counts as too much for the node, said with its numbers; and what counts as rest."""

from __future__ import annotations

from dataclasses import dataclass

from vedette.ladder.steps import Load

__all__ = ["Pressure", "Seen", "eased", "pressure", "rested", "seen"]

BUSY = 0.92
"""Share of the time without rest beyond which a loop cannot even out what comes in bursts."""
LATE_S, RESTED_LATE_S = 0.25, 0.15
AGE, RESTED_AGE = 0.5, 0.35
"""Shares of ``max_age``."""
EXPIRED, RESTED_EXPIRED = 0.02, 0.01

SURE_BUSY_S = 0.9
"""Three samples half a second apart. The load is measured over a second, so that one is at its end."""
SURE_LATE_S = 1.4
"""What is measured as the worst of a second shows in two or three samples if it happened once."""

FAR_BUSY, FAR_LATE_S, FAR_EXPIRED = 0.98, 0.6, 0.15
"""So far beyond what can be done that to feel one's way down would take too long."""

DETECTOR_BUSY = 0.9
CPU_FREE = 0.85
"""Cores in use below which a detector that is late is not late for want of a core."""

FELL_WELL = 0.2
"""A fall by so much, of all there is, is no noise of a measurement over a second."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """``why``: a sentence. ``workers``: those that have no rest. ``sure_after``: seconds it must last to be
    believed. ``far``: it is not a little too much. ``detector``: the detector's alone, with cores to spare;
    to decode less would not help it."""

    why: str
    workers: frozenset[int]
    sure_after: float
    far: bool = False
    detector: bool = False


def pressure(load: Load) -> Pressure | None:
    """What is too much now, or None. A detector without rest is not, and neither are cores without rest:
    choosing by age sees to the one, and the other is what cores are for."""
    busy = [worker for worker, share in enumerate(load.busy) if share >= BUSY]
    late = [worker for worker, seconds in enumerate(load.late) if seconds > LATE_S]
    old, expired = load.age > AGE * load.max_age, load.expired > EXPIRED
    if not (busy or late or old or expired):
        return None
    detector = not busy and not late and load.detector >= DETECTOR_BUSY and load.cpu < CPU_FREE
    why = _busy(load, busy) or _late(load, late) or _expired(load, expired) or _old(load)
    sure = SURE_BUSY_S if busy else SURE_LATE_S
    return Pressure(why, frozenset(busy or late), sure, _far(load), detector)


def rested(load: Load) -> bool:
    """Whether nothing is near to being too much, but for the workers' time, which is foretold."""
    return (
        max(load.late, default=0.0) < RESTED_LATE_S
        and load.expired < RESTED_EXPIRED
        and load.age < RESTED_AGE * load.max_age
    )


def _far(load: Load) -> bool:
    without_rest = max(load.busy, default=0.0) >= FAR_BUSY
    return without_rest and (max(load.late, default=0.0) > FAR_LATE_S or load.expired > FAR_EXPIRED)


def _busy(load: Load, workers: list[int]) -> str:
    if not workers:
        return ""
    worst = max(workers, key=lambda worker: load.busy[worker])
    waited = load.waited[worst] / load.busy[worst] if worst < len(load.waited) else 0.0
    return f"cameras-{worst} has no rest ({load.busy[worst]:.0%} busy, {waited:.0%} of it waiting for a core)"


def _late(load: Load, workers: list[int]) -> str:
    if not workers:
        return ""
    worst = max(workers, key=lambda worker: load.late[worker])
    return f"cameras-{worst} is late by up to {load.late[worst] * 1000:.0f} ms"


def _expired(load: Load, expired: bool) -> str:
    return f"{load.expired:.1%} of the frames grow too old with us" if expired else ""


def _old(load: Load) -> str:
    return (
        f"Results take {load.age * 1000:.0f} ms old (95th percentile; {load.max_age * 1000:.0f} are allowed)"
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """The machine at one moment; each is a share of all there is."""

    busy: float
    cpu: float
    age: float


def seen(load: Load) -> Seen:
    return Seen(max(load.busy, default=0.0), load.cpu, load.age / load.max_age if load.max_age else 0.0)


def eased(then: Seen, now: Seen) -> bool:
    """Whether the machine has so much less to do that what failed then may go well now."""
    return (
        now.busy <= then.busy - FELL_WELL
        or now.cpu <= then.cpu - FELL_WELL
        or now.age <= then.age - FELL_WELL
    )
