"""How the node is as a whole; what became of orders; what runs; whether it lives at all."""

from __future__ import annotations

from typing import Annotated

import msgspec
import yaml
from fastapi import APIRouter, FastAPI, Path, Request, Response

from vedette.web.api.answers import Body, answer, body, error, said, text
from vedette.web.api.giving import Ordered, ordered
from vedette.web.api.held import Held
from vedette.web.api.parts import Parts
from vedette.web.api.standing import Status, away, status
from vedette.web.api.trouble import troubles
from vedette.web.node import NodeGoneError
from vedette.web.problems import KINDS, ProblemError

__all__ = ["alive", "state"]

HOLDS_S = 0.5


class Live(msgspec.Struct, frozen=True):
    """``ok``: whether it is. ``detail``: why not."""

    ok: bool
    detail: str = ""


def state(parts: Parts) -> APIRouter:
    router = APIRouter(dependencies=[parts.may("viewer")])
    held: Held[Body] = Held(HOLDS_S)

    @router.get(
        "/status",
        tags=["node"],
        summary="Is anything wrong, since when, why, and what is being done",
        description="Also answered while the node is away: `answers` is false then.",
        responses={**said(Status), **error("not-known")},
    )
    async def how_it_is(request: Request) -> Response:
        return answer(request, await held.get("", lambda: _status(parts)))

    @router.get(
        "/orders/{number}",
        tags=["node"],
        summary="What became of a change that takes a while",
        responses={**said(Ordered), **error("not-found", "invalid", "node-away")},
    )
    async def order(request: Request, number: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
        became = await parts.giving.became(number)
        url = f"{request.scope.get('root_path', '')}/orders/{number}"
        return answer(request, ordered(number, became, url))

    @router.get(
        "/config",
        tags=["node"],
        summary="What runs now, as a configuration file",
        description="Without credentials: those of camera addresses are left out.",
        responses={**text("application/yaml", "YAML.", kind="object"), **error("refused", "node-away")},
        response_class=Response,
    )
    async def config(request: Request) -> Response:
        keys = await parts.fleet.configuration()
        data = yaml.safe_dump(
            msgspec.to_builtins(keys), sort_keys=False, allow_unicode=True, width=100
        ).encode()
        return answer(request, body(data, of=keys, media_type="application/yaml"))

    @router.get(
        "/problems/{kind}",
        tags=["node"],
        summary="What a kind of problem means",
        responses={**text("text/plain", "A sentence."), **error("not-found", "invalid")},
        response_class=Response,
    )
    async def problem(kind: Annotated[str, Path(max_length=64)]) -> Response:
        if kind not in KINDS:
            raise ProblemError("not-found", f"there is no such kind; there are {', '.join(KINDS)}")
        found = KINDS[kind]
        return Response(f"{found.title} ({found.status}). {found.about}\n", media_type="text/plain")

    return router


async def _status(parts: Parts) -> Body:
    at = parts.served.clock.wall()
    try:
        moment = await parts.fleet.moment()
    except NodeGoneError as err:
        gone = away(parts.served.node, str(err), round(at, 3))
        return body(gone)
    found = moment.bottleneck
    sentence = found.sentence if found and found.is_one else ""
    wrong = troubles(moment.view, moment.rows, moment.now.incidents, now=moment.at, cause=sentence)
    told = status(
        parts.served.node,
        moment.view,
        moment.rows,
        wrong,
        at=round(moment.at, 3),
        bottleneck=(found.stage if found.sure else None, found.sentence) if found and found.is_one else None,
        blind_s_today=await parts.books.blind_s_today(),
    )
    return body(told)


def alive(app: FastAPI, parts: Parts) -> None:
    """For those who keep it running (systemd, Kubernetes): outside of the API, and told to anybody."""

    @app.get("/livez", include_in_schema=False)
    async def livez(request: Request) -> Response:
        """The dashboard itself answers."""
        return answer(request, Live(True))

    @app.get("/readyz", include_in_schema=False)
    async def readyz(request: Request) -> Response:
        """The node answers."""
        return await _ready(request)

    @app.get("/healthz", include_in_schema=False)
    async def healthz(request: Request) -> Response:
        """Likewise: the name that is usual elsewhere."""
        return await _ready(request)

    async def _ready(request: Request) -> Response:
        try:
            await parts.served.asked.view()
        except NodeGoneError as err:
            # Where its socket lies is nobody's business who is not known.
            why = str(err) if parts.guard.who(request) else "the node does not answer"
            return answer(request, Live(False, why), 503, {"Cache-Control": "no-store"})
        return answer(request, Live(True), headers={"Cache-Control": "no-store"})
