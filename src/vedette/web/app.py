"""The dashboard put together: who may, then the API, then the pages; one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from nicegui import core, ui

from vedette import __version__
from vedette.web.api.routes import api
from vedette.web.pages.shell import pages
from vedette.web.served import Served
from vedette.web.who.guard import Guard

__all__ = ["API", "build"]

API = "/api/v1"


def build(served: Served) -> FastAPI:
    """Raises ConfigError where it must not be served so: to others than this machine, and without users."""
    closing: list[Callable[[], None]] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for close in closing:
            await asyncio.to_thread(close)

    app = FastAPI(
        lifespan=lifespan,
        title="Vedette",
        version=__version__,
        openapi_url=None,  # the API has its own
        docs_url=None,
        redoc_url=None,
    )
    guard = Guard(served)
    guard.routes(app, prefix=API)
    parts = api(app, served, guard, prefix=API)
    closing += [guard.close, parts.books.close]
    pages(served, guard)
    ui.run_with(
        app,
        title="Vedette",
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,  # pages draw themselves: nothing is bound to a value of Python's
    )
    core.sio.on("log", _unheard)
    # Last, and so outermost: nothing is looked at before it is known who asks.
    guard.protect(app)
    return app


async def _unheard(*_: object) -> None:
    """NiceGUI lets pages write into our log whatever they like; ours have nothing to say there."""
