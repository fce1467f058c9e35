"""What the page asks of us over HTTP."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from vedette.errors import ReviewError, redact
from vedette.quality.review.page.desk import Desk, last_of
from vedette.quality.review.page.progress import figures, judged_frames
from vedette.quality.review.page.said import Asked, Said, TakenBack, as_task
from vedette.quality.review.page.settings import PageSettings
from vedette.quality.review.rows import State

__all__ = ["routes"]

LOOKED_AT = 2000
"""Of so many of the newest frames the classes are offered: all of a large store would take long."""
_PRIVATE = {
    "Cache-Control": "private, max-age=600, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Route(APIRoute):
    """Refuses what other sites' pages ask through a reviewer's browser; tells our errors in words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return JSONResponse({"error": "asked by another site"}, 403)
            try:
                return await handle(request)
            except ReviewError as err:
                return JSONResponse({"error": redact(str(err))}, 409)

        return handler


def routes(desk: Desk, settings: PageSettings) -> APIRouter:
    """Functions that are not ``async`` run in threads: the store waits for the disk."""
    router = APIRouter(route_class=_Route, include_in_schema=False)

    @router.get("/api/start")
    def start() -> dict[str, object]:
        store = desk.store
        last = last_of(store.reviews(repeats=True))
        return {
            "folder": store.folder.resolve().name,
            "key": str(store.folder.resolve()),
            "threshold": settings.threshold,
            "classes": _classes(desk, settings.threshold),
            "looked_for": list(last.looked_for) if last else None,
            "reviewer": settings.reviewer,
        }

    @router.post("/api/tasks")
    def tasks(asked: Asked) -> dict[str, object]:
        found = desk.tasks(asked.tab, asked.known, asked.want)
        return {"tasks": [as_task(item) for item in found]}

    @router.post("/api/save")
    def save(said: Said) -> dict[str, object]:
        review = said.review(desk.store.item(said.item), time.time())
        return asdict(desk.save(said.tab, said.item, review, said.changes))

    @router.post("/api/withdraw")
    def withdraw(said: TakenBack) -> dict[str, object]:
        desk.withdraw(said.tab, said.item, said.review)
        return {}

    @router.get("/api/progress")
    def progress(tab: str, classes: Annotated[list[str] | None, Query()] = None) -> dict[str, object]:
        return _progress(desk, tab, classes or [], settings.threshold)

    @router.get("/picture/{id}")
    def picture(id: str) -> Response:
        return Response(desk.picture(id), media_type="image/jpeg", headers=_PRIVATE)

    return router


def _classes(desk: Desk, threshold: float) -> list[dict[str, object]]:
    """Those that the detector emitted, the most frequent first."""
    counts: Counter[str] = Counter()
    for item in desk.store.items(limit=LOOKED_AT):
        counts.update(each.label for each in item.predictions if each.score >= threshold)
    return [{"label": label, "boxes": count} for label, count in counts.most_common()]


def _progress(desk: Desk, tab: str, classes: list[str], threshold: float) -> dict[str, object]:
    store = desk.store
    counts = store.counts()
    newest = store.items(limit=1)
    model = newest[0].model if newest else ""
    frames = judged_frames(store.reviewed(), classes, threshold, model) if classes else []
    return {
        "counts": {state.value: counts.get(state, 0) for state in State},
        "elsewhere": desk.elsewhere(tab),
        "figures": [asdict(each) for each in figures(frames)],
        "model": model,
        "drawn": sum(each.probability is not None for each in frames),
    }
