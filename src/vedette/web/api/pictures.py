"""Pictures of cameras: one, some of many, and live ones."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from vedette.causes import PICTURE
from vedette.control.protocol import Picture
from vedette.web.api.answers import answer, binary, error, said
from vedette.web.api.draw import across
from vedette.web.api.live import BOUNDARY, View
from vedette.web.api.parts import Parts
from vedette.web.api.words import why
from vedette.web.problems import ProblemError

__all__ = ["pictures"]

FIRST_WITHIN_S = 3.0
"""A camera that nobody looked at lately gives its first picture within that."""
WIDE_ENOUGH = 0.9
"""Sizes are rounded on their way."""
ASK_EVERY_S = 0.15
CAMERAS_AT_MOST = 64
"""Of one request: more no screen shows."""

Name = Annotated[str, Path(description="Of the camera.", max_length=64)]
Width = Annotated[int, Field(ge=16, le=1920, description="Of the picture, in pixels at most.")]
Flag = Annotated[bool, Field(description="Draw the boxes into it.")]


class PictureQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    width: Width = 640
    boxes: Flag = False
    t: Annotated[str, Field(max_length=32, description="Anything: makes a browser ask anew.")] = ""


class LiveQuery(PictureQuery):
    fps: Annotated[float, Field(ge=0.2, le=12, description="Pictures a second at most.")] = 10.0


class SomeQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cameras: Annotated[
        str, Field(max_length=4096, description=f"Names with commas between, {CAMERAS_AT_MOST} at most.")
    ]
    width: Width = 320
    since: Annotated[
        float, Field(ge=0, le=1e11, description="Unix seconds: only pictures captured after that.")
    ] = 0.0


class BoxTold(msgspec.Struct, frozen=True, kw_only=True):
    """``xyxy``: left, top, right, bottom in pixels of the frame. ``track_id``: null where it has none."""

    xyxy: tuple[float, float, float, float]
    class_name: str
    confidence: float
    track_id: int | None


class PictureTold(msgspec.Struct, frozen=True, kw_only=True):
    """``captured_at``: Unix seconds. ``jpeg``: in base64; it is smaller than the frame of ``width`` ×
    ``height`` pixels, in which the boxes are told."""

    captured_at: float
    jpeg: str
    width: int
    height: int
    boxes: list[BoxTold]


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """By camera: those that have a new one."""

    pictures: Mapping[str, PictureTold]


def told(picture: Picture) -> PictureTold:
    columns = zip(picture.xyxy, picture.names, picture.confidence, picture.tracks, strict=False)
    return PictureTold(
        captured_at=picture.captured_at,
        jpeg=base64.b64encode(picture.jpeg).decode(),
        width=picture.width,
        height=picture.height,
        boxes=[
            BoxTold(
                xyxy=(
                    round(xyxy[0], 1),
                    round(xyxy[1], 1),
                    round(xyxy[2], 1),
                    round(xyxy[3], 1),
                ),
                class_name=name,
                confidence=round(confidence, 3),
                track_id=track if track >= 0 else None,
            )
            for xyxy, name, confidence, track in columns
        ],
    )


def pictures(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["pictures"], dependencies=[parts.may("viewer")])
    turns = asyncio.Semaphore(16)

    @router.get(
        "/cameras/{name}/snapshot.jpg",
        summary="The newest picture of a camera",
        responses={
            **binary("image/jpeg", "The picture. `X-Captured-At`: when it was captured, Unix seconds."),
            **error("not-found", "no-picture", "invalid", "node-away"),
        },
        response_class=Response,
    )
    async def snapshot(name: Name, query: Annotated[PictureQuery, Query()]) -> Response:
        camera = await parts.fleet.known(name)
        async with turns:
            picture = await _first(parts, name, query.width)
        if picture is None:
            because = why(camera) or "it has given none yet"
            raise ProblemError("no-picture", f"there is no picture of {name} now: {because}")
        jpeg = await parts.lives.picture(picture, width=query.width, boxes=query.boxes)
        headers = {"Cache-Control": "no-store", "X-Captured-At": f"{picture.captured_at:.6f}"}
        return Response(jpeg, headers=headers, media_type="image/jpeg")

    @router.get(
        "/cameras/{name}/live.mjpeg",
        summary="Live pictures of a camera, for as long as somebody looks",
        description="Motion JPEG, to be put into an `img`. It ends after 30 s without any picture.",
        responses={
            **binary(f"multipart/x-mixed-replace; boundary={BOUNDARY}", "Pictures, one after the other."),
            **error("not-found", "invalid", "too-many", "node-away"),
        },
        response_class=StreamingResponse,
    )
    async def live(name: Name, query: Annotated[LiveQuery, Query()]) -> Response:
        await parts.fleet.known(name)
        seen = parts.lives.look(View(name, query.width, query.boxes), query.fps)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            seen, headers=headers, media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        )

    @router.get(
        "/pictures",
        summary="The newest pictures of some cameras, with their boxes",
        description="To ask is to want more: a camera nobody looked at lately gives its first one a moment "
        "later. Cameras that have none, or none after `since`, are left out.",
        responses={**said(Pictures), **error("invalid", "node-away")},
    )
    async def some(request: Request, query: Annotated[SomeQuery, Query()]) -> Response:
        names = tuple(dict.fromkeys(name.strip() for name in query.cameras.split(",") if name.strip()))
        if len(names) > CAMERAS_AT_MOST:
            raise ProblemError("invalid", f"query.cameras: {CAMERAS_AT_MOST} at most")
        async with turns:
            looked = await parts.served.asked.look(names, query.width, query.since)
        found = await _fitting(parts, looked.pictures, query.width)
        return answer(request, found, headers={"Cache-Control": "no-store"})

    return router


async def _fitting(parts: Parts, found: Mapping[str, Picture], width: int) -> Pictures:
    """No wider than that: others may want them wider."""
    jpegs = await asyncio.gather(
        *(parts.lives.picture(each, width=width, boxes=False) for each in found.values())
    )
    fitting = zip(found.items(), jpegs, strict=True)
    return Pictures(
        pictures={name: told(msgspec.structs.replace(each, jpeg=jpeg)) for (name, each), jpeg in fitting}
    )


async def _first(parts: Parts, name: str, width: int) -> Picture | None:
    """One that is as wide as it is wanted, if it comes soon: others may have wanted it narrower."""
    loop = asyncio.get_running_loop()
    until = loop.time() + FIRST_WITHIN_S
    while True:
        found = (await parts.served.asked.look((name,), width)).pictures.get(name)
        if loop.time() > until:
            return found
        if found is not None and _wide_enough(found, width):
            return found
        blind = (await parts.fleet.known(name)).blind
        if blind is not None and blind not in PICTURE:
            return found
        await asyncio.sleep(ASK_EVERY_S)


def _wide_enough(picture: Picture, width: int) -> bool:
    try:
        return across(picture.jpeg) >= WIDE_ENOUGH * min(width, picture.width)
    except OSError:
        return True  # it will not become wider
