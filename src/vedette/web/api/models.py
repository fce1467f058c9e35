"""Models: which one detects, files that were uploaded, candidates in the shadow and as canaries."""

from __future__ import annotations

import asyncio
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import ClientDisconnect

from vedette.control.protocol import Order
from vedette.observe.canary_words import canary_words
from vedette.observe.views import CanaryView, NodeView, ShadowView, ValidationView
from vedette.web.api.answers import answer, error, said
from vedette.web.api.giving import Ordered
from vedette.web.api.json_bodies import JsonRoute
from vedette.web.api.parts import Parts
from vedette.web.api.uploads import ENDINGS, LARGEST, Uploaded
from vedette.web.problems import ProblemError, wrong
from vedette.web.who.guard import Who

__all__ = ["models"]

WAIT_S = 1.0
"""To load a model takes longer than anybody waits for an answer."""
A_MONTH_S = 31 * 86_400.0
_AS_CANDIDATE = ("in the shadow", "as a canary")
NAMES = "names of what detects"

_CHANGED = {
    **said(Ordered, "It was done."),
    **said(Ordered, "It was begun; ask at `Location`.", status=202),
    **error(
        "invalid", "not-known", "not-allowed", "not-found", "refused", "not-done", "not-kept", "node-away"
    ),
}
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
ClassName = Annotated[str, Field(min_length=1, max_length=100)]
CLASSES_AT_MOST, LETTERS_AT_MOST = 1000, 12_000
"""Of classes in a request: all of them have to fit into an order (64 KiB), in whatever script."""


class WhichModel(BaseModel):
    """A model: a ``file`` on the node's machine, or the name of an ``upload``; and the names of its classes:
    those in an uploaded file of ``labels``, or ``classes``. Where neither is given they are those of the
    detector at work; ``"classes": null``: those that the model itself has."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"upload": "yolo.onnx", "labels": "names.txt"}]},
    )

    file: Annotated[
        str | None, Field(max_length=1024, description="Absolute path of an ONNX file on its machine.")
    ] = None
    upload: Name | None = None
    labels: Annotated[Name | None, Field(description="Name of an uploaded file of class names.")] = None
    classes: Annotated[
        Annotated[list[ClassName], Field(min_length=1, max_length=CLASSES_AT_MOST)]
        | Literal["coco", "coco91"]
        | None,
        Field(description="Names by class id. More, or longer ones: upload a file."),
    ] = None

    @model_validator(mode="after")
    def _one(self) -> WhichModel:
        if (self.file is None) == (self.upload is None):
            raise ValueError("give either file or upload")
        if self.file is not None and not (self.file.startswith("/") and self.file.endswith(".onnx")):
            raise ValueError("file: must be an absolute path that ends with .onnx")
        if self.labels is not None and self.classes is not None:
            raise ValueError("give either labels or classes")
        if isinstance(self.classes, list) and sum(map(len, self.classes)) > LETTERS_AT_MOST:
            raise ValueError("classes: too many to be said here; upload a file")
        return self


class SetModel(WhichModel):
    force: Annotated[bool, Field(description="Whatever labelled pictures say of it.")] = False


class Shadow(WhichModel):
    share: Annotated[float, Field(gt=0, le=1, description="Of the frames that are analysed.")] = 0.1
    lasts_s: Annotated[float, Field(ge=1, le=A_MONTH_S)] = 3600.0


class Canary(WhichModel):
    cameras: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]],
        Field(min_length=1, max_length=1000, description="Names; * and ? stand for others."),
    ]
    lasts_s: Annotated[float, Field(ge=1, le=A_MONTH_S)] = 3600.0
    then: Literal["back", "set"] = "back"
    force: Annotated[
        bool,
        Field(description="Whatever labelled pictures say of it; before it is set they are asked again."),
    ] = False


class UploadQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Literal["model", "labels"] = "model"


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """``detector``: what detects now, in words. ``file``: its path, null where it is the bundled one or not
    known. ``input_size``: (height, width). ``validation``: what was last said of it on labelled pictures."""

    detector: str
    file: str | None
    input_size: tuple[int, int]
    classes: list[str] | str | None
    validation: ValidationView | None
    shadow: ShadowView | None
    canary: CanaryView | None


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """Files that were uploaded, by name. ``largest``: bytes that are taken, by kind."""

    models: list[Uploaded]
    largest: dict[str, int]


class ShadowTold(msgspec.Struct, frozen=True, kw_only=True):
    """Null where no candidate was ever shown frames."""

    shadow: ShadowView | None


class CanaryTold(msgspec.Struct, frozen=True, kw_only=True):
    """``canary``: null where none ever detected. ``words``: the same for people."""

    canary: CanaryView | None
    words: str


def models(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["models"], route_class=JsonRoute)
    _detects(router, parts)
    _files(router, parts)
    _shadow(router, parts)
    _canary(router, parts)
    return router


async def _path(parts: Parts, which: WhichModel) -> str:
    if which.upload is not None:
        return await _uploaded(parts, "upload", which.upload, "model")
    assert which.file is not None
    return which.file


async def _names(parts: Parts, which: WhichModel) -> dict[str, Any]:
    """As keys of ``detector``: the names that its classes are to have, where that was said."""
    if which.labels is not None:
        return {"classes": await _uploaded(parts, "labels", which.labels, "labels")}
    return {"classes": which.classes} if "classes" in which.model_fields_set else {}


async def _uploaded(parts: Parts, key: str, name: str, kind: str) -> str:
    """Its path. Raises ProblemError."""
    if not name.endswith(ENDINGS[kind]):
        raise wrong(key, f"must end with {' or '.join(ENDINGS[kind])}")
    return str((await asyncio.to_thread(parts.uploads.path, name)).absolute())


def _detects(router: APIRouter, parts: Parts) -> None:
    viewer, admin = parts.may("viewer"), parts.may("admin")

    @router.get(
        "/model", summary="Which model detects", responses={**said(Model), **error("not-known", "node-away")}
    )
    async def model(request: Request, who: Who = viewer) -> Response:
        view = (await parts.fleet.moment()).view
        detector = await parts.fleet.detector()
        return answer(
            request,
            Model(
                detector=view.detector,
                file=detector.get("model"),
                input_size=view.input_size,
                classes=detector.get("classes"),
                validation=view.validation,
                shadow=view.shadow,
                canary=view.canary,
            ),
        )

    @router.put(
        "/model",
        summary="Let another model detect, with nothing lost",
        description="If it cannot be used, or is worse on the labelled pictures of the configuration, the "
        "one before goes on.",
        responses=_CHANGED,
    )
    async def set_model(request: Request, told: SetModel, who: Who = admin) -> Response:
        order = Order(
            kind="model",
            what=await _path(parts, told),
            force=told.force,
            settings=await _names(parts, told),
        )
        return await parts.giving.give(request, who, order, wait_s=WAIT_S)


def _files(router: APIRouter, parts: Parts) -> None:
    viewer, admin = parts.may("viewer"), parts.may("admin")

    @router.get(
        "/models", summary="Files that were uploaded", responses={**said(Models), **error("not-known")}
    )
    async def uploaded(request: Request, who: Who = viewer) -> Response:
        used = await _used(parts)
        found = [
            msgspec.structs.replace(each, used=used.get(each.path, ""))
            for each in await asyncio.to_thread(parts.uploads.all)
        ]
        return answer(request, Models(models=found, largest=LARGEST))

    @router.post(
        "/models",
        summary="Upload a model, or a file of class names",
        description="The body is the file itself. It is read in a process of its own, with limits, before it "
        "is kept.",
        status_code=201,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
        responses={
            **said(Uploaded, "It is kept.", status=201),
            **error("invalid", "not-known", "not-allowed", "no-store", "exists", "too-large", "too-many"),
        },
    )
    async def upload(request: Request, query: Annotated[UploadQuery, Query()], who: Who = admin) -> Response:
        told = await _taken(parts, request, query, who)
        location = f"{request.url.path.rstrip('/')}/{told.name}"
        return answer(request, told, 201, {"Location": location})

    @router.delete(
        "/models/{name}",
        summary="Delete an uploaded file",
        status_code=204,
        response_class=Response,
        responses=error("invalid", "not-known", "not-allowed", "not-found", "no-store", "refused"),
    )
    async def remove(name: Annotated[str, Path(max_length=100)], who: Who = admin) -> Response:
        path = await asyncio.to_thread(parts.uploads.path, name)
        used = await _used(parts)
        if use := used.get(str(path.absolute())) or _perhaps(path, used):
            raise ProblemError("refused", f"{name} is in use: {use}")
        if await parts.giving.is_wanted(str(path)):
            raise ProblemError("refused", f"{name} is about to be used")
        await asyncio.to_thread(parts.uploads.remove, name)
        parts.guard.audit(who, "delete", f"upload {name}", "done")
        return Response(status_code=204)


async def _taken(parts: Parts, request: Request, query: UploadQuery, who: Who) -> Uploaded:
    """The file that is being sent. Raises ProblemError; what became of it is put on record in any case."""
    what = f"{query.kind} {query.name}"
    try:
        told = await parts.uploads.take(
            query.name, query.kind, request.stream(), at=parts.served.clock.wall(), by=who.name
        )
    except ClientDisconnect:
        parts.guard.audit(who, "upload", what, "broken off")
        raise ProblemError("http", "it was broken off") from None
    except ProblemError as err:
        parts.guard.audit(who, "upload", what, f"refused: {err.detail}")
        raise
    parts.guard.audit(who, "upload", what, f"done: {told.bytes} bytes, sha256 {told.sha256}")
    return told


async def _used(parts: Parts) -> dict[str, str]:
    """As what a file is in use now, by its path."""
    view = (await parts.fleet.moment()).view
    detector = await parts.fleet.detector()
    found = {str(detector.get("model")): "it detects"}
    if isinstance(detector.get("classes"), str):
        found[detector["classes"]] = NAMES
    return found | _candidates(view)


def _perhaps(path: FilePath, used: dict[str, str]) -> str:
    """Of class names: nobody says which ones a candidate has."""
    tried = set(used.values()) & set(_AS_CANDIDATE)
    return "a candidate may have its names from it" if path.suffix != ".onnx" and tried else ""


def _candidates(view: NodeView) -> dict[str, str]:
    found: dict[str, str] = {}
    for candidate, words in zip((view.shadow, view.canary), _AS_CANDIDATE, strict=True):
        if candidate is not None and candidate.state != "ended":
            found[str(FilePath(candidate.model).absolute())] = words
    return found


def _shadow(router: APIRouter, parts: Parts) -> None:
    viewer, admin = parts.may("viewer"), parts.may("admin")

    @router.get(
        "/shadow",
        summary="The candidate that is shown frames beside the model that detects",
        responses={**said(ShadowTold), **error("not-known", "node-away")},
    )
    async def shadow(request: Request, who: Who = viewer) -> Response:
        return answer(request, ShadowTold(shadow=(await parts.fleet.moment()).view.shadow))

    @router.post("/shadow", summary="Show a candidate a share of the frames", responses=_CHANGED)
    async def begin(request: Request, told: Shadow, who: Who = admin) -> Response:
        order = Order(
            kind="shadow",
            what=await _path(parts, told),
            share=told.share,
            seconds=told.lasts_s,
            settings=await _names(parts, told),
        )
        return await parts.giving.give(request, who, order, wait_s=WAIT_S)

    @router.delete("/shadow", summary="Show the candidate nothing more", responses=_CHANGED)
    async def end(request: Request, who: Who = admin) -> Response:
        return await parts.giving.give(request, who, Order(kind="unshadow", what=""), wait_s=WAIT_S)


def _canary(router: APIRouter, parts: Parts) -> None:
    viewer, admin = parts.may("viewer"), parts.may("admin")

    @router.get(
        "/canary",
        summary="The candidate that detects for some cameras",
        responses={**said(CanaryTold), **error("not-known", "node-away")},
    )
    async def canary(request: Request, who: Who = viewer) -> Response:
        found = (await parts.fleet.moment()).view.canary
        words = canary_words(found).removeprefix("canary:").strip() if found else ""
        return answer(request, CanaryTold(canary=found, words=words))

    @router.post(
        "/canary",
        summary="Let a candidate detect for some cameras",
        description="If it cannot be used, or is worse on the labelled pictures of the configuration, it has "
        "none.",
        responses=_CHANGED,
    )
    async def begin(request: Request, told: Canary, who: Who = admin) -> Response:
        order = Order(
            kind="canary",
            what=await _path(parts, told),
            force=told.force,
            seconds=told.lasts_s,
            cameras=tuple(told.cameras),
            then=told.then,
            settings=await _names(parts, told),
        )
        return await parts.giving.give(request, who, order, wait_s=WAIT_S)

    @router.delete("/canary", summary="Give the candidate's cameras back", responses=_CHANGED)
    async def end(request: Request, who: Who = admin) -> Response:
        return await parts.giving.give(request, who, Order(kind="uncanary", what=""), wait_s=WAIT_S)
