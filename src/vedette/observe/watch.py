"""Reads the shared table and hears results, and says what the node looks like now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from vedette.endings import ENDINGS
from vedette.frame import Rung
from vedette.histogram import BUCKETS, bounds, percentiles, percentiles_of_each
from vedette.ladder.steps import Step
from vedette.node import Node
from vedette.observe.accuracy_view import accuracy_view
from vedette.observe.canary import canary_view
from vedette.observe.candidates import candidate_workers, tried_on
from vedette.observe.drift_view import drift_view
from vedette.observe.shadow import ShadowLook
from vedette.observe.views import (
    AccuracyView,
    CameraView,
    DriftView,
    Frames,
    Histograms,
    NodeView,
    Percentiles,
    SinkView,
    ValidationView,
    WorkerView,
)
from vedette.results import Result
from vedette.roster import Entry
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
        self._shadow = ShadowLook()

    def saw(self, result: Result) -> None:
        self._objects[result.camera] = Counter(result.boxes.class_name)

    def now(self, deliveries: Iterable[Delivery] = (), *, details: bool = False) -> NodeView:
        """Rates of the last second or so. ``details``: with each camera's stages, too."""
        self._sample_rates()
        return self._view(self._rates, deliveries, details)

    def in_all(self, deliveries: Iterable[Delivery] = ()) -> NodeView:
        """Rates since the start, and all details."""
        counts = self._counts()
        return self._view(counts / max(1e-9, self._uptime()), deliveries, True)

    def histograms(self) -> Histograms:
        """All that was measured since the start."""
        if not self._built:
            return Histograms.none(STAGES)
        table, entries = self._node.table, list(self._node.roster)
        count = len(entries)
        return Histograms(
            stage_names=STAGES,
            cameras=tuple(entry.name for entry in entries),
            stages=table.stages.sum(axis=0, dtype=np.uint64),
            ages=table.ages[:count].astype(np.uint32),
            camera_stages=table.camera_stages[:count].astype(np.uint32),
        )

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

    def _view(self, rates: np.ndarray, deliveries: Iterable[Delivery], details: bool) -> NodeView:
        node, entries = self._node, list(self._node.roster)
        sinks = (*(_sink(delivery) for delivery in deliveries), *self._videos())
        if not self._built:
            return NodeView(tuple(CameraView(entry.name) for entry in entries), sinks=sinks)
        table = node.table
        stages = table.stages.sum(axis=0, dtype=np.int64)
        ages = percentiles_of_each(table.ages[: len(entries)], 0.5, 0.95, 0.99)
        by_stage: Sequence[np.ndarray | None] = [None] * len(entries)
        if details:
            by_stage = list(percentiles_of_each(table.camera_stages[: len(entries)], 0.5, 0.95, 0.99))
        rows, tried = table.rows[: len(entries)].copy(), tried_on(node.canary)
        return NodeView(
            cameras=tuple(
                self._camera(
                    entry,
                    rows[place],
                    rates[:, place],
                    ages[place],
                    by_stage[place],
                    tried.get(entry.index, ""),
                )
                for place, entry in enumerate(entries)
            ),
            uptime_s=self._uptime(),
            analysed_per_s=float(rates[1].sum()),
            cpu_percent=self._cpu_percent,
            cpu_s=node.usage.cpu_s,
            pss_mb=node.usage.pss_mb,
            pss_peak_mb=node.usage.pss_peak_mb,
            detector=node.detector_name,
            precision=node.detector.precision,
            stages_ms={name: _percentiles(stages[place]) for place, name in enumerate(STAGES)},
            stages_s={name: float(stages[place] @ _MIDDLES) for place, name in enumerate(STAGES)},
            sinks=sinks,
            workers=(
                *self._workers(entries),
                *candidate_workers(node.canary, node.shadow, table, node.roster, node.usage),
            ),
            queued=int(table.header["queued"]),
            batches=sum(int(detector["batches"]) for detector in table.detectors),
            input_size=node.input_size,
            cpu_busy=node.governor.cpu_busy,
            max_age_s=node.config.max_age,
            usage=node.usage.of("node"),
            peak=node.usage.peak_of("node"),
            machine=node.usage.machine,
            sites=self._accuracy(""),
            drift=node.drift is not None,
            validation=self._validation(),
            shadow=self._shadow.now(node.shadow, {entry.name: entry.index for entry in entries}, node.usage),
            canary=canary_view(node.canary, float(table.loads[table.canary_place]["busy"])),
        )

    def _validation(self) -> ValidationView | None:
        latest = self._node.examiner.latest
        if latest is None:
            return None
        return ValidationView(
            at=latest.at,
            dataset=latest.dataset,
            pictures=latest.pictures,
            model=latest.model,
            figures={name: (each.value, each.low, each.high) for name, each in latest.figures.items()},
            problems=tuple(latest.problems),
        )

    def _videos(self) -> Iterator[SinkView]:
        """Annotated videos are written where pictures are: by the camera workers, who say what came of it."""
        node = self._node
        folders = {entry.settings.save_video for entry in node.roster}
        for folder in sorted(each for each in folders if each):
            yield SinkView(f"video {folder}", **{name: node.pictures[name] for name in PICTURES})

    def _workers(self, entries: list[Entry]) -> Iterator[WorkerView]:
        loads = self._node.table.loads
        cameras = Counter(entry.worker for entry in entries if entry.watched)
        leaking = self._node.recycler.leaking
        for child in self._node.children:
            load = loads[child.place]
            yield WorkerView(
                name=child.name,
                kind=child.kind,
                pid=child.pid,
                busy=float(load["busy"]),
                waited=float(load["waited"]),
                late_ms=float(load["late"]) * 1000,
                outbox=int(load["outbox"]),
                cameras=cameras[child.place - 1] if child.place else 0,
                usage=self._node.usage.of(child.name),
                peak=self._node.usage.peak_of(child.name),
                post=child.post,
                replacements={
                    reason: count
                    for (post, reason), count in list(self._node.relief.done.items())
                    if post == child.post
                },
                deaths=self._node.deaths[child.post],
                quarantined=bool(child.quarantined_at),
                leaks={leak.measure.value: leak.slope_per_hour for leak in leaking.get(child.post, ())},
            )

    def _drift(self, camera: str) -> DriftView | None:
        watch = self._node.drift
        if watch is None or (known := watch.status.get(camera)) is None:
            return None
        return drift_view(known, watch.standing.get(camera))

    def _accuracy(self, camera: str) -> tuple[AccuracyView, ...]:
        """Of whole sites where it is empty."""
        losses = self._node.losses
        return () if losses is None else tuple(map(accuracy_view, losses.status.get(camera, ())))

    def _review(self, camera: str) -> dict[tuple[str, str], int] | None:
        keeper = self._node.review
        return None if keeper is None else dict(keeper.frames.get(camera, Counter()))

    def _camera(
        self,
        entry: Entry,
        row: np.void,
        rates: np.ndarray,
        ages: np.ndarray,
        stages: np.ndarray | None,
        canary: str,
    ) -> CameraView:
        name = entry.name
        outcomes = {outcome: int(row[outcome]) for outcome in OUTCOMES}
        in_flight = int(row["received"]) - sum(outcomes.values())
        last_end, rung = int(row["last_end"]), max(entry.settings.rung, int(row["rung"]))
        keeper = self._node.keeper
        blind, (gaps, blind_s) = keeper.blind.get(name), keeper.blind_seconds(name)
        return CameraView(
            name=name,
            state=CameraState(int(row["state"])).name.lower(),
            frames=Frames(received=int(row["received"]), **outcomes, in_flight=in_flight),
            age_ms=_of(ages, float(row["age_max"])),
            fps_in=float(rates[0]),
            fps_analysed=float(rates[1]),
            objects=self._objects.get(name, {}),
            epoch=int(row["epoch"]),
            sessions=int(row["sessions"]),
            last_end_reason=REASONS[last_end].value if last_end >= 0 else None,
            blind=blind.cause.value if blind else None,
            blame=blind.blame.value if blind else None,
            degraded=tuple(cause.value for cause in keeper.degraded.get(name, {})),
            drift=self._drift(name),
            accuracy=self._accuracy(name),
            review=self._review(name),
            gaps=gaps,
            blind_s=blind_s,
            endings={ending.value: count for ending in ENDINGS if (count := int(row[ending.value]))},
            step=Step(int(row["step"])).name.lower(),
            decodes=Rung(rung).name.lower(),
            lag_ms=float(row["lag"]) * 1000,
            backlog=int(row["backlog"]),
            kept=int(row["kept"]),
            width=int(row["width"]),
            height=int(row["height"]),
            priority=float(row["weight"]),
            stages_ms={} if stages is None else dict(zip(STAGES, map(_of, stages), strict=True)),
            canary=canary,
        )


PICTURES = ("written", "dropped", "failed")

_MIDDLES = bounds(BUCKETS) ** 0.5 * np.concatenate([[1e-5], bounds(BUCKETS)[:-1]]) ** 0.5
"""Seconds that stand for each bucket when times are summed up."""


def _percentiles(counts: np.ndarray) -> Percentiles:
    return _of(np.array(percentiles(counts, 0.5, 0.95, 0.99)))


def _of(values: np.ndarray, longest_s: float = 0.0) -> Percentiles:
    """``values``: p50, p95 and p99 in seconds."""
    if longest_s:
        # A bucket's middle may lie beyond the longest that was really seen.
        values = np.minimum(values, longest_s)
    p50, p95, p99 = (float(value) * 1000 for value in values)
    return Percentiles(p50, p95, p99, longest_s * 1000)


def _sink(delivery: Delivery) -> SinkView:
    delivered = delivery.delivered
    return SinkView(
        delivery.name,
        delivered.written,
        delivered.dropped,
        delivered.failed,
        delivered.expired,
        delivered.waiting,
    )
