"""How well it is seen: drift, accuracy, validation runs, what waits for review, and what people are alerted
to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vedette.control.protocol import Order
from vedette.observe.views import DriftView, ValidationView
from vedette.quality.review.rows import State
from vedette.quality.review.store import Store
from vedette.quality.validate.estimate import Estimate
from vedette.quality.validate.run import DatasetName, Model
from vedette.web.api.answers import Body, answer, body, error, said
from vedette.web.api.giving import Ordered
from vedette.web.api.held import Held
from vedette.web.api.json_bodies import JsonRoute
from vedette.web.api.parts import Parts
from vedette.web.api.rows import Accuracy, accuracy
from vedette.web.problems import ProblemError
from vedette.web.who.guard import Who

__all__ = ["quality"]

REVIEW_HOLDS_S = 5.0
RUNS_HOLD_S = 5.0
WAITING_LOOKED_AT = 5000
"""Of so many of the newest that wait it is told of which camera and why they are."""
RUNS_AT_MOST = 200
_RUNS = "[0-9]*T*Z-*.json"


class Learn(BaseModel):
    """``cameras``: empty = all. ``keep``: learn only what is not known yet."""

    model_config = ConfigDict(extra="forbid", strict=True)

    cameras: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]], Field(max_length=1000)
    ] = []
    keep: bool = False


class ValidationQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=RUNS_AT_MOST)] = 20


class CameraDrift(msgspec.Struct, frozen=True, kw_only=True):
    """Of one camera; ``whole``: null where nothing was seen of it yet."""

    camera: str
    site: str
    word: str
    why: str
    whole: DriftView | None


class DriftTold(msgspec.Struct, frozen=True, kw_only=True):
    """``watched``: whether the detector is watched for drift at all. ``stages``: cameras by stage."""

    watched: bool
    stages: Mapping[str, int]
    cameras: list[CameraDrift]


class AccuracyTold(msgspec.Struct, frozen=True, kw_only=True):
    """By reviewed frames, of cameras and of whole sites; ``validation``: on labelled pictures."""

    cameras: list[Accuracy]
    sites: list[Accuracy]
    validation: ValidationView | None


class RunTold(msgspec.Struct, frozen=True, kw_only=True):
    """A validation run. ``at``: ISO 8601, UTC. ``estimates``: with intervals. ``figures``: COCO's summary,
    over all and by label and light. ``baseline``: whether others of its set are compared with it."""

    id: str
    at: str
    dataset: DatasetName
    model: Model
    confidence: float
    estimates: dict[str, Estimate]
    figures: dict[str, float | None]
    by_label: dict[str, dict[str, float | None]] = {}
    by_light: dict[str, dict[str, float | None]] = {}
    unknown: list[str] = []
    left_out: dict[str, int] = {}
    baseline: bool = False


class RunsTold(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first."""

    runs: list[RunTold]
    total: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """``reason``: why frames of this camera were kept; ``uniform``: drawn by chance."""

    camera: str
    reason: str
    count: int


class ReviewTold(msgspec.Struct, frozen=True, kw_only=True):
    """``states``: frames in each. ``waiting``: of the newest 5000 that wait, by camera and reason, the most
    first. ``bytes``: of pictures on the disk."""

    states: Mapping[str, int]
    waiting: list[Waiting]
    bytes: int


class AlertTold(msgspec.Struct, frozen=True, kw_only=True):
    """Something people are to know of, and that is not over. ``severity``: info, warning or critical.
    ``since``: Unix seconds."""

    rule: str
    severity: str
    since: float
    text: str
    camera: str
    site: str
    worker: str
    cameras: list[str]


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """The most severe first."""

    alerts: list[AlertTold]


def quality(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["quality"], route_class=JsonRoute)
    _drift(router, parts)
    _accuracy(router, parts)
    viewer = parts.may("viewer")
    reviewed: Held[Body] = Held(REVIEW_HOLDS_S)

    @router.get(
        "/review",
        summary="What waits for review, by camera and reason",
        responses={**said(ReviewTold), **error("not-known", "no-review", "review")},
    )
    async def review(request: Request, who: Who = viewer) -> Response:
        folder = parts.served.review
        if folder is None or not (folder / "review.db").exists():
            raise ProblemError("no-review", "no frames are kept for review")
        return answer(request, await reviewed.get("", lambda: asyncio.to_thread(_review, folder)))

    @router.get(
        "/alerts",
        summary="What people are alerted to, and is not over",
        responses={**said(Alerts), **error("not-known", "node-away")},
    )
    async def alerts(request: Request, who: Who = viewer) -> Response:
        view = (await parts.fleet.moment()).view
        told = [
            AlertTold(
                rule=each.rule,
                severity=str(each.severity),
                since=each.since,
                text=each.text,
                camera=each.camera,
                site=each.site,
                worker=each.worker,
                cameras=list(each.cameras),
            )
            for each in view.alerts
        ]
        return answer(request, Alerts(alerts=told))

    return router


def _drift(router: APIRouter, parts: Parts) -> None:
    viewer, reviewer = parts.may("viewer"), parts.may("reviewer")

    @router.get(
        "/drift",
        summary="How the detector does on each camera, beside what is usual there",
        responses={**said(DriftTold), **error("not-known", "node-away")},
    )
    async def drift(request: Request, who: Who = viewer) -> Response:
        moment = await parts.fleet.moment()
        whole = {camera.name: camera.drift for camera in moment.view.cameras}
        rows = [
            CameraDrift(
                camera=row.name,
                site=row.site,
                word=row.drift.word if row.drift else "",
                why=row.drift.why if row.drift else "",
                whole=whole.get(row.name),
            )
            for row in moment.rows
        ]
        how = Counter(row.drift.stage for row in moment.rows if row.drift)
        return answer(request, DriftTold(watched=moment.view.drift, stages=how, cameras=rows))

    @router.post(
        "/drift/learn",
        summary="Learn anew what is usual for cameras",
        responses={
            **said(Ordered, "It was done."),
            **said(Ordered, "It was begun; ask at `Location`.", status=202),
            **error("invalid", "not-known", "not-allowed", "refused", "not-done", "node-away"),
        },
    )
    async def learn(request: Request, told: Learn, who: Who = reviewer) -> Response:
        what = ",".join(told.cameras)
        order = Order(kind="learn_more", what=what) if told.keep else Order(kind="learn", what=what)
        return await parts.giving.give(request, who, order)


def _accuracy(router: APIRouter, parts: Parts) -> None:
    viewer = parts.may("viewer")
    held: Held[Body] = Held(RUNS_HOLD_S)

    @router.get(
        "/accuracy",
        summary="Precision and recall by reviewed frames, of cameras and sites",
        responses={**said(AccuracyTold), **error("not-known", "node-away")},
    )
    async def known(request: Request, who: Who = viewer) -> Response:
        moment = await parts.fleet.moment()
        told = AccuracyTold(
            cameras=[each for row in moment.rows for each in row.accuracy],
            sites=[accuracy(each) for each in moment.view.sites],
            validation=moment.view.validation,
        )
        return answer(request, told)

    @router.get(
        "/validation",
        summary="Validation runs, the newest first",
        responses={**said(RunsTold), **error("invalid", "not-known")},
    )
    async def runs(
        request: Request, query: Annotated[ValidationQuery, Query()], who: Who = viewer
    ) -> Response:
        folder = parts.served.runs
        made = await held.get(query.limit, lambda: asyncio.to_thread(_runs, folder, query.limit))
        return answer(request, made)


def _runs(folder: Path | None, limit: int) -> Body:
    """What cannot be read is left out: others are none the worse for it."""
    if folder is None or not folder.is_dir():
        return body(RunsTold(runs=[], total=0))
    files = sorted(folder.glob(_RUNS), reverse=True)
    baselines = _baselines(folder)
    found = []
    for path in files[:limit]:
        try:
            run = msgspec.json.decode(path.read_bytes(), type=RunTold)
        except (OSError, msgspec.DecodeError):
            continue
        found.append(msgspec.structs.replace(run, baseline=run.id in baselines))
    return body(RunsTold(runs=found, total=len(files)))


def _baselines(folder: Path) -> set[str]:
    try:
        data = (folder / "baselines.json").read_bytes()
        return set(msgspec.json.decode(data, type=dict[str, str]).values())
    except (OSError, msgspec.DecodeError):
        return set()


def _review(folder: Path) -> Body:
    with Store.open(folder, readonly=True) as store:
        counts, used = store.counts(), store.used()
        items = store.items(states=[State.WAITING], limit=WAITING_LOOKED_AT)
    why = Counter((item.camera, item.reason.value if item.reason else "uniform") for item in items)
    waiting = [
        Waiting(camera=camera, reason=reason, count=count) for (camera, reason), count in why.most_common()
    ]
    return body(
        ReviewTold(states={state.value: counts.get(state, 0) for state in State}, waiting=waiting, bytes=used)
    )
