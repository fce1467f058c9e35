"""Verdicts on a stretch of a run: what is momentary as its mean, frames from its first view to its last."""

from __future__ import annotations

from dataclasses import replace

from vedette.observe.bottleneck import Bottleneck, find_bottleneck
from vedette.observe.gauges import Gauges, Mean, gauges_of
from vedette.observe.views import NodeView, WorkerView

__all__ = ["Lately", "Tally"]

STRETCH_S = 5.0
"""Long enough to tell a state from a moment, short enough to be now."""
EVERY_S = 1.0
"""A verdict that changed with each look could not be read."""
SETTLE_S = 2.0
"""From the first frame on. How busy a part is, is measured over a second, and none is before frames come."""


class _Settled:
    """Whether there have been frames for long enough that how busy the parts are means something."""

    def __init__(self) -> None:
        self._since: float | None = None

    def __call__(self, view: NodeView) -> bool:
        if self._since is None and any(camera.frames.received for camera in view.cameras):
            self._since = view.uptime_s
        return self._since is not None and view.uptime_s - self._since >= SETTLE_S


class Tally:
    """One stretch: from the first view that is added; or the whole run (``from_start``), whose first moments
    count for its frames, but not for how busy it was."""

    def __init__(self, *, from_start: bool = False) -> None:
        self._first = NodeView() if from_start else None
        self._settled = _Settled() if from_start else None
        self._mean = Mean()
        self._workers: dict[str, _Worker] = {}

    @property
    def gauges(self) -> Gauges | None:
        """On average. None while nothing was added."""
        return self._mean.gauges

    def add(self, view: NodeView) -> None:
        if self._settled is not None and not self._settled(view):
            return
        if self._first is None:
            self._first = view
        self._mean.add(gauges_of(view))
        for worker in view.workers:
            self._workers.setdefault(worker.name, _Worker()).add(worker)

    def judge(self, view: NodeView) -> Bottleneck:
        """Of the stretch up to this view."""
        return find_bottleneck(view, before=self._first, gauges=self.gauges)

    def over(self, view: NodeView) -> NodeView:
        """This view with what is momentary in it taken over the stretch: how busy the cores and each worker
        were on average, how late a worker was and how much it had to hand on at most."""
        if self.gauges is None:
            return view
        known = self._workers
        workers = tuple(known[each.name].over(each) if each.name in known else each for each in view.workers)
        return replace(view, workers=workers, cpu_busy=self.gauges.cpu)


class _Worker:
    def __init__(self) -> None:
        self._count, self._most = 0, WorkerView("", "")

    def add(self, worker: WorkerView) -> None:
        self._count += 1
        most = self._most
        self._most = replace(
            most,
            busy=most.busy + worker.busy,
            waited=most.waited + worker.waited,
            late_ms=max(most.late_ms, worker.late_ms),
            outbox=max(most.outbox, worker.outbox),
        )

    def over(self, worker: WorkerView) -> WorkerView:
        most, count = self._most, self._count
        return replace(
            worker,
            busy=most.busy / count,
            waited=most.waited / count,
            late_ms=most.late_ms,
            outbox=most.outbox,
        )


class Lately:
    """The last five to ten seconds, judged once a second."""

    def __init__(self) -> None:
        self._older = self._newer = Tally()
        self._began = self._judged = float("-inf")
        self._settled = _Settled()
        self.verdict = Bottleneck("none", "")
        """The newest. Its sentence is empty until there is one."""

    def judge(self, view: NodeView) -> Bottleneck:
        """Add this view and say what is the bottleneck. May be called as often as one likes."""
        now = view.uptime_s
        if not self._settled(view) or now - self._judged < EVERY_S:
            return self.verdict
        self._judged = now
        if now - self._began >= STRETCH_S:
            self._older, self._newer, self._began = self._newer, Tally(), now
        self._newer.add(view)
        if self._older is not self._newer:
            self._older.add(view)
        self.verdict = self._older.judge(view)
        return self.verdict
