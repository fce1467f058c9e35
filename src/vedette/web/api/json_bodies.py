"""Bodies of requests before they are taken for anything: JSON, said to be JSON, and no key said twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from vedette.web.problems import Mistake, ProblemError

__all__ = ["JsonRoute", "check_json"]

KEY_SHOWN = 64


class JsonRoute(APIRoute):
    """A route whose body, where it takes one, is looked at first. What follows says what is wrong in it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def looked_at(request: Request) -> Response:
            check_json(await _sent(request), request.headers.get("content-type", ""))
            return await handle(request)

        return looked_at


async def _sent(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect:
        raise ProblemError("http", "it was broken off") from None


def check_json(data: bytes, content_type: str) -> None:
    """Raises ProblemError for what is not said to be JSON, and where a key is said twice: programs disagree
    about which of the two counts. Nothing at all is right."""
    if not data:
        return
    if not _is_json(content_type):
        raise ProblemError("not-json", "the body must be JSON: send Content-Type: application/json")
    try:
        json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        pass  # no JSON at all: told by whoever reads it


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            what = f"has the key {key[:KEY_SHOWN]!r} twice"
            raise ProblemError("invalid", f"body: {what}", errors=[Mistake("body", what)])
        found[key] = value
    return found
