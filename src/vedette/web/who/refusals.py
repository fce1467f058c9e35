"""What somebody is told who may not, as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["RefusedError", "answer", "answered"]

_KINDS = MappingProxyType(
    {
        "not-known": (401, "Not logged in"),
        "wrong-password": (401, "Not logged in"),
        "not-allowed": (403, "Not allowed"),
        "foreign": (403, "Asked by another site"),
        "csrf": (403, "Without the session's token"),
        "through-proxy": (403, "Not open to other machines"),
        "not-as-asked": (400, "Not as asked"),
        "unknown-host": (400, "Not our name"),
        "too-slow": (408, "Too slow"),
        "too-large": (413, "Too large"),
        "not-json": (415, "Not JSON"),
        "too-many": (429, "Too many tries"),
        "users-unreadable": (503, "Nobody can be known"),
    }
)


class RefusedError(Exception):
    """To be raised wherever a request is answered. ``kind``: the last part of the problem's type, for
    programs; ``detail``: a sentence."""

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers = kind, detail, dict(headers or {})
        self.status, self.title = _KINDS[kind]


def answer(refused: RefusedError) -> Response:
    """Its answer over HTTP."""
    problem = {
        "type": f"/api/v1/problems/{refused.kind}",
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
        "kind": refused.kind,
    }
    headers = {"Cache-Control": "no-store"} | refused.headers
    if refused.kind == "not-known":
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(problem), refused.status, headers, "application/problem+json")


async def answered(_: Request, error: Exception) -> Response:
    """The same, as an application's handler of that exception."""
    assert isinstance(error, RefusedError)
    return answer(error)
