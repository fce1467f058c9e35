"""Which worker leaks: a rise that is sure, that is more than its peers' or the day's, and that goes on.

Memory rises for many reasons: caches fill after the start, a camera is added, the day is busier than the
night. So of the minima of each 20 minutes (:mod:`~vedette.supervise.history`) the slope is looked at over the
last 6 to 16 hours, once beside what the peers did in each bin, once alone. A worker is *named* when the lower
bound of the first is more than workers differ by, or that of the second more than a day's change of load can
do, at the ends of two bins in a row. A named leak is *urgent* when it would reach the limit within 96 hours:
then it is worth a replacement. Slower ones do no harm in a worker's lifetime.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from vedette.supervise.history import BIN_S, History, bin_of, taken
from vedette.supervise.seen import Kind, Limits, Measure, Seen
from vedette.supervise.slope import Floats, theil_sen

__all__ = ["RULE", "Leak", "Leaks", "Rule", "watched"]

NAMES_MOST = 1024
"""Slopes of earlier instances that are remembered."""

AGAIN_SHARE = 0.5
"""A replacement that leaks at half the rate of the one before, or faster, was no cure."""


_FLOOR = MappingProxyType(
    {Measure.MEMORY: 2.75e6, Measure.GPU: 2.75e6, Measure.FILES: 1.0, Measure.THREADS: 1.0}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Hours of bins that are looked at, and what a rise must be to count. Chosen by simulation."""

    least_hours: float = 6.0
    most_hours: float = 16.0
    z: float = 1.645
    """95%, were each bin independent of the one before; ``hits`` and ``floor`` are for that they are not."""
    hits: int = 2
    """Bins in a row at whose ends it must hold."""
    floor: Mapping[Measure, float] = field(default_factory=lambda: _FLOOR)
    """An hour. What is below is not told from how workers differ from each other; a few descriptors or
    threads that come are less than that over six hours."""
    day_share: float = 0.2
    """Share of its memory by which a worker may swing, from peak to peak, with the load of the day."""
    peers: int = 3
    """So many others of its kind must have been there for the same hours to say what is usual."""
    within_hours: float = 96.0


RULE = Rule()
_OF_THE_DAY = (Measure.MEMORY, Measure.GPU)


@dataclass(frozen=True, slots=True)
class Leak:
    """How one measure of a worker develops; slopes in bytes or numbers an hour.

    ``lower``: its bound less what is explained; above 0 counts. ``forecast_s``: seconds to the limit at this
    slope, ``inf`` = never. ``before``: the slope at which this name leaked before it was last replaced,
    None = it did not.
    """

    measure: Measure
    slope_per_hour: float
    lower: float
    forecast_s: float
    named: bool
    urgent: bool
    before: float | None = None

    @property
    def again(self) -> bool:
        """It leaks as fast as before it was replaced."""
        return self.named and self.before is not None and self.slope_per_hour >= AGAIN_SHARE * self.before


@dataclass(frozen=True, slots=True)
class Leaks:
    """All that is remembered. Not to be changed, only replaced.

    ``found``: by worker, of each measure that could be judged at the end of the last bin; not all of them
    leak. ``before``: see :class:`Leak`.
    """

    histories: Mapping[str, History] = field(default_factory=dict)
    found: Mapping[str, tuple[Leak, ...]] = field(default_factory=dict)
    before: Mapping[tuple[str, Measure], float] = field(default_factory=dict)


def watched(state: Leaks, workers: Iterable[Seen], limits: Limits, now: float, rule: Rule = RULE) -> Leaks:
    """With one more look at all workers; to be called every few seconds, ``now`` in monotonic seconds.

    Workers that are not among them, or began anew, are forgotten but for how fast they leaked.
    """
    workers = list(workers)
    histories = {seen.name: taken(state.histories.get(seen.name), seen, now) for seen in workers}
    ended = [
        name
        for name, history in state.histories.items()
        if name not in histories or histories[name].started_at != history.started_at
    ]
    before = _remembered(state, ended) if ended else state.before
    found = {name: leaks for name, leaks in state.found.items() if name in histories and name not in ended}
    if any(history.filling != bin_of(now) for history in state.histories.values()):
        found = _judged(histories, before, limits, bin_of(now) - 1, rule)
    return Leaks(histories, found, before)


def _remembered(state: Leaks, ended: list[str]) -> Mapping[tuple[str, Measure], float]:
    """An instance that was never judged says nothing: what was known before it stays."""
    before = dict(state.before)
    for name in ended:
        for leak in state.found.get(name, ()):
            before.pop((name, leak.measure), None)
            if leak.named:
                before[name, leak.measure] = leak.slope_per_hour
    return dict(list(before.items())[-NAMES_MOST:])


def _judged(
    histories: Mapping[str, History],
    before: Mapping[tuple[str, Measure], float],
    limits: Limits,
    last: int,
    rule: Rule,
) -> dict[str, tuple[Leak, ...]]:
    """``last``: the number of the bin that was just closed."""
    found: dict[str, tuple[Leak, ...]] = {}
    for measure in Measure:
        rises = _Rises(histories, measure, rule)
        for name in histories:
            leak = _leak(rises, name, limits.most.get(measure), before.get((name, measure)), last, rule)
            if leak is not None:
                found[name] = (*found.get(name, ()), leak)
    return found


def _leak(
    rises: _Rises, name: str, limit: float | None, before: float | None, last: int, rule: Rule
) -> Leak | None:
    hits = [hit for back in range(rule.hits) if (hit := rises.hit(name, last - back, limit)) is not None]
    if not hits:
        return None
    enough = len(hits) == rule.hits
    named = enough and all(hit.lower > 0 for hit in hits)
    urgent = named and all(hit.forecast_s < rule.within_hours * 3600 for hit in hits)
    now = hits[0]
    return Leak(rises.measure, now.slope, now.lower, now.forecast_s, named, urgent, before)


@dataclass(frozen=True, slots=True)
class _Hit:
    slope: float
    lower: float
    forecast_s: float


class _Rises:
    """How one measure rises. What peers did over the same bins is asked for often: looked up once."""

    def __init__(self, histories: Mapping[str, History], measure: Measure, rule: Rule) -> None:
        self.measure = measure
        self._histories = histories
        self._rule = rule
        self._moves: dict[tuple[Kind, tuple[int, ...]], dict[str, Floats]] = {}

    def hit(self, name: str, last: int, limit: float | None) -> _Hit | None:
        """How it rose up to the bin ``last``; None while too little is known."""
        first = last - round(self._rule.most_hours * 3600 / BIN_S) + 1
        known = self._histories[name].bins.get(self.measure, ())
        bins = [each for each in known if first <= each.number <= last]
        if len(bins) < self._rule.least_hours * 3600 / BIN_S:
            return None
        hours = np.array([each.number for each in bins], dtype=np.float64) * (BIN_S / 3600)
        values = np.array([each.least for each in bins], dtype=np.float64)
        alone = theil_sen(hours, values, self._rule.z)
        lower = alone.lower - self._of_a_day(hours, values)
        usual = self._usual(name, tuple(each.number for each in bins))
        if usual is not None:
            beside = theil_sen(hours, values - usual, self._rule.z)
            lower = max(lower, beside.lower - self._rule.floor[self.measure])
        room = math.inf if limit is None else max(0.0, limit - bins[-1].least)
        return _Hit(alone.slope, lower, room / alone.slope * 3600 if alone.slope > 0 else math.inf)

    def _of_a_day(self, hours: Floats, values: Floats) -> float:
        """The most, an hour, that a day's swing can rise by over these bins."""
        floor = self._rule.floor[self.measure]
        if self.measure not in _OF_THE_DAY:
            return floor
        swing = self._rule.day_share * float(np.median(values))
        return max(floor, swing * min(math.pi / 24, 1.5 / float(hours[-1] - hours[0])))

    def _usual(self, name: str, numbers: tuple[int, ...]) -> Floats | None:
        """What the peers' middle did in these bins, float64 [N]; None where there are too few of them."""
        if self.measure not in _OF_THE_DAY:
            return None
        kind = self._histories[name].kind
        if (kind, numbers) not in self._moves:
            self._moves[kind, numbers] = self._moved(kind, numbers)
        others = [moves for peer, moves in self._moves[kind, numbers].items() if peer != name]
        return np.median(others, axis=0) if len(others) >= self._rule.peers else None

    def _moved(self, kind: Kind, numbers: tuple[int, ...]) -> dict[str, Floats]:
        """By worker that was there in all of these bins: how far it was from its own middle, float64 [N]."""
        moves = {}
        for name, history in self._histories.items():
            least = dict(history.bins.get(self.measure, ())) if history.kind is kind else {}
            if all(number in least for number in numbers):
                values = np.array([least[number] for number in numbers], dtype=np.float64)
                moves[name] = values - np.median(values)
        return moves
