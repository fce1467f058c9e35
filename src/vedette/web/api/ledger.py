"""The ledger over HTTP: gaps, incidents, coverage, the timeline of a camera; for people and as files."""

from __future__ import annotations

import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vedette.causes import Kind
from vedette.errors import LedgerError
from vedette.ledger.answers import Record, covered, known_only
from vedette.ledger.export import coverage_sheet, gap_sheet
from vedette.ledger.paint import svg
from vedette.ledger.plot import draw
from vedette.ledger.rows import LedgerGap
from vedette.ledger.sheet import Sheet, csv_lines, json_lines, parquet
from vedette.ledger.store import Ledger
from vedette.ledger.when import LOCAL, SECOND
from vedette.web.api.answers import answer, binary, body, error, said, text
from vedette.web.api.books import Question, check_rows, heard
from vedette.web.api.gap_rows import (
    Coverage,
    Gaps,
    Incidents,
    coverage_row,
    gap_row,
    incident_row,
    page,
)
from vedette.web.api.held import Held
from vedette.web.api.parts import Parts
from vedette.web.api.strips import Strips
from vedette.web.api.timeline import Timeline, timeline

__all__ = ["ledger"]

PAGES_HOLD_S = 3.0
"""Whoever looks at one page looks at the next."""
GAPS_DRAWN = 20_000
"""A picture of more takes many seconds, and shows nothing that one of fewer cameras would not."""

When = Annotated[
    str,
    Field(
        max_length=64,
        description="`24h` (ago), `2026-11-01`, `2026-11-01T14:30`, `now`, `today`, `yesterday`.",
    ),
]
Names = Annotated[
    list[str], Field(max_length=200, description="Only this camera, or `gate_*`; may be repeated.")
]
Node = Annotated[str | None, Field(max_length=64, description="Only what this node wrote.")]
By = Literal["hour", "day", "all"]
_ERRORS = error("invalid", "not-known", "no-ledger", "ledger")


class SpanQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: When = "24h"
    until: When = "now"
    camera: Names = []
    node: Node = None


class GapsQuery(SpanQuery):
    cause: Annotated[list[str], Field(max_length=64, description="Only of this cause; may be repeated.")] = []
    kind: Annotated[
        list[str], Field(max_length=8, description="blind, degraded or event; may be repeated.")
    ] = []
    open: Annotated[bool, Field(description="Only what is not over.")] = False


class GapsPageQuery(GapsQuery):
    order: Annotated[Literal["newest", "oldest"], Field(description="Which come first.")] = "newest"
    limit: Annotated[int, Field(ge=1, le=10_000)] = 500
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class PictureQuery(GapsQuery):
    width: Annotated[int, Field(ge=400, le=4000, description="Pixels.")] = 1200


class IncidentsQuery(SpanQuery):
    open: Annotated[bool, Field(description="Only those that are not over.")] = False
    limit: Annotated[int, Field(ge=1, le=10_000)] = 500


class CoverageQuery(SpanQuery):
    by: By = "all"


class StripsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: When = "24h"
    by: Literal["hour", "day"] = "hour"


class OneSpanQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: When = "24h"
    until: When = "now"


def _asked(parts: Parts, query: SpanQuery) -> Question:
    return Question(
        parts.books.now_us(),
        since=query.since,
        until=query.until,
        cameras=query.camera,
        node=query.node,
        causes=getattr(query, "cause", ()),
        kinds=getattr(query, "kind", ()),
        only_open=getattr(query, "open", False),
    )


def ledger(parts: Parts) -> APIRouter:
    router = APIRouter(tags=["ledger"], dependencies=[parts.may("viewer")])
    _gaps(router, parts)
    _files(router, parts)
    _coverage(router, parts)

    @router.get(
        "/incidents",
        summary="What cameras have in common that went together",
        responses={**said(Incidents), **_ERRORS},
    )
    async def incidents(request: Request, query: Annotated[IncidentsQuery, Query()]) -> Response:
        asked = _asked(parts, query)
        record = await parts.books.ask(lambda it: parts.books.asked(it, asked, incidents=True, gaps=False))
        found = [each for each in record.incidents if not query.open or each.end is None][::-1]
        return answer(
            request,
            Incidents(
                incidents=[incident_row(each, asked.until) for each in found[: query.limit]],
                total=len(found),
                since=asked.since / SECOND,
                until=asked.until / SECOND,
            ),
        )

    @router.get(
        "/cameras/{name}/timeline",
        tags=["cameras"],
        summary="What happened to a camera, on one axis of time",
        responses={**said(Timeline), **_ERRORS},
    )
    async def one(
        request: Request,
        name: Annotated[str, Path(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")],
        query: Annotated[OneSpanQuery, Query()],
    ) -> Response:
        asked = Question(parts.books.now_us(), since=query.since, until=query.until, cameras=[name])
        record = await parts.books.ask(lambda it: parts.books.asked(it, asked, incidents=True))
        return answer(request, timeline(name, record, asked.since, asked.until))

    return router


def _wanted(parts: Parts, it: Ledger, asked: Question) -> tuple[Record, list[LedgerGap]]:
    record = parts.books.asked(it, asked, kinds=asked.kinds, causes=asked.causes)
    return record, [gap for gap in record.gaps if asked.wants(gap)]


def _gaps(router: APIRouter, parts: Parts) -> None:
    held: Held[tuple[Record, list[LedgerGap]]] = Held(PAGES_HOLD_S, most=4)

    @router.get("/gaps", summary="When cameras were not seen, and why", responses={**said(Gaps), **_ERRORS})
    async def gaps(request: Request, query: Annotated[GapsPageQuery, Query()]) -> Response:
        asked = _asked(parts, query)
        key = query.model_dump_json(exclude={"order", "limit", "offset"})
        record, found = await held.get(key, lambda: parts.books.ask(lambda it: _wanted(parts, it, asked)))
        shown = page(found, query.offset, query.limit, newest=query.order == "newest")
        return answer(
            request,
            Gaps(
                gaps=[gap_row(gap, asked.until) for gap in shown],
                total=len(found),
                since=asked.since / SECOND,
                until=asked.until / SECOND,
                heard=heard(record, asked.until),
            ),
        )


def _files(router: APIRouter, parts: Parts) -> None:
    """Exports: exactly what ``vedette gaps`` writes."""

    @router.get(
        "/gaps.csv",
        summary="Gaps as CSV",
        responses={**text("text/csv", "A header, and a line a gap."), **_ERRORS},
        response_class=Response,
    )
    async def as_csv(request: Request, query: Annotated[GapsQuery, Query()]) -> Response:
        data = await _sheet(parts, query, lambda it: "".join(csv_lines(it)).encode("utf-8", "replace"))
        return _file(request, data, "text/csv", "gaps.csv")

    @router.get(
        "/gaps.json",
        summary="Gaps as JSON, as `vedette gaps --format json` writes them",
        responses={**_records("Gaps, an object each."), **_ERRORS},
        response_class=Response,
    )
    async def as_json(request: Request, query: Annotated[GapsQuery, Query()]) -> Response:
        data = await _sheet(parts, query, lambda it: "".join(json_lines(it)).encode())
        return _file(request, data, "application/json", "gaps.json")

    @router.get(
        "/gaps.parquet",
        summary="Gaps as Parquet",
        responses={**binary("application/vnd.apache.parquet", "A file."), **_ERRORS},
        response_class=Response,
    )
    async def as_parquet(request: Request, query: Annotated[GapsQuery, Query()]) -> Response:
        data = await _sheet(parts, query, _parquet)
        return _file(request, data, "application/vnd.apache.parquet", "gaps.parquet")

    @router.get(
        "/gaps.svg",
        summary="Cameras × time as a picture",
        responses={**text("image/svg+xml", "A drawing."), **_ERRORS},
        response_class=Response,
    )
    async def as_picture(request: Request, query: Annotated[PictureQuery, Query()]) -> Response:
        asked = _asked(parts, query)

        def drawn(it: Ledger) -> bytes:
            record = known_only(parts.books.asked(it, asked, incidents=True), asked.until)
            if len(record.gaps) > GAPS_DRAWN:
                raise LedgerError(
                    f"{len(record.gaps)} gaps are too many for a picture: ask for fewer cameras"
                )
            return _drawn(record, asked, query.width)

        data = await parts.books.ask(drawn)
        # An SVG file is a document: nothing in it may do anything.
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return answer(request, body(data, media_type="image/svg+xml"), headers=headers)


def _drawn(record: Record, asked: Question, width: int) -> bytes:
    drawing = draw(
        *(record.gaps, record.watches, record.incidents, asked.since, asked.until, width),
        asked=lambda gap: not asked.narrows or asked.wants(gap),  # type: ignore[arg-type]
    )
    return svg(drawing).encode()


async def _sheet(parts: Parts, query: GapsQuery, write: Any) -> bytes:
    """In the thread that reads, too: there may be a hundred thousand rows."""
    asked = _asked(parts, query)

    def written(it: Ledger) -> bytes:
        _, found = _wanted(parts, it, asked)
        data: bytes = write(gap_sheet(found))
        return data

    return await parts.books.ask(written)


def _parquet(sheet: Sheet) -> bytes:
    buffer = io.BytesIO()
    parquet(sheet, buffer)
    return buffer.getvalue()


def _file(request: Request, data: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return answer(request, body(data, media_type=media_type), headers=headers)


def _records(about: str) -> dict[int | str, Any]:
    schema = {"type": "array", "items": {"type": "object"}}
    return {200: {"description": about, "content": {"application/json": {"schema": schema}}}}


def _coverage(router: APIRouter, parts: Parts) -> None:
    @router.get(
        "/coverage",
        summary="How much of the time each camera was seen, and what the rest was lost to",
        responses={**said(Coverage), **_ERRORS},
    )
    async def coverage(request: Request, query: Annotated[CoverageQuery, Query()]) -> Response:
        asked = _asked(parts, query)

        def made(it: Ledger) -> Coverage:
            record = parts.books.asked(it, asked, kinds=(Kind.BLIND,))
            check_rows(record.watches, asked.since, asked.until, query.by)
            rows = covered(record, asked.since, asked.until, query.by, LOCAL)
            since, until = asked.since / SECOND, asked.until / SECOND
            return Coverage(
                coverage=[coverage_row(row) for row in rows], since=since, until=until, by=query.by
            )

        return answer(request, await parts.books.ask(made))

    @router.get(
        "/coverage.csv",
        summary="Coverage as CSV, as `vedette coverage` writes it",
        responses={**text("text/csv", "A header, and a line a camera and bucket."), **_ERRORS},
        response_class=Response,
    )
    async def as_csv(request: Request, query: Annotated[CoverageQuery, Query()]) -> Response:
        asked = _asked(parts, query)

        def made(it: Ledger) -> bytes:
            record = parts.books.asked(it, asked)
            check_rows(record.watches, asked.since, asked.until, query.by)
            rows = covered(record, asked.since, asked.until, query.by, LOCAL)
            return "".join(csv_lines(coverage_sheet(rows))).encode("utf-8", "replace")

        return _file(request, await parts.books.ask(made), "text/csv", "coverage.csv")

    @router.get(
        "/coverage/strips",
        summary="Coverage of all cameras by the hour, small: for a strip beside each",
        responses={**said(Strips), **_ERRORS},
    )
    async def strips(request: Request, query: Annotated[StripsQuery, Query()]) -> Response:
        return answer(request, await parts.books.strips(query.since, query.by))
