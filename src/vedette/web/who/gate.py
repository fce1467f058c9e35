"""Stands before the application: each request is held to the rules of its guard, and each answer as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vedette.web.who import headers
from vedette.web.who.asked import Asked
from vedette.web.who.bodies import Body
from vedette.web.who.refusals import RefusedError, answer
from vedette.web.who.streams import Streams

__all__ = ["Gate", "Passed", "Rules"]

QUIET_S = 30.0
"""So long may a body that is being sent stand still."""
SMALL_WITHIN_S = 60.0
"""And by then one of usual size must be there."""
LARGEST_MESSAGE = 1_000_000
"""Of a WebSocket."""
POLICY_VIOLATION, TOO_BIG = 1008, 1009


@dataclass(frozen=True, slots=True)
class Passed:
    """May be answered. ``holds``: whether it still may, asked now and then while an answer goes on; None
    where it always may. ``most``: bytes of its body; ``usual``: that is no more than anybody may send."""

    holds: Callable[[], bool] | None
    most: int
    usual: bool = True


class Rules(Protocol):
    """What the gate asks."""

    def read(self, scope: Scope) -> Asked: ...

    def passes(self, asked: Asked, scope: Scope) -> Passed | str:
        """How it may be answered, or the path to send a person to instead. Raises RefusedError."""
        ...


class Gate:
    """The ASGI application that is served."""

    def __init__(self, app: ASGIApp, rules: Rules, streams: Streams) -> None:
        self._app, self._rules, self._streams = app, rules, streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._rules.read(scope)
        send = _with_headers(send, asked)
        try:
            passed = self._rules.passes(asked, scope)
            _check_length(asked, passed)
        except RefusedError as refused:
            # Whoever still sends what nobody reads is hung up on.
            closes = {"Connection": "close"} if asked.changes else {}
            await answer(_with(refused, closes))(scope, receive, send)
            return
        if isinstance(passed, str):
            await RedirectResponse(passed, 303)(scope, receive, send)
            return
        body = Body(receive, passed.most, QUIET_S, SMALL_WITHIN_S if passed.usual else None)
        await _Answer(self._app, self._streams, passed, body, send).give(scope)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            passed = self._rules.passes(self._rules.read(scope), scope)
        except RefusedError:
            passed = ""
        if isinstance(passed, str):
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
            return
        socket = _Socket(receive, send)
        if passed.holds is None:
            await self._app(scope, socket.receive, socket.send)
            return
        with self._streams.watched(passed.holds, socket.end):
            await self._app(scope, socket.receive, socket.send)


def _check_length(asked: Asked, passed: Passed | str) -> None:
    if isinstance(passed, Passed) and asked.length > passed.most:
        raise RefusedError("too-large", f"at most {passed.most} bytes may be sent here")


def _with(refused: RefusedError, more: dict[str, str]) -> RefusedError:
    return RefusedError(refused.kind, refused.detail, refused.headers | more)


def _with_headers(send: Send, asked: Asked) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(raw=list(message.get("headers", ())))
            host = "" if asked.garbled else asked.headers.get("host", "")
            headers.put(found, host=host, secure=asked.secure)
            message = {**message, "headers": found.raw}
        await send(message)

    return sent


class _Answer:
    """One answer on its way. It is replaced where the body was refused while the application read it, and cut
    short where it has no end and whoever asked may no longer."""

    def __init__(self, app: ASGIApp, streams: Streams, passed: Passed, body: Body, send: Send) -> None:
        self._app, self._streams, self._passed, self._body, self._to = app, streams, passed, body, send
        self._limit = asyncio.timeout(None)
        self._begun, self._endless, self._replaced = False, False, False

    async def give(self, scope: Scope) -> None:
        holds = self._passed.holds
        try:
            async with self._limit:
                if holds is None:
                    await self._app(scope, self._body, self._send)
                else:
                    with self._streams.watched(holds, self._end):
                        await self._app(scope, self._body, self._send)
        except TimeoutError:
            if not self._limit.expired():
                raise
            await self._to({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception:
            # It may well break where it was told that nobody waits; that is not its mistake.
            if self._body.refused is None:
                raise
        if self._body.refused is not None and not self._begun:
            await self._replace(answer(self._body.refused))

    def _end(self) -> None:
        """What has an end will come to it; what was not begun yet, too."""
        if self._endless:
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _send(self, message: Message) -> None:
        if self._body.refused is not None and not self._begun:
            await self._replace(answer(self._body.refused))
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self._begun = True
            names = {name.lower() for name, _ in message.get("headers", ())}
            self._endless = b"content-length" not in names
        await self._to(message)

    async def _replace(self, response: Response) -> None:
        self._begun = self._replaced = True
        await self._to(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await self._to({"type": "http.response.body", "body": response.body, "more_body": False})


class _Socket:
    """A WebSocket that can be ended from outside: the application is told that the browser left."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._from, self._to = receive, send
        self._ended, self._closed = False, False
        self._waiting: asyncio.Timeout | None = None

    def end(self) -> None:
        self._ended = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def receive(self) -> Message:
        if not self._ended:
            try:
                async with asyncio.timeout(None) as self._waiting:
                    message = await self._from()
            except TimeoutError:
                if not self._ended:
                    raise
            else:
                return await self._checked(message)
            finally:
                self._waiting = None
        return await self._close(POLICY_VIOLATION)

    async def _checked(self, message: Message) -> Message:
        size = len(message.get("text") or message.get("bytes") or "")
        return message if size <= LARGEST_MESSAGE else await self._close(TOO_BIG)

    async def _close(self, code: int) -> Message:
        self._ended = True
        if not self._closed:
            self._closed = True
            try:
                await self._to({"type": "websocket.close", "code": code, "reason": ""})
            except (OSError, RuntimeError):
                pass  # it left by itself at the same moment
        return {"type": "websocket.disconnect", "code": code, "reason": ""}

    async def send(self, message: Message) -> None:
        """Raises OSError where it was ended, as servers do where the browser left."""
        if self._ended:
            await self._close(POLICY_VIOLATION)
            raise OSError("the WebSocket was closed")
        self._closed = self._closed or message["type"] == "websocket.close"
        await self._to(message)
