"""What stands before each of the page's endpoints: no large bodies, no other site's requests, and errors in
words that tell nothing of this machine's folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from vedette.errors import ReviewError, redact

__all__ = ["BODY_AT_MOST", "Guarded"]

BODY_AT_MOST = 2 * 2**20
"""Bytes. Five thousand boxes, more than any detector finds, take less than one million."""

_FOLDERS = re.compile(r"(?<=['\" ])/(?:[^/'\"]+/)+")


class Guarded(APIRoute):
    """Refuses what other sites' pages ask through a reviewer's browser; tells our errors in words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return JSONResponse({"error": "asked by another site"}, 403)
            try:
                return await handle(Request(request.scope, _at_most(BODY_AT_MOST, request.receive)))
            except RequestValidationError as err:
                # The framework would give back what was asked, which JSON may not be able to hold.
                where = ".".join(map(str, err.errors()[0]["loc"]))
                return JSONResponse({"error": f"{where}: {err.errors()[0]['msg']}"}, 422)
            except ReviewError as err:
                return JSONResponse({"error": _without_folders(redact(str(err)))}, 409)

        return handler


def _at_most(size: int, receive: Receive) -> Receive:
    """Counted as it comes: what a header says of its length need not be true."""
    left = size

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"more than {size} bytes")
        return message

    return limited


def _without_folders(text: str) -> str:
    """Store errors begin with the path of what they are about; its name is enough to know which it is. The
    system's own errors name it once more, in quotes."""
    path, colon, rest = text.partition(": ")
    about = path.rsplit("/", 1)[-1] if path.startswith("/") else path
    return about + _FOLDERS.sub("", colon + rest)
