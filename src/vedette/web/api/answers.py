"""How answers are put on the wire, and how the OpenAPI document says what is in them.

Bodies are msgspec structs, encoded by msgspec: a thousand cameras take a few milliseconds. FastAPI knows
nothing of these, so their schemas are added to its document (:func:`document`).
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from vedette.web.problems import KINDS, MEDIA_TYPE, Problem
from vedette.web.settings import is_loopback

__all__ = ["JSON", "Body", "answer", "binary", "body", "document", "encoded", "error", "said", "text"]

JSON = "application/json"
ZIP_FROM = 4096
"""Bytes; what is shorter is in the browser before it would be compressed."""
ZIP_LEVEL = 1
"""Five times as fast as the usual level, and a tenth larger."""

_SECRET = {"Cache-Control": "private, no-cache"}
"""May be kept by the browser, and has to be asked about each time."""


@dataclass(slots=True)
class Body:
    """Bytes for all who ask, and what tells whether they are the same as before."""

    data: bytes
    etag: str
    media_type: str = JSON
    _zipped: bytes | None = field(default=None, repr=False)

    def zipped(self) -> bytes:
        """Compressed once, for whoever wants it so."""
        if self._zipped is None:
            self._zipped = gzip.compress(self.data, ZIP_LEVEL, mtime=0)
        return self._zipped


def body(told: Any, *, of: Any = None, media_type: str = JSON) -> Body:
    """``of``: what tells whether it is the same as before, where that is not all of ``told`` (its moment)."""
    data = told if isinstance(told, bytes) else msgspec.json.encode(told, enc_hook=_plain)
    about = data if of is None else msgspec.json.encode(of, enc_hook=_plain)
    return Body(data, f'W/"{blake2b(about, digest_size=12).hexdigest()}"', media_type)


def encoded(told: Any) -> bytes:
    return msgspec.json.encode(told, enc_hook=_plain)


def _plain(value: Any) -> Any:
    """NumPy's numbers, which a view may hold, as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise NotImplementedError(f"cannot say a {type(value).__name__}")


def answer(
    request: Request, told: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Nothing but 304 where the browser has it already; compressed where that helps: on the way to another
    machine."""
    made = told if isinstance(told, Body) else body(told)
    sent = {**_SECRET, "ETag": made.etag, "Vary": "Accept-Encoding", **(headers or {})}
    if status == 200 and made.etag in request.headers.get("if-none-match", ""):
        return Response(None, 304, sent)
    data = made.data
    if len(data) >= ZIP_FROM and _wants_zip(request):
        data = made.zipped()
        sent["Content-Encoding"] = "gzip"
    return Response(data, status, sent, made.media_type)


def _wants_zip(request: Request) -> bool:
    host = request.client.host if request.client else ""
    return "gzip" in request.headers.get("accept-encoding", "") and not is_loopback(host or "127.0.0.1")


# ---- what the document says

_SAID: dict[str, Any] = {}
"""Structs that some route answers with, by name."""


def said(
    kind: Any, about: str = "As asked.", *, status: int = 200, many: bool = False
) -> dict[int | str, Any]:
    """For ``responses`` of a route: JSON of this struct, or a list of them."""
    _SAID[kind.__name__] = kind
    schema: dict[str, Any] = {"$ref": f"#/components/schemas/{kind.__name__}"}
    if many:
        schema = {"type": "array", "items": schema}
    return {status: {"description": about, "content": {JSON: {"schema": schema}}}}


def binary(media_type: str, about: str) -> dict[int | str, Any]:
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": about, "content": {media_type: {"schema": schema}}}}


def text(media_type: str, about: str, *, kind: str = "string") -> dict[int | str, Any]:
    return {200: {"description": about, "content": {media_type: {"schema": {"type": kind}}}}}


def error(*kinds: str) -> dict[int | str, Any]:
    """For ``responses`` of a route: the problems that may come of it."""
    found: dict[int | str, Any] = {}
    for kind in kinds:
        status, title, about = KINDS[kind]
        entry = found.setdefault(
            status, {"description": "", "content": {MEDIA_TYPE: {"schema": _PROBLEM, "examples": {}}}}
        )
        entry["description"] = f"{entry['description']} `{kind}`: {about}".strip()
        example = {"type": f"/api/v1/problems/{kind}", "title": title, "status": status, "detail": about}
        entry["content"][MEDIA_TYPE]["examples"][kind] = {"value": {**example, "kind": kind}}
    return found


_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def document(
    app: FastAPI, *, also: Sequence[BaseRoute], about: str, tags: list[dict[str, Any]], server: str
) -> dict[str, Any]:
    """The OpenAPI document, with the schemas of all that was :func:`said`. ``also``: routes that lie in
    front of ``app``, below ``server``, too."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=about,
        routes=[*app.routes, *also],
        tags=tags,
        servers=[{"url": server}],
    )
    made["paths"] = {path.removeprefix(server): told for path, told in made["paths"].items()}
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    _, known = msgspec.json.schema_components(
        [*_SAID.values(), Problem], ref_template="#/components/schemas/{name}"
    )
    schemas.update(known)
    for operation in (each for path in made["paths"].values() for each in path.values()):
        if "requestBody" in operation:
            _may_be_garbled(operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)  # of FastAPI's own, in place of which we tell problems
    return made


def _may_be_garbled(operation: dict[str, Any]) -> None:
    """It has a body, which may be no body at all, or of another kind."""
    kinds = ("http", "not-json") if JSON in operation["requestBody"]["content"] else ("http",)
    for code, told in error(*kinds).items():
        operation["responses"].setdefault(str(code), told)
