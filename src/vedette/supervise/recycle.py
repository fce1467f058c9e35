"""Which worker is replaced, and why: a pure function of what is seen of them. The supervisor performs.

One at a time. What is close to its hard limit goes first, then whom the operator named, then leaks, then age.
All but the first two keep their distance, so that a node never restarts all of itself at once. A worker is
replaced by starting another beside it, so there must be room for two; where there is none it is said, once,
and the next one is looked at.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vedette.supervise.leaks import Leak
from vedette.supervise.seen import Limits, Measure, Seen

__all__ = ["Decision", "GiveUpChurning", "Look", "Postpone", "Reason", "Replace", "State", "decide"]

LIMIT_SHARE = 0.9
"""A worker is replaced here, so that it does not pass its limit while the other one warms up."""

LIFETIME_LEAST_SHARE = 0.75
"""Lifetimes are drawn between this and the whole: workers that started together do not end together."""

APART_STRETCH = 0.5
"""Jitter only ever stretches the distance between two replacements."""

FRESH_S = 60.0
"""A younger worker is replaced for nothing but its hard limit and an operator who asks after its start."""

AGAIN_S = 60.0
"""After so long a replacement that failed is tried again, and one replaced that is at its limit already."""

NAMES_MOST = 1024
"""Workers that are remembered; there are at most a few hundred at a time."""

MARGIN_BYTES = 128e6
MARGIN_SHARE = 0.1
"""Room is left for more than a second worker of this size: the node must not be what memory ends at."""


class Reason(StrEnum):
    """Why a worker is replaced, most urgent first."""

    MEMORY_LIMIT = "memory_limit"
    OPERATOR = "operator"
    LEAK_GPU = "leak_gpu"
    LEAK_MEMORY = "leak_memory"
    LEAK_FILES = "leak_files"
    LEAK_THREADS = "leak_threads"
    FRAMES = "frames"
    LIFETIME = "lifetime"


_AT_ONCE = (Reason.MEMORY_LIMIT, Reason.OPERATOR)
_RANK = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Replace:
    """Start another in its place. ``detail``: figures, for people."""

    worker: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Postpone:
    """It should be replaced and cannot be now. Told once for each instance, reason and obstacle."""

    worker: str
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class GiveUpChurning:
    """It leaks as fast as the instance before it: it is not replaced for this leak any more."""

    worker: str
    measure: Measure
    detail: str


Decision = Replace | Postpone | GiveUpChurning


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is known of the node. ``workers``: those that run, without replacements that still warm up.

    ``available``, ``gpu_available``: bytes that are free on the machine and on the device, None = not known.
    ``under_way``: whether a replacement is being made. ``requests``: by worker, when an operator asked for
    it, in monotonic seconds; met by an instance that started later, and may stay here after that.
    """

    workers: tuple[Seen, ...]
    leaks: Mapping[str, tuple[Leak, ...]] = field(default_factory=dict)
    available: int | None = None
    gpu_available: int | None = None
    under_way: bool = False
    requests: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Name:
    """What is remembered of a worker. ``share`` of its lifetime and frames: drawn once for each instance."""

    started_at: float
    share: float
    said: frozenset[tuple[Reason, str]] = frozenset()
    decided_at: float = -math.inf
    given_up: frozenset[Measure] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered. ``planned_after``: no planned replacement before, in monotonic seconds."""

    names: Mapping[str, _Name] = field(default_factory=dict)
    planned_after: float = -math.inf


@dataclass(frozen=True, slots=True)
class _Case:
    seen: Seen
    reason: Reason
    detail: str
    soon: float
    """Smaller goes first among those with the same reason."""
    leak: Leak | None = None


def decide(
    state: State, look: Look, limits: Limits, now: float, rng: random.Random
) -> tuple[State, Decision | None]:
    """What to do now, at most one thing; to be called every few seconds, ``now`` in monotonic seconds.

    The caller performs a :class:`Replace` and says ``under_way`` until the other one took over or failed.
    """
    state = _known(state, look, rng)
    if look.under_way:
        return state, None
    for case in _cases(state, look, limits, now):
        name = state.names[case.seen.name]
        if case.leak is not None and case.leak.again:
            return _give_up(state, name, case.seen, case.leak)
        obstacle = _obstacle(case.seen, look)
        if obstacle is None:
            return _replace(state, name, case, limits, now, rng)
        if (case.reason, obstacle[0]) not in name.said:
            said = replace(name, said=name.said | {(case.reason, obstacle[0])})
            return _with(state, case.seen, said), Postpone(case.seen.name, case.reason, obstacle[1])
    return state, None


def _known(state: State, look: Look, rng: random.Random) -> State:
    """A name outlives its worker, which may be dead just now."""
    seen = {each.name: _name(state, look, each, rng) for each in look.workers}
    gone = {name: each for name, each in state.names.items() if name not in seen}
    return replace(state, names=dict([*gone.items(), *seen.items()][-NAMES_MOST:]))


def _name(state: State, look: Look, seen: Seen, rng: random.Random) -> _Name:
    name = state.names.get(seen.name)
    # An instance that lived long enough to be judged and did not leak ends the giving up: see leaks.before.
    cured = {leak.measure for leak in look.leaks.get(seen.name, ()) if leak.before is None}
    if name is None:
        return _Name(seen.started_at, rng.uniform(LIFETIME_LEAST_SHARE, 1.0))
    if name.started_at != seen.started_at:
        share = rng.uniform(LIFETIME_LEAST_SHARE, 1.0)
        name = replace(name, started_at=seen.started_at, share=share, said=frozenset())
    return replace(name, given_up=name.given_up - cured) if name.given_up & cured else name


def _with(state: State, seen: Seen, name: _Name) -> State:
    return replace(state, names={**state.names, seen.name: name})


def _cases(state: State, look: Look, limits: Limits, now: float) -> list[_Case]:
    """All that should be replaced, in the order in which they should be."""
    found = [
        case
        for seen in look.workers
        if seen.ready and now - state.names[seen.name].decided_at >= AGAIN_S
        for case in _reasons(state.names[seen.name], seen, look, limits, now)
        if case.reason in _AT_ONCE or (now >= state.planned_after and now - seen.started_at >= FRESH_S)
    ]
    return sorted(found, key=lambda case: (_RANK[case.reason], case.soon, case.seen.name))


def _reasons(name: _Name, seen: Seen, look: Look, limits: Limits, now: float) -> Iterator[_Case]:
    yield from _close_to_a_limit(seen, limits)
    if look.requests.get(seen.name, -math.inf) > seen.started_at:
        yield _Case(seen, Reason.OPERATOR, "an operator asked for it", look.requests[seen.name])
    for leak in look.leaks.get(seen.name, ()) if limits.leak else ():
        if leak.urgent and leak.measure not in name.given_up:
            yield _Case(seen, Reason(f"leak_{leak.measure}"), _rate(leak), leak.forecast_s, leak)
    if limits.frames is not None and seen.frames >= limits.frames * name.share:
        yield _Case(seen, Reason.FRAMES, f"{seen.frames} frames handled", -seen.frames)
    age = now - seen.started_at
    if limits.lifetime is not None and age >= limits.lifetime * name.share:
        yield _Case(seen, Reason.LIFETIME, f"{age / 3600:.1f} h old", -age)


def _close_to_a_limit(seen: Seen, limits: Limits) -> Iterator[_Case]:
    for measure in (Measure.MEMORY, Measure.GPU):
        amount, most = seen.amount(measure), limits.most.get(measure)
        if amount is not None and most is not None and amount >= LIMIT_SHARE * most:
            where = " on the GPU" if measure is Measure.GPU else ""
            detail = f"{measure.written(amount)}{where} of {measure.written(most)}"
            yield _Case(seen, Reason.MEMORY_LIMIT, detail, -amount / most)


def _obstacle(seen: Seen, look: Look) -> tuple[str, str] | None:
    """A key and a sentence; None = it can be replaced now."""
    if not seen.movable:
        return "movable", "what it does cannot be handed over before it ends"
    for key, amount, available in (
        ("memory", seen.uss, look.available),
        ("GPU memory", seen.gpu, look.gpu_available),
    ):
        if not amount or available is None:
            continue
        need = amount + max(MARGIN_BYTES, MARGIN_SHARE * amount)
        if available < need:
            have = Measure.MEMORY.written(available)
            return key, f"no room for two: {have} of {key} available, {Measure.MEMORY.written(need)} needed"
    return None


def _replace(
    state: State, name: _Name, case: _Case, limits: Limits, now: float, rng: random.Random
) -> tuple[State, Decision]:
    state = _with(state, case.seen, replace(name, decided_at=now))
    # Whatever the reason: the next planned one keeps its distance from this one too.
    after = now + limits.apart * (1.0 + APART_STRETCH * rng.random())
    return replace(state, planned_after=after), Replace(case.seen.name, case.reason, case.detail)


def _give_up(state: State, name: _Name, seen: Seen, leak: Leak) -> tuple[State, Decision]:
    name = replace(name, given_up=name.given_up | {leak.measure})
    detail = f"{_rate(leak)}; {leak.measure.written(leak.before or 0.0)} before it was replaced"
    return _with(state, seen, name), GiveUpChurning(seen.name, leak.measure, detail)


def _rate(leak: Leak) -> str:
    hours = leak.forecast_s / 3600
    return f"{leak.measure.written(leak.slope_per_hour)} an hour, {hours:.0f} h to the limit"
