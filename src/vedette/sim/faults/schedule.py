"""What goes wrong when: a schedule, and the plan drawn from it. Pure: values in, values out."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from vedette.errors import ConfigError
from vedette.sim.faults.kinds import KINDS, Options, Value, number_in, options_of

__all__ = ["EVERY", "Fault", "FaultEvent", "RandomFaults", "Schedule", "Who", "plan"]

EVERY = "*"
"""Camera of an event that strikes the whole server."""

MAX_EVENTS = 100_000
"""A plan is held in memory whole."""


class FaultEvent(msgspec.Struct, frozen=True):
    """One fault of one camera. ``start``, ``end``: seconds from the schedule's beginning; equal for kinds
    that happen at one moment. ``id`` is unique within a plan."""

    id: str
    kind: str
    camera: str
    start: float
    end: float
    options: dict[str, Value] = msgspec.field(default_factory=dict)

    def number(self, option: str) -> float:
        """An option that is a number or a time; 0 where the kind has no such option."""
        return number_in(self.options, option)


@dataclass(frozen=True, slots=True)
class Who:
    """Which cameras: those whose names match a pattern, or a share (0 to 1) of all."""

    patterns: tuple[str, ...] = ("*",)
    share: float | None = None

    def choose(self, cameras: Sequence[str], draw: random.Random) -> list[str]:
        """In the order of ``cameras``; of a share above nothing at least one."""
        if self.share is None:
            return [name for name in cameras if any(fnmatch.fnmatchcase(name, p) for p in self.patterns)]
        count = min(len(cameras), max(1, round(self.share * len(cameras)))) if self.share else 0
        chosen = set(draw.sample(range(len(cameras)), count))
        return [name for index, name in enumerate(cameras) if index in chosen]


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a schedule. Seconds; ``lasts`` None: until the end; ``every`` None: once. ``origin``
    says where it was written."""

    kind: str
    who: Who = field(default_factory=Who)
    at: float = 0.0
    lasts: float | None = None
    every: float | None = None
    options: Options = field(default_factory=dict)
    origin: str = "fault"


@dataclass(frozen=True, slots=True)
class RandomFaults:
    """Every ``every`` seconds from ``at`` on, cameras are chosen, and each gets a kind, a moment and a time
    of ``shortest`` to ``longest`` (≤ ``every``) seconds, so that it is well again before the next round.
    ``same``: they are chosen once."""

    kinds: tuple[str, ...]
    every: float
    shortest: float
    longest: float
    who: Who = field(default_factory=Who)
    at: float = 0.0
    same: bool = False
    origin: str = "random"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Faults over ``duration`` seconds. The same seed and cameras make the same plan."""

    faults: tuple[Fault, ...] = ()
    random: tuple[RandomFaults, ...] = ()
    seed: int = 0
    duration: float = 3600.0


def plan(
    schedule: Schedule, cameras: Sequence[str], duration: float | None = None, seed: int | None = None
) -> list[FaultEvent]:
    """What happens, ordered by start. Nothing starts at or ends after ``duration`` (default: the schedule's).

    Each entry draws from the seed by itself: adding one changes nothing in the others.

    Raises:
        ConfigError: an entry matches no camera, or there would be more than 100 000 events.
    """
    length = schedule.duration if duration is None else duration
    number = schedule.seed if seed is None else seed
    events: list[FaultEvent] = []
    for index, fault in enumerate(schedule.faults):
        for event in _fault_events(fault, index, cameras, length, number):
            _keep(events, event)
    for index, entry in enumerate(schedule.random):
        for event in _random_events(entry, index, cameras, length, number):
            _keep(events, event)
    return sorted(events, key=lambda event: (event.start, event.id))


def _keep(events: list[FaultEvent], event: FaultEvent) -> None:
    if len(events) >= MAX_EVENTS:
        raise ConfigError(f"more than {MAX_EVENTS} faults: make the schedule shorter, or faults rarer")
    events.append(event)


def _fault_events(
    fault: Fault, index: int, cameras: Sequence[str], length: float, seed: int
) -> Iterator[FaultEvent]:
    kind = KINDS[fault.kind]
    options = options_of(kind, {})[0] | fault.options
    for turn, start in enumerate(_starts(fault.at, fault.every, length)):
        draw = random.Random(f"{seed}/{index}/{turn}")
        end = start if kind.moment else min(start + (fault.lasts or length), length)
        for camera in _struck(fault, cameras, draw):
            yield FaultEvent(f"{index}.{turn}.{camera}", fault.kind, camera, start, end, options)


def _struck(fault: Fault, cameras: Sequence[str], draw: random.Random) -> list[str]:
    if KINDS[fault.kind].server:
        return [EVERY]
    if fault.who.share is None:
        _refuse_strangers(fault, cameras)
    return fault.who.choose(cameras, draw)


def _refuse_strangers(entry: Fault | RandomFaults, cameras: Sequence[str]) -> None:
    for number, pattern in enumerate(entry.who.patterns):
        if not fnmatch.filter(cameras, pattern):
            raise ConfigError(f"{entry.origin}.cameras[{number}]: no camera is called so")


def _random_events(
    entry: RandomFaults, index: int, cameras: Sequence[str], length: float, seed: int
) -> Iterator[FaultEvent]:
    if entry.who.share is None:
        _refuse_strangers(entry, cameras)
    for turn, start in enumerate(_starts(entry.at, entry.every, length)):
        draw = random.Random(f"{seed}/random/{index}/{turn}")
        who = random.Random(f"{seed}/random/{index}/{0 if entry.same else turn}/who")
        for camera in entry.who.choose(cameras, who):
            kind = KINDS[draw.choice(entry.kinds)]
            lasts = draw.uniform(entry.shortest, entry.longest)
            begin = start + draw.uniform(0, max(0.0, entry.every - lasts))
            if begin < length:
                end = begin if kind.moment else min(begin + lasts, length)
                yield FaultEvent(
                    f"r{index}.{turn}.{camera}", kind.name, camera, begin, end, options_of(kind, {})[0]
                )


def _starts(at: float, every: float | None, length: float) -> Iterator[float]:
    """Multiplied, not added up, so that nothing drifts."""
    turn = 0
    while (start := at + turn * (every or 0.0)) < length:
        yield start
        if every is None:
            return
        turn += 1
