"""Reads the shared table and hears results, and says what the node looks like now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vedette.causes import Cause
from vedette.endings import ENDINGS
from vedette.facts import (
    AnyFact,
    Blind,
    CameraAdded,
    CameraFinished,
    CameraPaused,
    CameraRemoved,
    CameraRestarted,
    Gap,
    Sees,
)
from vedette.frame import Rung
from vedette.histogram import BUCKETS, bounds, percentiles, percentiles_of_each
from vedette.ladder.steps import Step
from vedette.node import Node
from vedette.observe.accuracy_view import accuracy_view
from vedette.observe.canary import canary_view
from vedette.observe.candidates import candidate_workers, tried_on
from vedette.observe.doing import Doing, Retries, doing, lasting
from vedette.observe.drift_view import drift_view
from vedette.observe.shadow import ShadowLook
from vedette.observe.stages_lately import StagesLately
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
from vedette.quality.drift.monitor import Status
from vedette.quality.drift.standing import Standing
from vedette.results import Result
from vedette.roster import Entry
from vedette.sinks.delivery import Delivery
from vedette.supervise.child import Child
from vedette.supervise.policy import quarantine_lasts
from vedette.workers.table import OUTCOMES, REASONS, STAGES, CameraState

__all__ = ["Watch"]

GIVES_WAY_EVERY = 50
"""Cameras in a view."""

RATE_OVER_S = 1.0
"""Rates in the live view are of about the last second: long enough to hold still, short enough to be now."""

_COUNT_ANEW = (Blind, Sees, CameraAdded, CameraPaused, CameraRestarted, CameraRemoved, CameraFinished)
"""What was found in a camera's pictures before these says nothing about now."""


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
        self._retries = Retries()
        self._lately = StagesLately()
        self._drifts: dict[str, tuple[Status, Standing | None, DriftView]] = {}
        """What was last made of what: little changes from one view to the next."""

    def heard(self, fact: AnyFact) -> None:
        """Every fact of the node. From any thread."""
        self._retries.take(fact)
        if isinstance(fact, _COUNT_ANEW):
            self._objects.pop(fact.camera, None)

    def analysed(self) -> int:
        """Frames whose result has left, in all, since the start."""
        return int(self._node.table.rows["analysed"].sum()) if self._built else 0

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
        lately_s, lately = self._lately.over(time.monotonic(), stages)
        ages = percentiles_of_each(table.ages[: len(entries)], 0.5, 0.95, 0.99)
        by_stage: Sequence[np.ndarray | None] = [None] * len(entries)
        if details:
            by_stage = list(percentiles_of_each(table.camera_stages[: len(entries)], 0.5, 0.95, 0.99))
        rows = _Rows(table.rows[: len(entries)].copy(), rates, ages)
        at_work, tried = self._at_work(entries), tried_on(node.canary)
        return NodeView(
            cameras=tuple(
                self._camera(entry, place, rows, by_stage[place], at_work, tried.get(entry.index, ""))
                for place, entry in _giving_way(entries)
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
            stages_lately_ms={name: _percentiles(lately[place]) for place, name in enumerate(STAGES)},
            lately_s=lately_s,
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
            drift=node.quality.drift is not None,
            validation=self._validation(),
            shadow=self._shadow.now(node.shadow, {entry.name: entry.index for entry in entries}, node.usage),
            canary=canary_view(node.canary, float(table.loads[table.canary_place]["busy"])),
            alerts=node.alerts.open,
            live=node.live.view(),
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
        watch = self._node.quality.drift
        if watch is None or (known := watch.status.get(camera)) is None:
            return None
        standing = watch.standing.get(camera)
        made = self._drifts.get(camera)
        if made is None or made[0] != known or made[1] != standing:
            made = self._drifts[camera] = known, standing, drift_view(known, standing)
        return made[2]

    def _accuracy(self, camera: str) -> tuple[AccuracyView, ...]:
        """Of whole sites where it is empty."""
        losses = self._node.quality.losses
        return () if losses is None else tuple(map(accuracy_view, losses.status.get(camera, ())))

    def _review(self, camera: str) -> dict[tuple[str, str], int] | None:
        keeper = self._node.quality.review
        return None if keeper is None else dict(keeper.frames.get(camera, Counter()))

    def _at_work(self, entries: list[Entry]) -> _AtWork:
        now, names = time.monotonic(), {entry.worker for entry in entries}
        workers = {child.place - 1: child for child in self._node.camera_workers}
        missing = {number: _why_away(workers.get(number), now) for number in names}
        return _AtWork(
            now, {number: why for number, why in missing.items() if why}, _why_away(self._node.detector, now)
        )

    def _camera(
        self,
        entry: Entry,
        place: int,
        rows: _Rows,
        stages: np.ndarray | None,
        at_work: _AtWork,
        canary: str,
    ) -> CameraView:
        name, cell = entry.name, rows.cells
        last_end, rung = cell["last_end"][place], max(entry.settings.rung, cell["rung"][place])
        keeper = self._node.keeper
        blind, (gaps, blind_s) = keeper.blind.get(name), keeper.blind_seconds(name)
        degraded = keeper.degraded.get(name) or _NOTHING
        state = _STATES[cell["state"][place]]
        well = state is CameraState.LIVE and blind is None and not degraded
        # The last results of a session may come after it was told that nothing is seen any more.
        seen = state is CameraState.LIVE and blind is None
        paused = entry.paused and not entry.removed
        camera = self._node.config.cameras.get(name)
        return CameraView(
            name=name,
            state=_STATE_NAMES[state],
            frames=Frames(*rows.frames[place]),
            age_ms=_of(rows.ages[place], cell["age_max"][place]),
            fps_in=rows.fps_in[place],
            fps_analysed=rows.fps_analysed[place],
            objects=self._objects.get(name) if seen else None,
            epoch=cell["epoch"][place],
            sessions=cell["sessions"][place],
            last_end_reason=REASONS[last_end].value if last_end >= 0 else None,
            blind=blind.cause.value if blind else None,
            blame=blind.blame.value if blind else None,
            detail=blind.detail if blind else entry.detail if entry.finished else "",
            degraded=tuple(cause.value for cause in degraded),
            drift=self._drift(name),
            accuracy=self._accuracy(name),
            review=self._review(name),
            gaps=gaps,
            blind_s=blind_s,
            endings={name: count for name, count in zip(_ENDINGS, rows.endings[place], strict=True) if count},
            step=_STEP_NAMES[cell["step"][place]],
            decodes=_RUNG_NAMES[rung],
            lag_ms=cell["lag"][place] * 1000,
            backlog=cell["backlog"][place],
            kept=cell["kept"][place],
            width=cell["width"][place],
            height=cell["height"][place],
            priority=cell["weight"][place],
            stages_ms={} if stages is None else dict(zip(STAGES, map(_of, stages.tolist()), strict=True)),
            site="" if camera is None else camera.site,
            since=None if well else (entry.paused_at if paused else 0.0) or _since(blind, degraded),
            doing="" if well else self._doing(entry, state, blind, degraded, at_work),
            canary=canary,
        )

    def _doing(
        self,
        entry: Entry,
        state: CameraState,
        blind: Gap | None,
        degraded: Mapping[Cause, Gap],
        at_work: _AtWork,
    ) -> str:
        return doing(
            Doing(
                state=CameraState.REMOVED if entry.removed else state,
                cause=blind.cause if blind else None,
                blame=blind.blame if blind else None,
                degraded=tuple(degraded),
                retry_in=self._retries.after(entry.name, at_work.now),
                worker=at_work.missing.get(entry.worker, ""),
                detector=at_work.detector,
                hang_up_after=entry.settings.hang_up_after,
            )
        )


@dataclass(frozen=True, slots=True)
class _AtWork:
    """``now``: monotonic seconds. ``missing``: why camera workers are not at work, by number; ``detector``:
    why that is not; empty where it is."""

    now: float
    missing: Mapping[int, str]
    detector: str


class _Rows:
    """The table's rows, field by field and as Python's numbers: of a thousand cameras, to take each number
    out of its row takes ten times as long."""

    def __init__(self, rows: np.ndarray, rates: np.ndarray, ages: np.ndarray) -> None:
        """``ages``: f8 [cameras, 3], seconds."""
        self.cells: dict[str, list[Any]] = {name: rows[name].tolist() for name in _CELLS}
        received, *outcomes = (rows[name].astype(np.int64) for name in ("received", *OUTCOMES))
        in_flight = received - sum(outcomes)
        self.frames: list[list[int]] = np.stack([received, *outcomes, in_flight], axis=-1).tolist()
        """In the order of :class:`vedette.observe.views.Frames`."""
        self.endings: list[list[int]] = np.stack([rows[name] for name in _ENDINGS], axis=-1).tolist()
        self.fps_in, self.fps_analysed = (each[: len(rows)].tolist() for each in rates)
        self.ages: list[list[float]] = ages.tolist()


_CELLS = (
    *("last_end", "rung", "state", "age_max", "epoch", "sessions", "step", "lag", "backlog", "kept"),
    *("width", "height", "weight"),
)
_ENDINGS = tuple(ending.value for ending in ENDINGS)
_STATES = tuple(CameraState)
_STATE_NAMES = {state: state.name.lower() for state in CameraState}
_STEP_NAMES = {int(step): step.name.lower() for step in Step}
_RUNG_NAMES = {int(rung): rung.name.lower() for rung in Rung}
_NOTHING: Mapping[Any, Any] = {}


def _giving_way(entries: list[Entry]) -> Iterator[tuple[int, Entry]]:
    """Numbered. Of a thousand cameras a view takes twenty milliseconds, and whoever wants the interpreter
    meanwhile would be let in after five: the node's loop after one."""
    for place, entry in enumerate(entries):
        if place % GIVES_WAY_EVERY == GIVES_WAY_EVERY - 1:
            time.sleep(0)
        yield place, entry


def _since(blind: Gap | None, degraded: Mapping[Cause, Gap]) -> float | None:
    """Unix seconds."""
    if blind is not None:
        return blind.start / 1e6
    return min(gap.start for gap in degraded.values()) / 1e6 if degraded else None


def _why_away(worker: Child | None, now: float) -> str:
    """Empty where it is at work."""
    if worker is None or worker.ready:
        return ""
    if worker.quarantined_at:
        lasts = quarantine_lasts(worker.quarantines, essential=worker.kind == "inference")
        return (
            f"died too often, and is tried again in {lasting(max(0.0, worker.quarantined_at + lasts - now))}"
        )
    return "is being started again" if worker.deaths else "is being started"


PICTURES = ("written", "dropped", "failed")

_MIDDLES = bounds(BUCKETS) ** 0.5 * np.concatenate([[1e-5], bounds(BUCKETS)[:-1]]) ** 0.5
"""Seconds that stand for each bucket when times are summed up."""


def _percentiles(counts: np.ndarray) -> Percentiles:
    return _of(percentiles(counts, 0.5, 0.95, 0.99))


def _of(values: Sequence[float], longest_s: float = 0.0) -> Percentiles:
    """``values``: p50, p95 and p99 in seconds."""
    p50, p95, p99 = values
    if longest_s:
        # A bucket's middle may lie beyond the longest that was really seen.
        p50, p95, p99 = min(p50, longest_s), min(p95, longest_s), min(p99, longest_s)
    return Percentiles(p50 * 1000, p95 * 1000, p99 * 1000, longest_s * 1000)


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
