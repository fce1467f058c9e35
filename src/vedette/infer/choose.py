"""Which cameras' frames to look at next: a pure function of what waits, what is owed, and the time.

Every choice weighs two wishes: look at the freshest picture, and give every camera its share. A camera that
was served less than its share is *owed*. Each waiting frame has a price: the square of its age (beyond one
and a half mean frame intervals, a multiple of it), less what its camera is owed; the lowest price is chosen.
So a fresher frame is passed over only for a camera that is owed more, and because the price of age grows with
age, a camera's debt is paid with a frame that is still young, not whenever the debt has become large enough
to force it.

The design began with "the freshest among those whose turn it is". Simulated with 32 cameras × 25 fps and a
5 ms detector that gave ages up to 42 ms at the 99th percentile, this gives 21–23 ms and shares within 2%
(docs/decisions/0003-choosing-by-age-and-debt.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PATIENCE", "Waiting", "charge", "choose", "forgive", "next_due"]

PATIENCE = 0.14
"""What a frame owed is worth, in frame intervals. Less sets shares further apart, more makes frames older."""

OWED_AT_MOST = 12.0
"""Frames. Debts are bounded, so that a camera that stood still for a while cannot take everything; but times
``PATIENCE`` it must be more than one frame interval, or one whose frames always come last would starve."""

STEEPEST = 1.5
"""The price of age grows no faster than this. Less than ``PATIENCE`` × ``OWED_AT_MOST``, so that a frame not
older than its camera's interval is always worth taking when all that can be owed is owed: a slow camera among
quick ones, in step with a slow detector, would starve otherwise."""

SHORTEST_INTERVAL_S = 0.001
"""Stands in while a camera's rate is not known yet."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Waiting:
    """One entry per camera: ``captured`` of its newest frame and ``not_before`` in monotonic seconds,
    ``max_age`` and frame ``interval`` in seconds, ``weight`` (its part of the capacity), ``served`` (frames
    taken ÷ weight), and whether there is a frame that was not asked for yet (``fresh``)."""

    captured: Floats
    not_before: Floats
    max_age: Floats
    interval: Floats
    weight: Floats
    served: Floats
    fresh: npt.NDArray[np.bool_]


def choose(waiting: Waiting, k: int, now: float) -> list[int]:
    """Indices of up to ``k`` cameras to ask for their newest frame, best first.

    Only cameras with a fresh frame, not too old, whose rate limit allows it.
    """
    young = now - waiting.captured < waiting.max_age
    due = np.flatnonzero(waiting.fresh & young & (waiting.not_before <= now))
    if due.size == 0:
        return []
    served = waiting.served[due]
    owed = np.clip((served.mean() - served) * waiting.weight[due], -OWED_AT_MOST, OWED_AT_MOST)
    interval = np.maximum(waiting.interval[due], SHORTEST_INTERVAL_S)
    age = now - waiting.captured[due]
    # One scale for the ages of all, so that of two cameras owed alike the fresher frame always wins.
    price = age * np.minimum(age / interval.mean(), STEEPEST) - PATIENCE * interval * owed
    if due.size <= k:
        order = np.argsort(price, kind="stable")
    else:
        order = np.argpartition(price, k - 1)[:k]
        order = order[np.argsort(price[order], kind="stable")]
    return [int(index) for index in due[order]]


def charge(waiting: Waiting, chosen: list[int]) -> None:
    """Write down in ``served`` that these cameras were given a frame's worth of the capacity.

    A camera far behind the others that wait (it was away, or brings fewer frames than its share) is moved up
    to what may be owed at most: nobody can save up for later.
    """
    if not chosen:
        return
    mean = waiting.served[waiting.fresh].mean()
    for index in chosen:
        turn = 1.0 / waiting.weight[index]
        waiting.served[index] = max(waiting.served[index], mean - OWED_AT_MOST * turn) + turn


def forgive(waiting: Waiting, index: int) -> None:
    """A camera comes back after it was away: it is owed nothing for that time."""
    waits = waiting.fresh.copy()
    waits[index] = False
    others = waiting.served[waits]
    if others.size:
        waiting.served[index] = max(waiting.served[index], others.mean())


def next_due(waiting: Waiting, now: float) -> float | None:
    """When the earliest frame that waits for its rate limit may be taken, in monotonic seconds, or None."""
    later = waiting.not_before[waiting.fresh & (waiting.not_before > now)]
    return float(later.min()) if later.size else None
