"""Logging in and out: a small page that needs nothing else, and the session's three routes."""

from __future__ import annotations

import asyncio
import html
import math
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import APIRouter, FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from vedette.web.api.answers import error, said
from vedette.web.problems import ProblemError, response
from vedette.web.served import Served
from vedette.web.who.headers import LOGIN_POLICY
from vedette.web.who.limit import Limits
from vedette.web.who.passwords import decoy, matches
from vedette.web.who.refusals import RefusedError
from vedette.web.who.roles import LOCAL, Role, Who
from vedette.web.who.sessions import ABSOLUTE_S
from vedette.web.who.used import Used
from vedette.web.who.users import Token, User

if TYPE_CHECKING:
    from vedette.web.who.guard import Guard

__all__ = ["LoginPage", "local_path"]

ASSETS = Path(__file__).parent / "assets"

HASHED_AT_ONCE = 1
"""A third of a second of a core each, which others use."""
WAITING_MOST = 16
BUSY_S = 5

_ALLOWED, _OTHERS = "DELETE, GET, POST", ("HEAD", "OPTIONS", "PATCH", "PUT", "QUERY", "TRACE")
"""Methods of the session's routes, and others."""

_WRONG = "the name or the password is wrong"
"""Which of the two is nobody's business."""


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class SessionTold(msgspec.Struct, frozen=True):
    """``by``: how it is known who asks: ``local`` (nobody has to log in), ``session`` or ``token NAME``.
    ``csrf``: of a session, what its requests that change something repeat in ``X-Vedette-CSRF``."""

    name: str
    role: Role
    by: str
    csrf: str


class LoginPage:
    """Of one guard. ``path``: of the session's routes."""

    def __init__(self, guard: Guard, served: Served) -> None:
        self._guard, self._node = guard, served.node
        self._clock = served.clock
        self._limits = Limits()
        self._hashing: asyncio.Semaphore | None = None
        self._waiting = 0
        self._used = Used(guard.users.path)
        self._page = Template((ASSETS / "login.html").read_text())
        self._files = {
            "login.js": ((ASSETS / "login.js").read_bytes(), "text/javascript"),
            "login.css": ((ASSETS / "login.css").read_bytes(), "text/css"),
        }
        self.path = "/session"
        self.session_routes = APIRouter(tags=["session"])
        """What the API's description has beside its own."""

    def routes(self, app: FastAPI, prefix: str) -> None:
        self.path = f"{prefix}/session"
        self._add_session()
        app.include_router(self.session_routes)
        router = APIRouter()
        for path, answered in (("/login", self.page), ("/login/{name}", self.file)):
            router.add_api_route(path, answered, methods=["GET"], include_in_schema=False)
        app.include_router(router)

    def _add_session(self) -> None:
        router = self.session_routes
        router.add_api_route(
            self.path,
            self.session,
            methods=["GET"],
            summary="Who asks, and what they may",
            description="`csrf` is what requests by cookie that change something send as `X-Vedette-CSRF`.",
            responses={**said(SessionTold), **error("not-known")},
        )
        router.add_api_route(
            self.path,
            self.log_in,
            methods=["POST"],
            summary="Log in",
            description="The answer sets a cookie, which is sent along from then on. Programs that have a "
            "token need no session.",
            responses={
                **said(SessionTold),
                **error("not-as-asked", "wrong-password", "too-large", "not-json", "too-many"),
            },
            openapi_extra=_BODY,
        )
        router.add_api_route(
            self.path,
            self.log_out,
            methods=["DELETE"],
            summary="Log out",
            status_code=204,
            response_class=Response,
            responses=error("not-known", "csrf"),
        )
        router.add_api_route(self.path, self.other, methods=list(_OTHERS), include_in_schema=False)

    # ---- the page

    async def page(self, request: Request) -> Response:
        wanted = local_path(request.query_params.get("next", "/"))
        if self._guard.who(request) is not None:
            return RedirectResponse(wanted, 303)
        text = self._page.substitute(node=html.escape(self._node), next=html.escape(wanted))
        return Response(text, 200, {"Content-Security-Policy": LOGIN_POLICY}, "text/html")

    async def file(self, name: str) -> Response:
        if name not in self._files:
            return Response("Not Found", 404, media_type="text/plain")
        body, kind = self._files[name]
        return Response(body, 200, {"Cache-Control": "public, max-age=300"}, kind)

    # ---- the session

    async def session(self, request: Request) -> Response:
        asks = self._guard.who(request)
        if asks is None:
            raise RefusedError("not-known", "nobody is logged in")
        return JSONResponse(_said(asks, self._csrf(request)))

    async def log_in(self, request: Request) -> Response:
        """A name and a password, as JSON."""
        given = await _credentials(request)
        if self._guard.open:
            return JSONResponse(_said(LOCAL, ""))
        address = request.client.host if request.client else ""
        user = await self._proven(given, address)
        if user is None:
            # Of a name that nobody has nothing is written down: people type passwords into the wrong field.
            known = self._guard.people.user(given.name) is not None
            self._guard.audit(given.name if known else "somebody unknown", "log in", "", "refused")
            raise RefusedError("wrong-password", _WRONG)
        self._limits.passed(given.name, address)
        return self._begin(request, user)

    async def _proven(self, given: Credentials, address: str) -> User | None:
        """The user whose password it is. Raises RefusedError where too many were tried."""
        if self._waiting >= WAITING_MOST:
            raise RefusedError("too-many", "too many log in at once", {"Retry-After": str(BUSY_S)})
        wait = self._limits.attempt(given.name, address, self._guard.now)
        if wait > 0:
            seconds = str(math.ceil(wait))
            self._guard.tries_too_often(address)
            raise RefusedError("too-many", f"try again in {seconds} s", {"Retry-After": seconds})
        known = self._guard.people.user(given.name)
        user = None if known is None or known.disabled else known
        record = None if user is None else user.password
        right = await self._matches(given.password, record or decoy(self._guard.people.cost))
        # While it was computed somebody may have been disabled.
        still = user is not None and self._guard.stamp_of(user.name) == user.stamp
        return user if right and record is not None and still else None

    async def _matches(self, password: str, record: str) -> bool:
        if self._hashing is None:
            self._hashing = asyncio.Semaphore(HASHED_AT_ONCE)
        self._waiting += 1
        try:
            async with self._hashing:
                return await asyncio.to_thread(matches, password, record)
        finally:
            self._waiting -= 1

    def _begin(self, request: Request, user: User) -> Response:
        """Under an id that nobody can have known before."""
        secure = request.url.scheme == "https"
        self._guard.end_sessions(request)
        id, session = self._guard.sessions.begin(user.name, user.stamp, self._guard.now)
        who = Who(user.name, user.role, "session")
        self._guard.audit(who, "log in", "", "done")
        response = JSONResponse(_said(who, session.csrf))
        self._set_cookie(response, id, secure, round(ABSOLUTE_S))
        return response

    async def log_out(self, request: Request) -> Response:
        asks = self._guard.who(request)
        ended = self._guard.end_sessions(request)
        if ended and asks is not None:
            self._guard.audit(asks, "log out", "", "done")
        response = Response(status_code=204)
        self._set_cookie(response, "", request.url.scheme == "https", 0)
        return response

    async def other(self, request: Request) -> Response:
        """Said here, because what lies behind this address knows nothing of it."""
        detail = f"{request.method} is nothing for this address; {_ALLOWED} would be"
        return response(ProblemError("method", detail, headers={"Allow": _ALLOWED}))

    def _set_cookie(self, response: Response, value: str, secure: bool, seconds: int) -> None:
        response.set_cookie(
            self._guard.cookie_of(secure),
            value,
            max_age=seconds,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def _csrf(self, request: Request) -> str:
        session = self._guard.session_of(request)
        return "" if session is None else session.csrf

    def used(self, token: Token) -> None:
        """A token was shown."""
        self._used.note(token, self._clock.wall())


def local_path(text: str) -> str:
    """A path of this dashboard to go to; ``/`` where it would lead elsewhere, or to log in again.

    Browsers take ``\\`` for ``/``, leave out tabs and line ends, and read ``//`` as the beginning of a host.
    """
    if not text.startswith("/") or text.startswith("//") or len(text) > 2000:
        return "/"
    if "\\" in text or any(each <= " " or each == "\x7f" for each in text):
        return "/"
    path = text.partition("?")[0].partition("#")[0]
    return "/" if path == "/login" or path.startswith("/login/") else text


async def _credentials(request: Request) -> Credentials:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # What a form of another site's page can send is none.
        raise RefusedError("not-json", "send a name and a password as application/json")
    try:
        return msgspec.json.decode(await request.body(), type=Credentials)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ClientDisconnect):
        # Without what was sent: it may be a password.
        raise RefusedError("not-as-asked", 'send {"name": …, "password": …}') from None


def _said(who: Who, csrf: str) -> dict[str, str]:
    return {"name": who.name, "role": who.role, "by": who.by, "csrf": csrf}


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["name", "password"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 64},
                        "password": {"type": "string", "maxLength": 1024, "format": "password"},
                    },
                }
            }
        },
    }
}
