"""Reads the shared table and hears results, and says what the node looks like now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

import numpy as np

from vedette.histogram import percentiles
from vedette.node import Node
from vedette.observe.views import CameraView, Frames, NodeView, Percentiles, SinkView
from vedette.results import Result
from vedette.sinks.delivery import Delivery
from vedette.workers.table import OUTCOMES, REASONS, STAGES, CameraState

__all__ = ["Watch"]

RATE_OVER_S = 1.0
"""Rates in the live view are of about the last second: long enough to hold still, short enough to be now."""


class Watch:
    """Observes one node. ``saw`` is called with every result; ``now`` and ``in_all`` from any thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._objects: dict[str, Counter[str]] = {}
        self._sampled_at = 0.0
        self._sample: np.ndarray | None = None
        self._rates = np.zeros((2, node.roster.capacity))
        self._cpu = 0.0
        self._cpu_percent = 0.0

    def saw(self, result: Result) -> None:
        self._objects[result.camera] = Counter(result.boxes.class_name)

    def now(self, deliveries: Iterable[Delivery] = ()) -> NodeView:
        """Rates of the last second or so."""
        self._sample_rates()
        return self._view(self._rates, deliveries)

    def in_all(self, deliveries: Iterable[Delivery] = ()) -> NodeView:
        """Rates since the start."""
        counts = self._counts()
        return self._view(counts / max(1e-9, self._uptime()), deliveries)

    def _uptime(self) -> float:
        node = self._node
        return (node.stopped_at or time.monotonic()) - node.started_at if node.started_at else 0.0

    @property
    def _built(self) -> bool:
        """The table is made in the node's own thread, a moment after it has started."""
        return hasattr(self._node, "table")

    def _counts(self) -> np.ndarray:
        if not self._built:
            return np.zeros((2, self._node.roster.capacity))
        rows = self._node.table.rows
        return np.stack([rows["received"], rows["analysed"]]).astype(float)

    def _sample_rates(self) -> None:
        now, counts = time.monotonic(), self._counts()
        passed = now - self._sampled_at
        if passed < RATE_OVER_S:
            return
        if self._sample is not None:
            self._rates = (counts - self._sample) / passed
            self._cpu_percent = 100 * (self._node.usage.cpu_s - self._cpu) / passed
        self._sample, self._sampled_at, self._cpu = counts, now, self._node.usage.cpu_s

    def _view(self, rates: np.ndarray, deliveries: Iterable[Delivery]) -> NodeView:
        node = self._node
        if not self._built:
            return NodeView(tuple(CameraView(entry.name) for entry in node.roster))
        return NodeView(
            cameras=tuple(
                self._camera(entry.index, entry.name, rates[:, entry.index]) for entry in list(node.roster)
            ),
            uptime_s=self._uptime(),
            analysed_per_s=float(rates[1].sum()),
            cpu_percent=self._cpu_percent,
            cpu_s=node.usage.cpu_s,
            pss_mb=node.usage.pss_mb,
            pss_peak_mb=node.usage.pss_peak_mb,
            detector=node.detector,
            stages_ms={
                name: _percentiles(node.table.stages[:, place].sum(axis=0))
                for place, name in enumerate(STAGES)
            },
            sinks=tuple(_sink(delivery) for delivery in deliveries),
        )

    def _camera(self, index: int, name: str, rates: np.ndarray) -> CameraView:
        table = self._node.table
        row = table.rows[index].copy()
        outcomes = {outcome: int(row[outcome]) for outcome in OUTCOMES}
        in_flight = int(row["received"]) - sum(outcomes.values())
        last_end = int(row["last_end"])
        keeper = self._node.keeper
        blind, (gaps, blind_s) = keeper.blind.get(name), keeper.blind_seconds(name)
        return CameraView(
            name=name,
            state=CameraState(int(row["state"])).name.lower(),
            frames=Frames(received=int(row["received"]), **outcomes, in_flight=in_flight),
            age_ms=_percentiles(table.ages[index], float(row["age_max"])),
            fps_in=float(rates[0]),
            fps_analysed=float(rates[1]),
            objects=self._objects.get(name, {}),
            epoch=int(row["epoch"]),
            sessions=int(row["sessions"]),
            last_end_reason=REASONS[last_end].value if last_end >= 0 else None,
            blind=blind.cause.value if blind else None,
            blame=blind.blame.value if blind else None,
            degraded=tuple(cause.value for cause in keeper.degraded.get(name, {})),
            gaps=gaps,
            blind_s=blind_s,
        )


def _percentiles(counts: np.ndarray, longest_s: float = 0.0) -> Percentiles:
    values = percentiles(counts, 0.5, 0.95, 0.99)
    if longest_s:
        # A bucket's middle may lie beyond the longest that was really seen.
        values = [min(value, longest_s) for value in values]
    p50, p95, p99 = (value * 1000 for value in values)
    return Percentiles(p50, p95, p99, longest_s * 1000)


def _sink(delivery: Delivery) -> SinkView:
    delivered = delivery.delivered
    return SinkView(delivery.name, delivered.written, delivered.dropped, delivered.failed)
