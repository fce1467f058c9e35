"""The dashboard's process: serves until nobody looks any more, or its node ends it."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from vedette.errors import VedetteError, redact
from vedette.observe.log import configure_logging
from vedette.web.settings import WebSettings
from vedette.web.task import Task
from vedette.workers.protocol import Busy, Channel, StartWeb
from vedette.workers.step_back import end_first

if TYPE_CHECKING:
    import uvicorn

__all__ = ["run", "server_config"]

LOOKS_A_WAIT = 10
"""How often it is looked whether nobody asks any more, in the time after which it ends for that."""

ENDS_WITHIN_S = 1
NICE = 10
"""Pages may wait a moment, frames may not. Not the idle class: a node that is overloaded is looked at."""

GIVEN_UP = 1

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


def run(start: StartWeb, channel: Channel, listening: int) -> int:
    """Serve at the socket with this descriptor; returns the exit code."""
    task = msgspec.msgpack.decode(start.task, type=Task)
    configure_logging(task.log_level or "info", json=task.log_json)
    _let_libraries_log()
    try:
        os.nice(NICE)
        end_first()
        _serve(task, socket.socket(fileno=listening))
    except Exception as err:
        # Whatever it met must reach people, and without credentials.
        if not isinstance(err, VedetteError):
            sys.stderr.write(redact(traceback.format_exc()))
        channel.send(Busy(type(err).__name__, redact(str(err))[:2000] or type(err).__name__))
        return GIVEN_UP
    return 0


def _serve(task: Task, listening: socket.socket) -> None:
    import uvicorn

    from vedette.web.app import build
    from vedette.web.remote import RemoteNode
    from vedette.web.served import Served

    node = RemoteNode(Path(task.socket))
    settings = WebSettings.model_validate_json(task.settings)
    served = Served(
        node=task.node,
        asked=node,
        settings=settings,
        host=listening.getsockname()[0],
        ledger=task.ledger,
        store=_path(task.store),
        review=_path(task.review),
        runs=_path(task.runs),
        ever_users=task.ever_users,
    )
    idle = _Idle(build(served))
    server = uvicorn.Server(server_config(idle, settings))
    idle.watch(task.idle_s, lambda: setattr(server, "should_exit", True))
    try:
        server.run(sockets=[listening])
    finally:
        node.close()


def server_config(app: App, settings: WebSettings) -> uvicorn.Config:
    """How it is served; nothing that anybody sends is held without a limit."""
    import uvicorn

    from vedette.web.connections import Connection
    from vedette.web.who.gate import LARGEST_MESSAGE

    return uvicorn.Config(
        app,
        http=Connection,
        ws_max_size=LARGEST_MESSAGE,
        log_config=None,
        log_level="error",  # of malformed requests there may be any number
        access_log=False,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
        lifespan="on",
        server_header=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        proxy_headers=False,  # whom to believe is asked where it is known who asks
    )


class _Plain(logging.Formatter):
    """Lines of libraries: what they met may hold credentials."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _let_libraries_log() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _Idle:
    """Counts who asks, and says when nobody has for a while."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open, self._last = 0, time.monotonic()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            self._last = time.monotonic()

    def watch(self, within: float, over: Callable[[], None]) -> None:
        def look() -> None:
            while self._open or time.monotonic() - self._last < within:
                time.sleep(within / LOOKS_A_WAIT)
            over()

        threading.Thread(target=look, name="vedette-idle", daemon=True).start()


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
