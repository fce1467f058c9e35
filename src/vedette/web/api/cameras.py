"""Cameras: which there are, how they are, and what may be changed about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vedette.control.protocol import Order
from vedette.web.api.answers import Body, answer, body, error, said
from vedette.web.api.camera_bodies import AddedCamera, CameraChange, Pause, checked
from vedette.web.api.giving import Ordered
from vedette.web.api.held import Held
from vedette.web.api.json_bodies import JsonRoute
from vedette.web.api.parts import Parts
from vedette.web.api.rows import CameraDetail, CameraRow, arranged
from vedette.web.api.sources import NO_REDIRECTS, check_source
from vedette.web.problems import ProblemError, wrong
from vedette.web.who.guard import Who

__all__ = ["cameras"]

HOLDS_S = 0.5
HIDDEN = ("***@", "=***")
"""In place of users and passwords, in all addresses that are told."""

Name = Annotated[str, Path(description="Of the camera.", max_length=64)]
Sort = Literal["name", "health", "site", "since", "age", "lag", "fps", "gaps", "blind", "drift"]
HealthWord = Literal["seen", "degraded", "blind", "starting", "paused", "finished", "removed"]

_CHANGED = {
    **said(Ordered, "It was done."),
    **said(Ordered, "It was begun and takes longer; ask at `Location`.", status=202),
    **error(
        "invalid", "not-known", "not-allowed", "not-found", "refused", "not-done", "not-kept", "node-away"
    ),
}


class CamerasQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        str, Field(max_length=200, description="Words that each occur in its name or in what is said of it.")
    ] = ""
    health: Annotated[list[HealthWord], Field(max_length=7, description="Only these; may be repeated.")] = []
    site: Annotated[str | None, Field(max_length=64, description="Only of this site.")] = None
    sort: Annotated[Sort | None, Field(description="The worst, largest or first one first.")] = None
    order: Annotated[Literal["asc", "desc"], Field(description="`desc` turns `sort` round.")] = "asc"
    limit: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Cameras(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: Unix seconds. ``total``: that there are; ``found``: that fit what was asked for, of which
    ``cameras`` are some."""

    at: float
    total: int
    found: int
    cameras: Sequence[CameraRow]


def cameras(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["cameras"], route_class=JsonRoute)
    viewer, admin = parts.may("viewer"), parts.may("admin")
    held: Held[Body] = Held(HOLDS_S)

    @router.get(
        "/cameras",
        summary="All cameras, and how they are",
        responses={**said(Cameras), **error("invalid", "not-known", "node-away")},
    )
    async def all_of_them(
        request: Request, query: Annotated[CamerasQuery, Query()], who: Who = viewer
    ) -> Response:
        made = await held.get(query.model_dump_json(), lambda: _table(parts, query))
        return answer(request, made)

    @router.post(
        "/cameras",
        summary="Add a camera",
        description="It is watched at once, and after a restart.",
        status_code=201,
        responses={
            **said(Ordered, "It is watched; `Location` is its address.", status=201),
            **{code: told for code, told in _CHANGED.items() if code not in (200, 404)},
            **error("refused", "not-done", "exists"),
        },
    )
    async def add(request: Request, told: AddedCamera, who: Who = admin) -> Response:
        new = told.as_ours()
        settings = await _allowed(parts, new, new.name, whole=True, key_of=told.key_of)
        if new.name in {row.name for row in (await parts.fleet.moment()).rows}:
            raise ProblemError("exists", f"there is a camera {new.name} already")
        order = Order(kind="add", what=new.name, settings=settings)
        return await parts.giving.give(request, who, order, status=201)

    @router.get(
        "/cameras/{name}",
        summary="All that is known of a camera",
        responses={**said(CameraDetail), **error("not-found", "not-known", "invalid", "node-away")},
    )
    async def one(request: Request, name: Name, who: Who = viewer) -> Response:
        return answer(request, await parts.fleet.detail(name))

    @router.patch("/cameras/{name}", summary="Change a camera's settings", responses=_CHANGED)
    async def change(request: Request, name: Name, told: CameraChange, who: Who = admin) -> Response:
        await parts.fleet.known(name)
        settings = await _allowed(parts, told, name, whole=False)
        if not settings:
            raise ProblemError("invalid", "body: says nothing that could be changed")
        return await parts.giving.give(request, who, Order(kind="change", what=name, settings=settings))

    @router.delete("/cameras/{name}", summary="Do not watch a camera any more", responses=_CHANGED)
    async def remove(request: Request, name: Name, who: Who = admin) -> Response:
        await parts.fleet.known(name)
        return await parts.giving.give(request, who, Order(kind="remove", what=name))

    _steered(router, parts)
    return router


def _steered(router: APIRouter, parts: Parts) -> None:
    """What an operator may do with a camera that there is."""
    operator = parts.may("operator")

    @router.post("/cameras/{name}/pause", summary="Pause a camera", responses=_CHANGED)
    async def pause(request: Request, name: Name, told: Pause | None = None, who: Who = operator) -> Response:
        await parts.fleet.known(name)
        why = told.why if told else ""
        return await parts.giving.give(request, who, Order(kind="pause", what=name, why=why))

    @router.post("/cameras/{name}/resume", summary="Go on watching a paused camera", responses=_CHANGED)
    async def resume(request: Request, name: Name, who: Who = operator) -> Response:
        await parts.fleet.known(name)
        return await parts.giving.give(request, who, Order(kind="resume", what=name))

    @router.post("/cameras/{name}/restart", summary="Open a camera's session anew", responses=_CHANGED)
    async def restart(request: Request, name: Name, who: Who = operator) -> Response:
        await parts.fleet.known(name)
        return await parts.giving.give(request, who, Order(kind="restart", what=name))


async def _table(parts: Parts, query: CamerasQuery) -> Body:
    moment = await parts.fleet.moment()
    found = arranged(
        moment.rows,
        q=query.q,
        health=query.health,
        site=query.site,
        sort=query.sort,
        backwards=query.order == "desc",
    )
    shown = found[query.offset : query.offset + query.limit]
    table = Cameras(at=round(moment.at, 3), total=len(moment.rows), found=len(found), cameras=shown)
    return body(table, of=shown)


async def _allowed(
    parts: Parts, told: CameraChange, name: str, *, whole: bool, key_of: Callable[[str], str] = str
) -> dict[str, object]:
    """Raises ProblemError for settings that are wrong, or that may not be given from afar. ``key_of``: what
    whoever sent them calls a setting."""
    local = parts.served.settings.local_sources
    settings = told.settings()
    if "options" in settings and not local:
        # Not even to be taken back: they may be what keeps a camera from being sent elsewhere.
        raise wrong("options", "may only be set in the configuration file")
    url = settings.get("url")
    if url is not None:
        if hidden := next((each for each in HIDDEN if each in url), None):
            raise wrong(key_of("url"), f"{hidden} stands for a password that is not told")
        if problem := await check_source(url, local=local):
            raise wrong(key_of("url"), problem)
    checked(settings, whole=whole, key_of=key_of)
    if url is not None and not local and url.lower().startswith("http"):
        known = {} if whole else (await parts.fleet.settings()).get(name, {})
        theirs = known.get("options") or {}
        if not theirs:
            settings["options"] = NO_REDIRECTS
        elif not NO_REDIRECTS.keys() <= theirs.keys():
            # They are the administrator's: neither may they be lost, nor may they lead elsewhere.
            raise wrong(
                key_of("url"), "the configuration file gives this camera options: set its address there"
            )
    return settings
