"""What goes wrong, as whoever asked is told: problem details (RFC 9457), of kinds that programs know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from vedette.control.protocol import NodeRefusedError
from vedette.errors import (
    ConfigError,
    DetectorError,
    LabelError,
    LedgerError,
    ReviewError,
    VedetteError,
    redact,
)
from vedette.ledger.question import QuestionError
from vedette.web.flat_routes import flat_routes
from vedette.web.node import NodeGoneError

__all__ = ["KINDS", "MEDIA_TYPE", "Kind", "Mistake", "Problem", "ProblemError", "handle", "response", "wrong"]

MEDIA_TYPE = "application/problem+json"
ASK_AGAIN_S = 2
"""A node that is away is mostly being restarted."""
MISTAKES_AT_MOST = 50
_FLAG = re.compile(r"(?<![\w-])--(?=[a-z])")


class Kind(NamedTuple):
    """``about``: when it comes, in a sentence."""

    status: int
    title: str
    about: str


KINDS: Mapping[str, Kind] = {
    "invalid": Kind(422, "Not valid", "Something in the address or the body is not as it should be."),
    "not-known": Kind(401, "Not logged in", "It is not known who asks."),
    "not-allowed": Kind(403, "Not allowed", "Who asks may not do this."),
    "not-found": Kind(404, "Not found", "There is no such thing."),
    "no-ledger": Kind(404, "No ledger", "This node keeps no ledger."),
    "no-review": Kind(404, "No review", "This node keeps no frames for review."),
    "no-picture": Kind(404, "No picture", "There is no picture of the camera now."),
    "no-store": Kind(404, "No store", "There is no folder in which files could be kept."),
    "method": Kind(405, "Not that way", "The address is right, the method is not."),
    "refused": Kind(409, "Refused", "The node understood, and would not; the detail says why."),
    "not-done": Kind(409, "Not done", "The node began, and could not; the detail says why."),
    "not-kept": Kind(507, "Done, but not kept", "It is done, and will not be so after a restart."),
    "exists": Kind(409, "Exists already", "There is one of this name already."),
    "too-large": Kind(413, "Too large", "More was sent than is taken."),
    "too-many": Kind(429, "Too many at once", "As many ask for this already as there may."),
    "failed": Kind(500, "A mistake of ours", "The dashboard met something that it was not made for."),
    "ledger": Kind(503, "The ledger cannot be read", "The database does not answer, or is damaged."),
    "review": Kind(503, "The review cannot be read", "The folder of frames for review cannot be read."),
    "node-away": Kind(503, "The node is away", "The node does not answer now; it may later."),
    # Those of who may: raised before a request comes here.
    "wrong-password": Kind(401, "Not logged in", "Name or password are not right."),
    "foreign": Kind(403, "Asked by another site", "A page of another site asked."),
    "csrf": Kind(403, "Without the session's token", "The header X-Vedette-CSRF is missing or old."),
    "through-proxy": Kind(403, "Not open to other machines", "There are no users yet, and a proxy asks."),
    "unknown-host": Kind(400, "Not our name", "It was asked by a name that web.hosts does not have."),
    "not-as-asked": Kind(400, "Not as asked", "The request is not well-formed."),
    "too-slow": Kind(408, "Too slow", "The request was not sent in time."),
    "not-json": Kind(415, "Not JSON", "The body must be JSON."),
    "users-unreadable": Kind(503, "Nobody can be known", "The file of users cannot be read."),
    "http": Kind(400, "Not as asked", "What was asked does not go by HTTP's own rules."),
}
_OF_STATUS = {401: "not-known", 403: "not-allowed", 404: "not-found", 405: "method", 413: "too-large"}


class Mistake(msgspec.Struct, frozen=True):
    """``at``: where, as in ``body.url`` or ``query.limit``. ``what`` is wrong there, in words."""

    at: str
    what: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """``type``: the address of a text about it. ``kind``: the last part of that, for programs. ``errors``: of
    kind ``invalid``, each mistake."""

    type: str
    title: str
    status: int
    detail: str
    kind: str
    errors: list[Mistake] = []


class ProblemError(Exception):
    """To be raised wherever a request is answered. ``kind``: one of :data:`KINDS`; ``status``: in place of
    the kind's own."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: list[Mistake] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail
        self.errors, self.headers = errors or [], dict(headers or {})
        self.status = status or KINDS[kind].status


def wrong(key: str, what: str, *, place: str = "body") -> ProblemError:
    """One mistake in what was sent, at its own field."""
    return ProblemError("invalid", f"{place}.{key}: {what}", errors=[Mistake(f"{place}.{key}", what)])


def response(error: ProblemError) -> Response:
    """Its answer over HTTP."""
    problem = Problem(
        type=f"/api/v1/problems/{error.kind}",
        title=KINDS[error.kind].title,
        status=error.status,
        detail=redact(error.detail),
        kind=error.kind,
        errors=[Mistake(each.at, redact(each.what)) for each in error.errors],
    )
    headers = {"Cache-Control": "no-store"} | error.headers
    return Response(msgspec.json.encode(problem), error.status, headers, MEDIA_TYPE)


def handle(app: FastAPI) -> None:
    """Have ``app`` answer with problem details, whatever is raised."""
    app.add_exception_handler(ProblemError, lambda _, error: response(_problem(error)))
    app.add_exception_handler(RequestValidationError, lambda _, error: response(_invalid(error)))
    app.add_exception_handler(HTTPException, lambda request, error: response(_http(request, error)))
    for kind in (VedetteError, Exception):
        app.add_exception_handler(kind, lambda _, error: response(_problem(error)))


def _problem(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case NodeGoneError():
            return ProblemError("node-away", str(error), headers={"Retry-After": str(ASK_AGAIN_S)})
        case NodeRefusedError():
            return ProblemError("refused", str(error).removeprefix("the node refused: "))
        case QuestionError():
            # Named as on the command line, whose question it is; here they are parameters.
            return ProblemError("invalid", _FLAG.sub("", str(error)))
        case LedgerError():
            return ProblemError("ledger", str(error))
        case ReviewError():
            return ProblemError("review", str(error))
        case ConfigError() | DetectorError() | LabelError():
            return ProblemError("invalid", str(error))
    # What it was stands in the log; it may hold anything.
    return ProblemError("failed", f"{type(error).__name__}; the dashboard's log says more")


def _invalid(error: RequestValidationError) -> ProblemError:
    """Without the values: they may be secret, as an address with its password is."""
    mistakes = [
        Mistake(".".join(str(part) for part in each["loc"]), each["msg"].removeprefix("Value error, "))
        for each in error.errors()[:MISTAKES_AT_MOST]
    ]
    said = "; ".join(f"{each.at}: {each.what}" for each in mistakes[:3])
    more = f"; and {len(mistakes) - 3} more" if len(mistakes) > 3 else ""
    return ProblemError("invalid", said + more, errors=mistakes)


def _http(request: Request, error: HTTPException) -> ProblemError:
    kind = _OF_STATUS.get(error.status_code, "http")
    headers = dict(error.headers or {})
    plain = error.detail == HTTPStatus(error.status_code).phrase
    detail = KINDS[kind].about if plain and kind != "http" else str(error.detail)
    if error.status_code == 405:
        headers["Allow"] = ", ".join(allowed := _methods(request)) or headers.get("Allow", "")
        detail = f"{request.method} is nothing for this address; {', '.join(allowed)} would be"
    return ProblemError(kind, detail, headers=headers, status=error.status_code)


def _methods(request: Request) -> list[str]:
    """That some route takes at this address; a route alone knows only its own."""
    found: set[str] = set()
    for route in flat_routes(request.app.routes):
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found |= set(getattr(route, "methods", None) or ())
    return sorted(found)
