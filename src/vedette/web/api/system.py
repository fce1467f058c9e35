"""What the node is made of: workers, memory, stages, sinks, the machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vedette.control.protocol import Order
from vedette.observe.views import NodeView, Percentiles, SinkView, WorkerView
from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage
from vedette.web.api.answers import answer, error, said
from vedette.web.api.giving import Ordered
from vedette.web.api.parts import Parts
from vedette.web.api.past import Forecast, Sample, forecast
from vedette.web.api.rows import Ages, ages
from vedette.web.problems import ProblemError
from vedette.web.who.guard import Who

__all__ = ["system"]

WAIT_S = 1.0


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: camera or inference; canary or shadow for candidates, with their ``model``. ``busy``,
    ``waited``: shares of the last second without rest, and of that without a core. ``leaks``: what it leaks
    for sure, by measure, an hour: bytes, or how many. ``replacements`` by reason, ``deaths``: of those that
    had its work since the start. ``usage``, ``peak``: bytes and numbers, null before they were read."""

    name: str
    kind: str
    post: str
    pid: int | None
    busy: float
    waited: float
    late_ms: float
    outbox: int
    cameras: int
    usage: ProcessUsage | None
    peak: Peak
    replacements: Mapping[str, int]
    deaths: int
    quarantined: bool
    leaks: Mapping[str, float]
    model: str


class Workers(msgspec.Struct, frozen=True, kw_only=True):
    workers: list[Worker]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """``ms``: of a frame in it since the start; ``lately_ms``: over the last ``lately_s`` of :class:`System`.
    ``spent_s``: of all frames since the start; ``share``: of all stages."""

    name: str
    ms: Ages
    lately_ms: Ages
    spent_s: float
    share: float


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Live pictures. ``cameras``: that somebody looks at now; ``viewers``: who look at streams of this
    dashboard. ``made``, ``dropped`` by why: since the start. ``slow``: a viewer took its pictures more slowly
    than they came; ``no_room``: too large, or too many."""

    cameras: int
    viewers: int
    made: int
    dropped: Mapping[str, int]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """``stages``: in the order in which a frame goes through them. ``ladder``: cameras by step. ``waiting``:
    what waits in front of a stage. ``lately_s``: of how long the stages' ``lately_ms`` are, five minutes once
    somebody has asked for so long. ``node``: the node's own process. ``memory``: how each process's grows.
    ``deaths``, ``replacements``: of all workers since the start."""

    at: float
    uptime_s: float
    detector: str
    input_size: tuple[int, int]
    stages: list[Stage]
    lately_s: float
    waiting: Mapping[str, int]
    batches: int
    workers: list[Worker]
    sinks: list[SinkView]
    machine: MachineUsage | None
    node: ProcessUsage | None
    node_peak: Peak
    ladder: Mapping[str, int]
    decodes: Mapping[str, int]
    bottleneck: str | None
    bottleneck_stage: str | None
    cpu_busy: float
    cpu_percent: float
    cpu_s: float
    pss_mb: float
    pss_peak_mb: float
    memory: list[Forecast]
    deaths: int
    replacements: Mapping[str, int]
    frames: Mapping[str, int]
    endings: Mapping[str, int]
    live: Live


class HistoryQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    most: Annotated[int, Field(ge=2, le=2160, description="Samples, spread over all there are.")] = 360


class History(msgspec.Struct, frozen=True, kw_only=True):
    """``samples``: each [at, analysed a second, worst p99 age in ms, cameras blind, share of the machine's
    cores in use, memory in MB, {worker: bytes}], the oldest first; kept since a dashboard asked first, for
    six hours at most."""

    samples: list[Sample]


def worker_told(worker: WorkerView) -> Worker:
    return Worker(
        name=worker.name,
        kind=worker.kind,
        post=worker.post or worker.name,
        pid=worker.pid,
        busy=round(worker.busy, 3),
        waited=round(worker.waited, 3),
        late_ms=round(worker.late_ms, 1),
        outbox=worker.outbox,
        cameras=worker.cameras,
        usage=worker.usage,
        peak=worker.peak,
        replacements=worker.replacements,
        deaths=worker.deaths,
        quarantined=worker.quarantined,
        leaks=worker.leaks,
        model=worker.model,
    )


def stages(view: NodeView) -> list[Stage]:
    spent = sum(view.stages_s.values())
    return [
        Stage(
            name=name,
            ms=ages(times),
            lately_ms=ages(view.stages_lately_ms.get(name, Percentiles())),
            spent_s=round(view.stages_s.get(name, 0.0), 3),
            share=round(view.stages_s.get(name, 0.0) / spent, 4) if spent else 0.0,
        )
        for name, times in view.stages_ms.items()
    ]


def counted(counts: list[Mapping[str, int]]) -> dict[str, int]:
    """All of them added up."""
    found: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            found[name] = found.get(name, 0) + count
    return found


def system(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["system"])
    viewer, operator = parts.may("viewer"), parts.may("operator")

    @router.get(
        "/workers",
        summary="The node's processes",
        responses={**said(Workers), **error("not-known", "node-away")},
    )
    async def workers(request: Request, who: Who = viewer) -> Response:
        view = (await parts.fleet.moment()).view
        return answer(request, Workers(workers=[worker_told(each) for each in view.workers]))

    @router.post(
        "/workers/{name}/recycle",
        summary="Put another process in a worker's place, with nothing lost",
        responses={
            **said(Ordered, "It was done."),
            **said(Ordered, "It was begun; ask at `Location`.", status=202),
            **error("invalid", "not-known", "not-allowed", "not-found", "refused", "not-done", "node-away"),
        },
    )
    async def recycle(
        request: Request, name: Annotated[str, Path(max_length=64)], who: Who = operator
    ) -> Response:
        view = (await parts.fleet.moment()).view
        if name not in {known for worker in view.workers for known in (worker.name, worker.post)}:
            raise ProblemError("not-found", f"there is no worker {name!r}")
        return await parts.giving.give(request, who, Order(kind="recycle", what=name), wait_s=WAIT_S)

    @router.get(
        "/system",
        summary="Stages, workers, memory and where it goes, sinks, the machine, what holds the node back",
        responses={**said(System), **error("not-known", "node-away")},
    )
    async def whole(request: Request, who: Who = viewer) -> Response:
        parts.past.keep()
        return answer(request, await _told(parts))

    @router.get(
        "/system/history",
        summary="The last hours in a few numbers",
        responses={**said(History), **error("invalid", "not-known")},
    )
    async def history(
        request: Request, query: Annotated[HistoryQuery, Query()], who: Who = viewer
    ) -> Response:
        parts.past.keep()
        samples = list(parts.past.samples)
        step = -(-len(samples) // query.most) or 1
        return answer(request, History(samples=samples[::-1][::step][::-1]))

    return router


async def _told(parts: Parts) -> System:
    moment = await parts.fleet.moment()
    view, found = moment.view, moment.bottleneck
    frames = view.frames
    available = view.machine.memory_available if view.machine else None
    return System(
        at=round(moment.at, 3),
        uptime_s=round(view.uptime_s, 1),
        detector=view.detector,
        input_size=view.input_size,
        stages=stages(view),
        lately_s=round(view.lately_s, 1),
        waiting={
            "decode": sum(camera.backlog for camera in view.cameras),
            "convert": sum(camera.kept for camera in view.cameras),
            "infer": view.queued,
            "emit": sum(sink.waiting for sink in view.sinks),
        },
        batches=view.batches,
        workers=[worker_told(each) for each in view.workers],
        sinks=list(view.sinks),
        machine=view.machine,
        node=view.usage,
        node_peak=view.peak,
        ladder=counted([{row.step: 1} for row in moment.rows]),
        decodes=counted([{row.decodes: 1} for row in moment.rows]),
        bottleneck=found.sentence if found and found.is_one else None,
        bottleneck_stage=found.stage if found and found.is_one and found.sure else None,
        cpu_busy=round(view.cpu_busy, 3),
        cpu_percent=round(view.cpu_percent, 1),
        cpu_s=round(view.cpu_s, 1),
        pss_mb=round(view.pss_mb, 1),
        pss_peak_mb=round(view.pss_peak_mb, 1),
        memory=forecast(parts.past.samples, available),
        deaths=sum(worker.deaths for worker in view.workers),
        replacements=counted([worker.replacements for worker in view.workers]),
        frames={name: getattr(frames, name) for name in frames.__slots__},
        endings=counted([camera.endings for camera in view.cameras]),
        live=Live(
            cameras=view.live.cameras,
            viewers=parts.lives.viewers,
            made=view.live.made,
            dropped=counted([view.live.dropped, {"slow": parts.lives.untold}]),
        ),
    )
