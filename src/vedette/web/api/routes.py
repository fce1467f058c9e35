"""All of the API, put into the application that serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute

from vedette import __version__
from vedette.web.api.answers import document
from vedette.web.api.cameras import cameras
from vedette.web.api.compared import compared
from vedette.web.api.ledger import ledger
from vedette.web.api.models import models
from vedette.web.api.parts import Parts
from vedette.web.api.pictures import pictures
from vedette.web.api.quality import quality
from vedette.web.api.results import results
from vedette.web.api.state import alive, state
from vedette.web.api.system import system
from vedette.web.api.uploads import LARGEST
from vedette.web.api.users import users
from vedette.web.problems import handle
from vedette.web.served import Served
from vedette.web.who.guard import Guard
from vedette.web.who.refusals import RefusedError, answered

__all__ = ["api"]

ABOUT = """\
What a Vedette node sees and does. Times are Unix seconds, durations have their unit in their name. All errors
are problem details (RFC 9457, `application/problem+json`), whose `kind` is for programs. Parameters and keys
that are not known are refused."""

TAGS: list[dict[str, Any]] = [
    {"name": "node", "description": "The node as a whole, and what it was told to do."},
    {"name": "cameras", "description": "Which there are, how they are, and changing them."},
    {"name": "pictures", "description": "Pictures now: one, some, and live."},
    {"name": "results", "description": "What is found, and what happens, as it happens."},
    {"name": "ledger", "description": "What was not seen, and why; coverage."},
    {"name": "quality", "description": "Drift, accuracy, validation, review, alerts."},
    {"name": "models", "description": "Which model detects; uploads; candidates."},
    {"name": "system", "description": "Workers, memory, stages, the machine."},
    {"name": "session", "description": "Logging in and out."},
    {"name": "users", "description": "Who may, and what; tokens."},
]

ROUTERS = (state, cameras, pictures, results, ledger, quality, compared, models, system, users)


class _Api(FastAPI):
    """An application of its own, mounted in the dashboard's: all it answers, errors too, is JSON."""

    server = "/"
    also: Sequence[BaseRoute] = ()
    """Routes below the same prefix that are answered before they come here."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = document(self, also=self.also, about=ABOUT, tags=TAGS, server=self.server)
        return self.openapi_schema


def api(app: FastAPI, served: Served, guard: Guard, *, prefix: str) -> Parts:
    """What its parts are; raises nothing."""
    parts = app.state.parts = Parts.of(served, guard)
    inner = _Api(
        title="Vedette",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    inner.server, inner.also = prefix, guard.login.session_routes.routes
    handle(inner)
    inner.add_exception_handler(RefusedError, answered)
    handle(app)  # an address that no pattern takes (with a line break in it) comes to nobody else
    for router in ROUTERS:
        inner.include_router(router(parts))
    guard.bodies(f"{prefix}/models", max(LARGEST.values()), "admin")
    alive(app, parts)
    app.mount(prefix, inner)
    return parts
