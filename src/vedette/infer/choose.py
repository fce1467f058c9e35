"""Which cameras' frames to look at next: a pure function of what waits, what is owed, and the time.

Every choice weighs two wishes: look at the freshest picture, and give every camera its share. A camera that
was served less than its share is *owed*; each frame owed makes its picture count as ``PATIENCE`` of its own
frame interval fresher than it is. So a fresher frame is passed over only for a camera that is owed more, and
a camera whose frames always come a moment too early still gets its share while its frames are young.

The design began with "the freshest among those whose turn it is". Simulated with 32 cameras × 25 fps and a
5 ms detector that gave ages up to 40 ms at the 99th percentile, because the unluckily phased cameras waited
until it was their turn by force; trading age against debt gives 17–27 ms and shares within 1%
(docs/decisions/0003-choosing-by-age-and-debt.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PATIENCE", "Waiting", "charge", "choose", "next_due"]

PATIENCE = 0.25
"""Of a camera's frame interval, per frame owed: 0.025 left shares 10% apart, 1.0 brought forced turns."""

OWED_AT_MOST = 4.0
"""Frames. A camera that was away or slow must not take everything when it is back."""

AHEAD_AT_MOST = 16.0

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
    owed = np.clip(served.mean() - served, -AHEAD_AT_MOST, OWED_AT_MOST)
    price = (now - waiting.captured[due]) - PATIENCE * waiting.interval[due] * owed * waiting.weight[due]
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
    floor = waiting.served[waiting.fresh].mean() - OWED_AT_MOST
    for index in chosen:
        waiting.served[index] = max(waiting.served[index], floor) + 1.0 / waiting.weight[index]


def next_due(waiting: Waiting, now: float) -> float | None:
    """When the earliest frame that waits for its rate limit may be taken, in monotonic seconds, or None."""
    later = waiting.not_before[waiting.fresh & (waiting.not_before > now)]
    return float(later.min()) if later.size else None
