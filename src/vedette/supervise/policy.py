"""What to do with a worker: a pure function of what is known of it and the time. The supervisor performs.

A worker that is silent hangs, is stopped, or is starved by a busy machine. Those that are starved live on:
they run, or wait for a core or a disk. One that dies again and again is quarantined: it is tried rarely, so
that neither the machine nor those who read the log wear themselves out on it; the rest of the node goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

__all__ = ["Action", "Health", "Verdict", "decide", "quarantine_lasts"]

START_WITHIN_S = 120.0
"""Compiling a model for a device may take a minute; a worker that says nothing for two is stuck."""

BEAT_WITHIN_S = 10.0
"""Workers beat ten times a second; one that is silent for a hundred beats hangs, whatever it is busy with.
The time in which it waited for a core is not counted: others had it."""

STARVED_MOST_S = 60.0
"""A worker that turns in an endless loop waits for cores, too, where they are short."""

STILL_WITHIN_S = 2.0
"""One that is silent and was seen to do nothing at all for so long hangs: twenty beats were due meanwhile,
and who is starved waits for a core, which is not nothing."""

STOPPED_WITHIN_S = 2.0
"""Somebody may have a reason to stop a process for a moment."""

TERMINATE_WITHIN_S = 0.3
"""A worker that can still hear is told to end before it is killed."""

RESPAWN_FIRST_S = 0.1
RESPAWN_MOST_S = 30.0
FORGIVE_AFTER_S = 60.0
"""Deaths longer ago than this make nobody wait; and a worker that lived for so long between two has begun
afresh."""

BUDGET = 12
BUDGET_WITHIN_S = 300.0
"""So many deaths within so many seconds are more than bad luck. The waits between them take a minute: what
mends by itself (a driver that starts again, a file that is just being replaced) often has by then."""

QUARANTINE_FIRST_S, QUARANTINE_MOST_S = 600.0, 3600.0
DETECTOR_FIRST_S, DETECTOR_MOST_S = 60.0, 600.0
"""Of an inference worker: a node without a detector is of no use to anybody."""

STEADY_AFTER_S = 60.0
"""A worker that was in quarantine has lived for so long: it is a worker like any other."""

SUPERVISOR_LATE_S = 2.0
"""If our own last look was longer ago, the machine was asleep or starved: old signs of life prove nothing."""


class Action(Enum):
    LEAVE = "leave"
    TERMINATE = "terminate"
    KILL = "kill"
    RESPAWN = "respawn"
    QUARANTINE = "quarantine"
    """Start it no more for :func:`quarantine_lasts` seconds."""
    RELEASE = "release"
    """It lives: forget that it was in quarantine."""


@dataclass(frozen=True)
class Health:
    """What is known of a worker; all times in monotonic seconds, 0.0 = never.

    ``deaths``: when it died lately. ``batch_started``/``batch_limit``: the running batch of an inference
    worker and how many seconds it may take. ``stopped_since``, ``still_since``: since when its process has
    been seen stopped, or doing nothing: neither running nor waiting for a core or a disk. ``told_at``: when
    it was asked to end. ``starved``: seconds of its silence in which a thread of it waited for a core.

    ``quarantines``: how often in a row it was quarantined; ``quarantined_at``: since when it is, 0.0 while it
    is being tried. ``essential``: nobody sees anything without it.
    """

    alive: bool
    ready: bool
    spawned_at: float
    beat_at: float
    deaths: tuple[float, ...] = ()
    batch_started: float = 0.0
    batch_limit: float = 0.0
    stopped_since: float = 0.0
    still_since: float = 0.0
    told_at: float = 0.0
    starved: float = 0.0
    quarantined_at: float = 0.0
    quarantines: int = 0
    essential: bool = False


@dataclass(frozen=True)
class Verdict:
    action: Action
    why: str = ""


_LEAVE = Verdict(Action.LEAVE)


def decide(health: Health, now: float, last_look: float) -> Verdict:
    """What to do now. ``last_look``: when the supervisor last decided, to know whether it was late itself."""
    if not health.alive:
        return _after_death(health, now)
    if health.told_at and now - health.told_at > TERMINATE_WITHIN_S:
        return Verdict(Action.KILL, "it was told to end, and did not")
    if now - last_look > SUPERVISOR_LATE_S:
        return _LEAVE
    if health.stopped_since and now - health.stopped_since > STOPPED_WITHIN_S:
        # It hears nothing but this.
        return Verdict(Action.KILL, f"its process was stopped for {STOPPED_WITHIN_S:g} s")
    why = _hangs(health, now) if health.ready else _does_not_start(health, now)
    if why:
        return _LEAVE if health.told_at else Verdict(Action.TERMINATE, why)
    if health.quarantines and health.ready and now - health.spawned_at > STEADY_AFTER_S:
        return Verdict(Action.RELEASE)
    return _LEAVE


def quarantine_lasts(quarantines: int, *, essential: bool) -> float:
    """Seconds until a worker is tried again that is quarantined for the ``quarantines``-th time in a row."""
    first, most = (
        (DETECTOR_FIRST_S, DETECTOR_MOST_S) if essential else (QUARANTINE_FIRST_S, QUARANTINE_MOST_S)
    )
    return min(most, first * 2.0 ** min(quarantines - 1, 16))


def _does_not_start(health: Health, now: float) -> str:
    return f"not ready after {START_WITHIN_S:.0f} s" if now - health.spawned_at > START_WITHIN_S else ""


def _hangs(health: Health, now: float) -> str:
    """What shows that it does; empty where nothing does."""
    if health.batch_started and now - health.batch_started > health.batch_limit > 0:
        return f"a batch took longer than detector.timeout ({health.batch_limit:g} s)"
    beat_at = max(health.beat_at, health.spawned_at)
    silent = now - beat_at
    if silent - min(health.starved, silent) > BEAT_WITHIN_S or silent > STARVED_MOST_S:
        return f"no sign of life for {silent:.0f} s"
    if health.still_since and now - max(health.still_since, beat_at) > STILL_WITHIN_S:
        return f"no sign of life for {STILL_WITHIN_S:g} s, in which its process did nothing"
    return ""


def _after_death(health: Health, now: float) -> Verdict:
    if health.quarantined_at:
        lasts = quarantine_lasts(health.quarantines, essential=health.essential)
        return Verdict(Action.RESPAWN) if now - health.quarantined_at >= lasts else _LEAVE
    recent = [at for at in health.deaths if now - at < FORGIVE_AFTER_S]
    if health.quarantines and recent and recent[-1] >= health.spawned_at:
        return Verdict(Action.QUARANTINE, "it died again when it was tried")
    failed = _in_a_row(health.deaths, now)
    if failed >= BUDGET:
        return Verdict(Action.QUARANTINE, f"{failed} deaths in {BUDGET_WITHIN_S / 60:.0f} min")
    if not recent:
        return Verdict(Action.RESPAWN)
    wait = min(RESPAWN_MOST_S, RESPAWN_FIRST_S * 2.0 ** (len(recent) - 1))
    return Verdict(Action.RESPAWN) if now - recent[-1] >= wait else _LEAVE


def _in_a_row(deaths: tuple[float, ...], now: float) -> int:
    """How many of the latest deaths lie in the budget's time, with no longer life between any two."""
    if not deaths or now - deaths[-1] > FORGIVE_AFTER_S:
        return 0
    count = 1
    for later, earlier in pairwise(reversed(deaths)):
        if later - earlier > FORGIVE_AFTER_S or now - earlier > BUDGET_WITHIN_S:
            break
        count += 1
    return count
