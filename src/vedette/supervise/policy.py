"""What to do with a worker: a pure function of what is known of it and the time. The supervisor performs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Action", "Health", "Verdict", "decide"]

START_WITHIN_S = 120.0
"""Compiling a model for a device may take a minute; a worker that says nothing for two is stuck."""

BEAT_WITHIN_S = 10.0
"""Workers beat ten times a second; one that is silent for a hundred beats hangs."""

RESPAWN_FIRST_S = 0.1
RESPAWN_MOST_S = 30.0
FORGIVE_AFTER_S = 60.0
"""Deaths longer ago than this do not count against a worker."""

SUPERVISOR_LATE_S = 2.0
"""If our own last look was longer ago, the machine was asleep or starved: old signs of life prove nothing."""


class Action(Enum):
    LEAVE = "leave"
    KILL = "kill"
    RESPAWN = "respawn"


@dataclass(frozen=True)
class Health:
    """What is known of a worker; all times in monotonic seconds, 0.0 = never.

    ``deaths``: when it died lately. ``batch_started``/``batch_limit``: the running batch of an inference
    worker and how many seconds it may take.
    """

    alive: bool
    ready: bool
    spawned_at: float
    beat_at: float
    deaths: tuple[float, ...] = ()
    batch_started: float = 0.0
    batch_limit: float = 0.0


@dataclass(frozen=True)
class Verdict:
    action: Action
    why: str = ""


_LEAVE = Verdict(Action.LEAVE)


def decide(health: Health, now: float, last_look: float) -> Verdict:
    """What to do now. ``last_look``: when the supervisor last decided, to know whether it was late itself."""
    if not health.alive:
        return _after_death(health, now)
    if now - last_look > SUPERVISOR_LATE_S:
        return _LEAVE
    if not health.ready:
        if now - health.spawned_at > START_WITHIN_S:
            return Verdict(Action.KILL, f"not ready after {START_WITHIN_S:.0f} s")
        return _LEAVE
    if health.batch_started and now - health.batch_started > health.batch_limit > 0:
        return Verdict(Action.KILL, f"a batch took longer than detector.timeout ({health.batch_limit:g} s)")
    if now - max(health.beat_at, health.spawned_at) > BEAT_WITHIN_S:
        return Verdict(Action.KILL, f"no sign of life for {BEAT_WITHIN_S:.0f} s")
    return _LEAVE


def _after_death(health: Health, now: float) -> Verdict:
    recent = [at for at in health.deaths if now - at < FORGIVE_AFTER_S]
    if not recent:
        return Verdict(Action.RESPAWN)
    wait = min(RESPAWN_MOST_S, RESPAWN_FIRST_S * 2.0 ** (len(recent) - 1))
    return Verdict(Action.RESPAWN) if now - recent[-1] >= wait else _LEAVE
