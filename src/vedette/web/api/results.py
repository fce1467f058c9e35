"""Results as they are made, and what happens to the node: as server-sent events, and over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect

from vedette.control.protocol import Happening
from vedette.errors import redact
from vedette.ledger.question import near
from vedette.web.api.answers import answer, error, said, text
from vedette.web.api.feed import Away, Batch, Feed, Listener, Missed, events
from vedette.web.api.parts import Parts
from vedette.web.node import Node, NodeGoneError
from vedette.web.problems import ProblemError, wrong

__all__ = ["results"]

T = TypeVar("T")

RESULTS_EVERY_S = 0.1
HAPPENINGS_EVERY_S = 0.5
RESULTS_AT_ONCE = 2000
STILL_AFTER_S = 15.0
TRY_AGAIN_LATER, NOT_SO = 1013, 1008
"""A WebSocket's closing codes (IANA, WebSocket Close Code Number Registry)."""
REASON_AT_MOST = 123
"""Bytes of a reason beside them (RFC 6455, 5.5.1)."""
NAME_SHOWN = 64

_LIVE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Result(msgspec.Struct, frozen=True):
    """A result as the node gave it, and whose it is."""

    camera: str
    line: bytes


class _Camera(msgspec.Struct):
    camera: str = ""


_camera = msgspec.json.Decoder(_Camera)


class StreamQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    camera: Annotated[
        list[str], Field(max_length=1000, description="Only of this camera; may be repeated.")
    ] = []


class HappeningsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=2**53, description="Only those numbered above; 0 = all.")] = 0
    limit: Annotated[int, Field(ge=1, le=5000)] = 500


class HappeningTold(msgspec.Struct, frozen=True):
    """``at``: Unix seconds. ``level``: info, warning or error. ``kind``: what happened, as the log has it.
    ``camera``, ``worker``: empty where it concerns none."""

    number: int
    at: float
    level: str
    kind: str
    text: str
    camera: str
    worker: str


class Happenings(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first. ``last``: the number to go on from. ``missed``: that there was no room for."""

    happenings: list[HappeningTold]
    last: int
    missed: int


def feed_of_results(asked: Node) -> Feed[Result]:
    async def ask(after: int) -> Batch[Result]:
        gave = await asked.results(after, RESULTS_AT_ONCE)
        return Batch(
            [Result(_camera.decode(line).camera, line) for line in gave.results], gave.last, gave.missed
        )

    return Feed(ask, begin=-1, every=RESULTS_EVERY_S, room=4000)


def feed_of_happenings(asked: Node) -> Feed[Happening]:
    async def ask(after: int) -> Batch[Happening]:
        if after < 0:
            # Only the number to go on from: what was before, pages ask for by itself.
            return Batch([], (await asked.happenings(0, 5000)).last)
        found = await asked.happenings(after)
        return Batch(found.happenings, found.last, found.missed)

    return Feed(ask, begin=-1, every=HAPPENINGS_EVERY_S)


def told(happening: Happening) -> HappeningTold:
    return HappeningTold(
        happening.number,
        happening.at,
        happening.level,
        happening.kind,
        redact(happening.text),
        happening.camera,
        happening.worker,
    )


def _as_event(result: Result) -> bytes:
    return b"event: result\ndata: " + result.line + b"\n\n"


def _as_news(happening: Happening) -> bytes:
    data = msgspec.json.encode(told(happening))
    return b"id: %d\nevent: happening\ndata: %s\n\n" % (happening.number, data)


async def _heard(parts: Parts, connection: WebSocket, made: Feed[Result], cameras: list[str]) -> None:
    """Results over a WebSocket, until whoever asked goes."""
    await connection.accept()
    try:
        made.check_room()
        await _check_known(parts, cameras)
    except ProblemError as err:
        code = TRY_AGAIN_LATER if err.kind == "too-many" else NOT_SO
        await connection.close(code, err.detail.encode()[:REASON_AT_MOST].decode(errors="ignore"))
        return
    with made.listening(_of(cameras)) as listener:
        gone = asyncio.create_task(_gone(connection))
        try:
            while not gone.done():
                for each in await listener.take(1.0):
                    await connection.send_text(_as_message(each))
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has gone in the middle of a message
        finally:
            gone.cancel()


def _streamed(listening: AbstractContextManager[Listener[T]], as_event: Callable[[T], bytes]) -> Response:
    """Server-sent events, until whoever asked goes."""

    async def lines() -> AsyncIterator[bytes]:
        try:
            with listening as listener:
                async for event in events(listener, as_event, still_after=STILL_AFTER_S):
                    yield event
        except ProblemError:
            pass  # there was room a moment ago; whoever asked tries again

    return StreamingResponse(lines(), headers=_LIVE, media_type="text/event-stream")


async def _check_known(parts: Parts, cameras: Sequence[str]) -> None:
    """Raises ProblemError for a camera that there is not: whoever asks for it would wait for ever. While the
    node is away nobody knows."""
    if not cameras:
        return
    try:
        known = await parts.fleet.names()
    except NodeGoneError:
        return
    for name in cameras:
        if name not in known:
            what = f"there is no camera {name[:NAME_SHOWN]!r}{near(name[:NAME_SHOWN], known)}"
            raise wrong("camera", what, place="query")


def _of(cameras: list[str]) -> Callable[[Result], bool]:
    wanted = frozenset(cameras)
    return (lambda result: result.camera in wanted) if wanted else (lambda _: True)


def results(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["results"])
    viewer = parts.may("viewer")
    made, news = feed_of_results(parts.served.asked), feed_of_happenings(parts.served.asked)

    @router.get(
        "/results",
        summary="Results as they are made (server-sent events)",
        description="Events `result` (a line as sinks write it), `missed` (how many were left out: what is "
        "not taken in time is not kept) and `away` (the node does not answer; it is asked on).",
        dependencies=[viewer],
        responses={**text("text/event-stream", "Events, without end."), **error("invalid", "too-many")},
        response_class=StreamingResponse,
    )
    async def stream(query: Annotated[StreamQuery, Query()]) -> Response:
        made.check_room()
        await _check_known(parts, query.camera)
        return _streamed(made.listening(_of(query.camera)), _as_event)

    @router.websocket("/results/ws", dependencies=[viewer])
    async def socket(connection: WebSocket, camera: Annotated[list[str] | None, Query()] = None) -> None:
        """A message for each result; ``{"missed": n}`` and ``{"away": why}`` among them."""
        await _heard(parts, connection, made, camera or [])

    @router.get(
        "/happenings",
        summary="What happened to cameras, workers and alerts",
        dependencies=[viewer],
        responses={**said(Happenings), **error("invalid", "node-away")},
    )
    async def happenings(request: Request, query: Annotated[HappeningsQuery, Query()]) -> Response:
        found = await parts.served.asked.happenings(query.after, query.limit)
        return answer(
            request,
            Happenings(
                happenings=[told(each) for each in found.happenings], last=found.last, missed=found.missed
            ),
        )

    @router.get(
        "/happenings/stream",
        summary="The same as it happens (server-sent events)",
        description="Events `happening`, `missed` and `away`.",
        dependencies=[viewer],
        responses={**text("text/event-stream", "Events, without end."), **error("too-many")},
        response_class=StreamingResponse,
    )
    async def stream_of_news() -> Response:
        news.check_room()
        return _streamed(news.listening(), _as_news)

    return router


def _as_message(each: Result | Missed | Away) -> str:
    match each:
        case Missed(count):
            return f'{{"missed":{count}}}'
        case Away(why):
            return msgspec.json.encode({"away": why}).decode()
    return each.line.decode()


async def _gone(connection: WebSocket) -> None:
    """Returns when whoever listens has gone. What it says meanwhile is not listened to."""
    while (await connection.receive())["type"] != "websocket.disconnect":
        pass
