"""How busy a node's parts are and what waits in front of them: at one moment, or on average over a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from vedette.observe.views import NodeView, WorkerView

__all__ = ["Gauges", "Mean", "gauges_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Shares are of the time (0 to 1), the rest are numbers of things that wait.

    ``detector``, ``camera``: of the busiest inference and the busiest camera worker, the share in which it
    had no rest; ``…_waited``: the part of that in which it got no core. ``late_ms``: the most that a turn of
    any worker's loop was late. ``cpu``: share of the machine's cores in use, by anybody. ``backlog``: frames
    before the decoders; ``kept``: pictures that wait to be chosen; ``queued``: batches before the detector;
    ``outbox``: messages that the node has not taken; ``sinks``: results before the sinks.
    """

    detector: float = 0.0
    detector_waited: float = 0.0
    camera: float = 0.0
    camera_waited: float = 0.0
    late_ms: float = 0.0
    cpu: float = 0.0
    backlog: float = 0.0
    kept: float = 0.0
    queued: float = 0.0
    outbox: float = 0.0
    sinks: float = 0.0


_NAMES = tuple(field.name for field in fields(Gauges))
_NOTHING = WorkerView("", "")


def gauges_of(view: NodeView) -> Gauges:
    """As they are in this view."""
    detector = _busiest(worker for worker in view.workers if worker.kind == "inference")
    camera = _busiest(worker for worker in view.workers if worker.kind == "camera")
    return Gauges(
        detector=detector.busy,
        detector_waited=detector.waited,
        camera=camera.busy,
        camera_waited=camera.waited,
        late_ms=max((worker.late_ms for worker in view.workers), default=0.0),
        cpu=view.cpu_busy,
        backlog=sum(camera.backlog for camera in view.cameras),
        kept=sum(camera.kept for camera in view.cameras),
        queued=view.queued,
        outbox=sum(worker.outbox for worker in view.workers),
        sinks=sum(sink.waiting for sink in view.sinks),
    )


def _busiest(workers: Iterable[WorkerView]) -> WorkerView:
    return max(workers, key=lambda worker: worker.busy, default=_NOTHING)


class Mean:
    """The mean of gauges, each as often as it was added; of ``late_ms`` the greatest."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(_NAMES, 0.0)
        self.count = 0

    def add(self, gauges: Gauges) -> None:
        self.count += 1
        for name in _NAMES:
            value = getattr(gauges, name)
            self._sums[name] = max(self._sums[name], value) if name == "late_ms" else self._sums[name] + value

    @property
    def gauges(self) -> Gauges | None:
        """None while nothing was added."""
        if not self.count:
            return None
        means = {name: value / self.count for name, value in self._sums.items()}
        return Gauges(**(means | {"late_ms": self._sums["late_ms"]}))
