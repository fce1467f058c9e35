"""When the detector at work is held to labelled pictures: when it is due, and nobody needs the machine. Pure.

It runs at the lowest priority there is, so cameras would hardly feel it; but caches and memory are shared,
and where a camera has less than it asked for already, even that is too much. Times are Unix seconds: what is
due once a day stays so over restarts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vedette.ladder.pressure import CPU_FREE, DETECTOR_BUSY

__all__ = [
    "Capacity",
    "Decision",
    "Postpone",
    "Start",
    "State",
    "began",
    "decide",
    "due_now",
    "ended",
    "gives_way",
]

CALM_S = 30.0
"""Loads are of about a second, and a quiet second is no idle machine."""

TELL_AFTER_S = 6 * 3600.0
"""A night is quiet almost anywhere; who has none should know that nothing is looked at."""

AGAIN_AFTER_S = 3600.0
"""After one that failed: whatever was wrong may last."""

MEMORY_LEAST = 600_000_000
"""Bytes: about twice what the process takes with a small model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The node at one moment. ``well``: all workers work, and none is being replaced. ``thinned``: cameras
    for which less is done than was asked for. ``smaller``: so is the detector's input. ``detector``,
    ``cpu``: shares that are busy. ``memory``: bytes that are left; None where that is not known."""

    well: bool = True
    thinned: int = 0
    smaller: bool = False
    detector: float = 0.0
    cpu: float = 0.0
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """``calm_since``: the machine is idle; None while it is not. ``waiting_since``: it is due, and cannot be;
    ``told``: that this takes long."""

    due: float
    calm_since: float | None = None
    waiting_since: float | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Now."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """Told once: it has been due since then, and cannot be."""

    since: float
    why: str


Decision = Start | Postpone


def began(now: float, every: float, last: float | None) -> State:
    """``last``: when it was done last, and passed; None where it is to be done soon."""
    # A clock that was wrong then must not put it off for years.
    return State(now if last is None else min(last, now) + every)


def due_now(state: State, now: float) -> State:
    """Another detector is at work."""
    return replace(state, due=min(state.due, now))


def ended(now: float, every: float, *, failed: bool = False) -> State:
    """``failed``: it came to no result, and is to be tried again."""
    return State(now + (min(every, AGAIN_AFTER_S) if failed else every))


def decide(state: State, capacity: Capacity, now: float, every: float) -> tuple[State, Decision | None]:
    """What to do now, while it is not being done."""
    # The clock may have been set back since.
    state = replace(state, due=min(state.due, now + every))
    why = busy(capacity)
    calm = None if why else min(now, now if state.calm_since is None else state.calm_since)
    state = replace(state, calm_since=calm)
    if now < state.due:
        return replace(state, waiting_since=None, told=False), None
    if calm is not None and now - calm >= CALM_S:
        return State(state.due), Start()
    since = now if state.waiting_since is None else min(now, state.waiting_since)
    state = replace(state, waiting_since=since)
    if why and not state.told and now - since >= min(TELL_AFTER_S, every):
        return replace(state, told=True), Postpone(since, why)
    return state, None


def busy(capacity: Capacity) -> str:
    """Why this is no time to begin; empty where it is one."""
    if why := gives_way(capacity):
        return why
    if capacity.detector >= DETECTOR_BUSY:
        return "the detector has no rest"
    if capacity.cpu >= CPU_FREE:
        return f"{capacity.cpu:.0%} of the machine's cores are in use"
    if capacity.memory is not None and capacity.memory < MEMORY_LEAST:
        return f"only {capacity.memory / 1e6:.0f} MB of memory are left"
    return ""


def gives_way(capacity: Capacity) -> str:
    """Why one that is under way must end; empty where it may go on.

    Busy cores are no reason: they may be its own.
    """
    if not capacity.well:
        return "a worker is being started or replaced"
    if capacity.thinned:
        return f"{capacity.thinned} cameras have less than they asked for"
    return "the detector's input is smaller than it should be" if capacity.smaller else ""
