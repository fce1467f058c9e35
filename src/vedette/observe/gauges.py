"""How busy a node's parts are and what waits in front of them: at one moment, or on average over a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from vedette.observe.views import NodeView, WorkerView

__all__ = ["Gauges", "Mean", "gauges_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Shares are of the time (0 to 1), the rest are numbers of things that wait.

    ``detector``, ``camera``: of the busiest inference and the busiest camera worker, the share in which it
    had no rest; ``…_waited``: the part of that in which it got no core. ``canary``: the same of a canary's
    process. ``late_ms``: the most that a turn of
    any worker's loop was late. ``cpu``: share of the machine's cores in use, by anybody. ``backlog``: frames
    before the decoders; ``kept``: pictures that wait to be chosen; ``queued``: batches before the detector;
    ``outbox``: messages that the node has not taken; ``sinks``: results before the sinks.

    In cores: ``decoders``, what the decoding threads of one camera worker have in use, of that where it is
    most; ``cameras``, ``detecting``, ``trying``, what all camera workers, all inference workers and the
    candidates have. In bytes: ``memory``,
    what is left of it; ``disk``, what is left where the ledger lies; infinite where it is not known.
    """

    detector: float = 0.0
    detector_waited: float = 0.0
    canary: float = 0.0
    camera: float = 0.0
    camera_waited: float = 0.0
    late_ms: float = 0.0
    cpu: float = 0.0
    backlog: float = 0.0
    kept: float = 0.0
    queued: float = 0.0
    outbox: float = 0.0
    sinks: float = 0.0
    decoders: float = 0.0
    cameras: float = 0.0
    detecting: float = 0.0
    trying: float = 0.0
    memory: float = math.inf
    disk: float = math.inf


_NAMES = tuple(field.name for field in fields(Gauges))
_WORST = {"late_ms": max, "memory": min, "disk": min}
"""What is told of these: one bad moment is one too many."""
_NOTHING = WorkerView("", "")


def gauges_of(view: NodeView) -> Gauges:
    """As they are in this view."""
    detector = _busiest(worker for worker in view.workers if worker.kind == "inference")
    camera = _busiest(worker for worker in view.workers if worker.kind == "camera")
    return Gauges(
        detector=detector.busy,
        detector_waited=detector.waited,
        canary=_busiest(worker for worker in view.workers if worker.kind == "canary").busy,
        camera=camera.busy,
        camera_waited=camera.waited,
        late_ms=max((worker.late_ms for worker in view.workers), default=0.0),
        cpu=view.cpu_busy,
        backlog=sum(camera.backlog for camera in view.cameras),
        kept=sum(camera.kept for camera in view.cameras),
        queued=view.queued,
        outbox=sum(worker.outbox for worker in view.workers),
        sinks=sum(sink.waiting for sink in view.sinks),
        decoders=max((_cores(worker).get("decode", 0.0) for worker in view.workers), default=0.0),
        cameras=_cores_of(view, "camera"),
        detecting=_cores_of(view, "inference"),
        trying=_cores_of(view, "canary", "shadow"),
        memory=math.inf if view.machine is None else view.machine.memory_available,
        disk=math.inf if view.machine is None or view.machine.disk_free is None else view.machine.disk_free,
    )


def _cores(worker: WorkerView) -> Mapping[str, float]:
    """In use by each group of its threads."""
    return worker.usage.cpu if worker.usage else {}


def _cores_of(view: NodeView, *kinds: str) -> float:
    return sum(sum(_cores(worker).values()) for worker in view.workers if worker.kind in kinds)


def _busiest(workers: Iterable[WorkerView]) -> WorkerView:
    return max(workers, key=lambda worker: worker.busy, default=_NOTHING)


class Mean:
    """The mean of gauges, each as often as it was added; of ``late_ms``, ``memory``, ``disk`` the worst."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(_NAMES, 0.0)
        self._worst = {name: float(getattr(Gauges(), name)) for name in _WORST}
        self.count = 0

    def add(self, gauges: Gauges) -> None:
        self.count += 1
        for name in _NAMES:
            self._sums[name] += getattr(gauges, name)
        for name, worse in _WORST.items():
            self._worst[name] = worse(self._worst[name], getattr(gauges, name))

    @property
    def gauges(self) -> Gauges | None:
        """None while nothing was added."""
        if not self.count:
            return None
        means = {name: value / self.count for name, value in self._sums.items()}
        return Gauges(**(means | self._worst))
