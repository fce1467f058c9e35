"""The page by itself: one review folder, this machine only."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vedette.errors import VedetteError
from vedette.quality.review.page.mount import mount
from vedette.quality.review.page.settings import PageSettings
from vedette.quality.review.store import Store

__all__ = ["serve"]

ENDS_WITHIN_S = 2
"""Pages hold a connection open, and would keep the process alive."""

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and in nobody's frame. Vue makes functions of templates, and NiceGUI writes scripts
into its pages: hence the two that are unsafe elsewhere."""


class _Policy:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _POLICY
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, with_policy if scope["type"] == "http" else send)


def serve(
    store: Store, settings: PageSettings, *, host: str, port: int, ready: Callable[[str], None]
) -> None:
    """Until interrupted. ``host``: a loopback address. ``port``: 0 takes a free one. ``ready``: is given the
    page's URL once it can be opened. Raises VedetteError."""
    listening = _listening(host, port)
    app = FastAPI(openapi_url=None)
    # Names of other sites that lead to this machine are refused: a page of theirs could read the pictures.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", host])
    app.add_middleware(_Policy)
    mount(lambda: store, settings, path="/review")
    ui.run_with(app, title="Review · Vedette", dark=None, tailwind=False, show_welcome_message=False)
    ready(f"http://{host}:{listening.getsockname()[1]}/review")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=ENDS_WITHIN_S, lifespan="on"
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as err:
        listening.close()
        raise VedetteError(
            f"{host}:{port}: cannot be listened at: {err.strerror or err}; --port chooses another"
        ) from err
    return listening
