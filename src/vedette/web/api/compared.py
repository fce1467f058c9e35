"""Two validation runs beside each other, on the pictures that both looked at: surer than two figures with an
interval each, because what is hard about a picture is so for both."""

from __future__ import annotations

import asyncio
from pathlib import Path as FilePath
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vedette.errors import LabelError
from vedette.quality.validate.estimate import Estimate
from vedette.quality.validate.gate import Comparison, Rules, compare
from vedette.quality.validate.run import Run
from vedette.quality.validate.store import Runs
from vedette.web.api.answers import Body, answer, body, error, said
from vedette.web.api.held import Held
from vedette.web.api.parts import Parts
from vedette.web.problems import ProblemError
from vedette.web.who.guard import Who

__all__ = ["compared"]

HOLDS_S = 3600.0
PAIRS = 256
"""Of so many pairs it is remembered what came of them: a run does not change any more."""
ID = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]+$"
ID_AT_MOST = 80
LEAST = Rules().pictures


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """``run`` less ``beside``: ``differences`` by figure, each with the interval it lies in (95%), on
    ``pictures`` that both looked at, with ``objects`` in them. ``remarks``: what to know when reading it.
    ``why``: why they cannot be compared; empty where they can."""

    run: str
    beside: str
    pictures: int = 0
    objects: int = 0
    differences: dict[str, Estimate] = {}
    remarks: list[str] = []
    why: str = ""


class Beside(BaseModel):
    model_config = ConfigDict(extra="forbid")

    beside: Annotated[str, Field(pattern=ID, max_length=ID_AT_MOST, description="Id of the other run.")]


def compared(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["quality"])
    viewer = parts.may("viewer")
    held: Held[Body] = Held(HOLDS_S, PAIRS)
    # It takes a core while it lasts: one after the other.
    turn = asyncio.Lock()

    async def made(folder: FilePath, run: str, beside: str) -> Body:
        async with turn:
            return await asyncio.to_thread(_compared, folder, run, beside)

    @router.get(
        "/validation/{run}/compared",
        summary="A validation run less another one, on the same pictures",
        responses={**said(Compared), **error("invalid", "not-known", "not-found")},
    )
    async def pair(
        request: Request,
        run: Annotated[str, Path(pattern=ID, max_length=ID_AT_MOST)],
        query: Annotated[Beside, Query()],
        who: Who = viewer,
    ) -> Response:
        folder = parts.served.runs
        if folder is None:
            raise ProblemError("not-found", f"there is no run {run}")
        key = run, query.beside
        return answer(request, await held.get(key, lambda: made(folder, run, query.beside)))

    return router


def _compared(folder: FilePath, run: str, beside: str) -> Body:
    one, other = _read(folder, run), _read(folder, beside)
    try:
        found = compare(one, other)
    except LabelError as err:
        return body(Compared(run=run, beside=beside, why=str(err)))
    return body(
        Compared(
            run=run,
            beside=beside,
            pictures=found.pictures,
            objects=found.objects,
            differences=found.differences,
            remarks=_remarks(one, found),
        )
    )


def _read(folder: FilePath, id: str) -> Run:
    """Without the path: where it lies is nobody's affair."""
    if not (folder / f"{id}.json").is_file():
        raise ProblemError("not-found", f"there is no run {id}")
    try:
        return Runs(folder).read(id)
    except LabelError:
        raise ProblemError("not-found", f"run {id} cannot be read") from None


def _remarks(run: Run, found: Comparison) -> list[str]:
    remarks = []
    if found.unlike:
        remarks.append(f"part of the difference may be how it was computed: {found.unlike}")
    if found.pictures < run.dataset.pictures:
        remarks.append(
            f"on {found.pictures} of its {run.dataset.pictures} pictures: the other run has not seen the "
            "rest with the same labels"
        )
    if found.pictures < LEAST:
        remarks.append(f"{found.pictures} pictures decide nothing; it takes {LEAST}")
    return remarks
