"""What the node was like in the last hours, a few numbers every ten seconds: for charts, and for where memory
is going."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from vedette.control.protocol import ControlError
from vedette.observe.views import NodeView
from vedette.supervise.slope import theil_sen
from vedette.top.words import Health, health, watched
from vedette.web.node import Node, NodeGoneError

__all__ = ["EVERY_S", "Forecast", "Past", "Sample", "forecast", "sample"]

EVERY_S = 10.0
SAMPLES = 2160
"""Six hours."""
LOOKED_AT = 120
"""Samples that a slope is made of, spread over all there are."""
LEAST = 30
"""Samples, which are five minutes: before that a slope says nothing."""
Z = 1.645
"""The bound below a slope holds with 95%."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """``at``: Unix seconds. ``age_ms``: the worst camera's p99. ``pss``: bytes by worker."""

    at: float
    analysed_per_s: float
    age_ms: float
    blind: int
    cpu_busy: float
    pss_mb: float
    pss: dict[str, int]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of one process. ``mb_an_hour``: how fast it grows, over ``over_s``; ``sure``: whether that it
    grows at all is sure (95%). ``hours_left``: until the machine has no memory left if it goes on like that,
    null where it does not grow for sure."""

    worker: str
    pss_mb: float
    mb_an_hour: float
    sure: bool
    over_s: float
    hours_left: float | None


def sample(view: NodeView, at: float) -> Sample:
    cameras = watched(view)
    aged = [camera.age_ms.p99 for camera in cameras if camera.frames.analysed]
    return Sample(
        round(at, 1),
        round(view.analysed_per_s, 1),
        round(max(aged, default=0.0), 1),
        sum(health(camera) is Health.BLIND for camera in cameras),
        round(view.cpu_busy, 3),
        round(view.pss_mb, 1),
        {worker.name: worker.usage.pss for worker in view.workers if worker.usage is not None},
    )


def forecast(samples: Sequence[Sample], available: int | None) -> list[Forecast]:
    """By worker, the fastest growing first. ``available``: bytes that the machine has left."""
    if not samples:
        return []
    found = [_of(name, samples, available) for name in samples[-1].pss]
    return sorted(found, key=lambda each: -each.mb_an_hour)


def _of(name: str, samples: Sequence[Sample], available: int | None) -> Forecast:
    mine = [(each.at, each.pss[name]) for each in samples if name in each.pss]
    slope, lower = 0.0, -math.inf
    if len(mine) >= LEAST:
        step = max(1, len(mine) // LOOKED_AT)
        chosen = np.array(mine[::-1][::step][::-1], np.float64)
        found = theil_sen(chosen[:, 0] / 3600, chosen[:, 1], Z)
        slope, lower = found.slope, found.lower
    sure = lower > 0
    left = available / slope if sure and available is not None and slope > 0 else None
    return Forecast(
        worker=name,
        pss_mb=round(mine[-1][1] / 1e6, 1),
        mb_an_hour=round(slope / 1e6, 3),
        sure=sure,
        over_s=round(mine[-1][0] - mine[0][0], 1),
        hours_left=None if left is None else round(left, 1),
    )


class Past:
    """Of one node. It begins to be kept when it is first asked for, and is gone with the dashboard."""

    def __init__(self, asked: Node, wall: Callable[[], float]) -> None:
        self._asked, self._wall = asked, wall
        self.samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._task: asyncio.Task[None] | None = None

    def keep(self) -> None:
        """From now on, if it was not begun."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="vedette-past")

    async def _run(self) -> None:
        while True:
            try:
                self.samples.append(sample(await self._asked.view(), self._wall()))
            except (NodeGoneError, ControlError):
                pass  # a hole in the chart, which is what there is to see
            await asyncio.sleep(EVERY_S)
