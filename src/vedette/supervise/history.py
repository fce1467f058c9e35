"""The least that a worker had of each measure, every 20 minutes: short peaks leave no trace in it.

A leak is what cannot be given back, so it shows in the minima. All workers' bins begin at the same moments of
the node's clock, so that a worker can be compared with its peers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from vedette.supervise.seen import Kind, Measure, Seen

__all__ = ["BINS_MOST", "BIN_S", "WARM_UP_S", "Bin", "History", "bin_of", "taken"]

BIN_S = 1200.0

BINS_MOST = 72
"""A day of them; older ones are forgotten."""

WARM_UP_S = 3600.0
"""Caches, arenas and pools fill after the start: bins that begin earlier in a worker's life are left out."""


class Bin(NamedTuple):
    """``number``: it begins ``number · BIN_S`` on the monotonic clock."""

    number: int
    least: float


@dataclass(frozen=True, slots=True)
class History:
    """One instance of a worker. ``filling``: the bin that is being filled, ``least``: of it so far."""

    kind: Kind
    started_at: float
    filling: int
    least: Mapping[Measure, float] = field(default_factory=dict)
    bins: Mapping[Measure, tuple[Bin, ...]] = field(default_factory=dict)


def bin_of(now: float) -> int:
    return int(now // BIN_S)


def taken(history: History | None, seen: Seen, now: float) -> History:
    """With one more look. It begins anew with another instance of the worker."""
    number = bin_of(now)
    if history is None or history.started_at != seen.started_at:
        history = History(seen.kind, seen.started_at, number)
    if number != history.filling:
        history = _closed(history, number)
    return replace(history, least=_lower(history.least, seen))


def _lower(least: Mapping[Measure, float], seen: Seen) -> Mapping[Measure, float]:
    lower = dict(least)
    for measure in Measure:
        amount = seen.amount(measure)
        if amount is not None:
            lower[measure] = min(float(amount), least.get(measure, math.inf))
    return lower


def _closed(history: History, number: int) -> History:
    begins = history.filling * BIN_S
    if begins < history.started_at + WARM_UP_S:
        return replace(history, filling=number, least={})
    more = {measure: Bin(history.filling, least) for measure, least in history.least.items()}
    bins = {
        measure: (*history.bins.get(measure, ()), *([more[measure]] if measure in more else []))[-BINS_MOST:]
        for measure in {*history.bins, *more}
    }
    return replace(history, filling=number, least={}, bins=bins)
