"""What the page asks of us over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import blake2b

from fastapi import APIRouter, Request, Response
from starlette.requests import HTTPConnection

from vedette.quality.review.page.desk import Desk
from vedette.quality.review.page.guard import Guarded
from vedette.quality.review.page.offer import emitted, suggested
from vedette.quality.review.page.progress import about, figures, judged_frames
from vedette.quality.review.page.said import Asked, AskedBefore, AskedProgress, Said, TakenBack
from vedette.quality.review.page.settings import PageSettings
from vedette.quality.review.page.told import as_past, as_saved, as_task
from vedette.quality.review.rows import State
from vedette.quality.review.selection import UNIFORM, Selection
from vedette.quality.review.store import Store

__all__ = ["Whose", "routes"]

Whose = Callable[[HTTPConnection], str]
"""Says who asks, by name; empty where that is not known: then they say so themselves."""

LOOKED_AT = 2000
"""Of so many of the newest frames the classes are offered: all of a large store would take long."""
_PICTURE = {
    "Cache-Control": "private, max-age=600, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def routes(desk: Desk, settings: PageSettings, whose: Whose = lambda asked: "") -> APIRouter:
    """Functions that are not ``async`` run in threads: the store waits for the disk."""
    router = APIRouter(route_class=Guarded, include_in_schema=False)
    threshold = settings.threshold

    @router.get("/api/start")
    def start(asks: Request) -> dict[str, object]:
        return _start(desk.store, settings, whose(asks))

    @router.get("/api/facets")
    def facets() -> dict[str, list[str]]:
        return _facets(desk.store, threshold)

    @router.post("/api/tasks")
    def tasks(asked: Asked) -> dict[str, object]:
        found = desk.tasks(asked.tab, asked.known, asked.want, asked.chosen.selection(threshold))
        return {"tasks": [as_task(item) for item in found]}

    @router.post("/api/history")
    def history(asked: AskedBefore) -> dict[str, object]:
        chosen = asked.chosen.selection(threshold)
        found = desk.history(asked.tab, asked.known, asked.want, before=asked.before, chosen=chosen)
        return {"looks": [as_past(each) for each in found]}

    @router.post("/api/save")
    def save(said: Said, asks: Request) -> dict[str, object]:
        review = said.review(desk.store.item(said.item), time.time())
        if name := whose(asks):
            review = replace(review, reviewer=name)  # whatever the page says
        return as_saved(desk.save(said.tab, said.item, review, said.changes))

    @router.post("/api/withdraw")
    def withdraw(said: TakenBack) -> dict[str, object]:
        desk.withdraw(said.tab, said.item, said.changes)
        return {}

    @router.post("/api/progress")
    def progress(asked: AskedProgress) -> dict[str, object]:
        known = _progress(desk.store, asked.classes, asked.chosen.selection(threshold))
        return known | {"elsewhere": desk.elsewhere(asked.tab)}

    @router.get("/picture/{id}")
    def picture(id: str) -> Response:
        return Response(desk.picture(id), media_type="image/jpeg", headers=_PICTURE)

    return router


def _start(store: Store, settings: PageSettings, name: str) -> dict[str, object]:
    """``name``: of whoever asks, where that is known."""
    items = store.items(limit=LOOKED_AT)
    said = [each.review for each in store.reviews(repeats=True)]
    classes, chosen = suggested(said, items, settings.threshold)
    folder = store.folder.resolve()
    return {
        "folder": folder.name,
        # Browsers remember by it what somebody looks for here; where the folder lies is not their affair.
        "key": blake2b(str(folder).encode("utf-8", "surrogateescape"), digest_size=9).hexdigest(),
        "threshold": settings.threshold,
        "classes": list(emitted(items, settings.threshold)),
        "suggested": classes,
        "chosen": chosen,
        "reviewer": name or settings.reviewer,
        "known": bool(name),
    }


def _facets(store: Store, threshold: float) -> dict[str, list[str]]:
    """What frames can be chosen by: not how many there are, which would tell blind repeats."""
    known = store.facets()
    return {
        "camera": known.cameras,
        "reason": [UNIFORM, *known.reasons],
        "class": list(emitted(store.items(limit=LOOKED_AT), threshold)),
        "model": known.models,
    }


def _progress(store: Store, classes: tuple[str, ...], chosen: Selection) -> dict[str, object]:
    """Of the cameras and the model that were chosen. What moves with each frame moves with a blind repeat
    as well, or does so by neither: ``looks`` counts both, and how many wait is told roughly."""
    model = _model(store, chosen)
    reviewed = [pair for pair in store.reviewed() if not chosen.cameras or pair[0].camera in chosen.cameras]
    frames = judged_frames(reviewed, classes, chosen.score_from, model) if classes else []
    return {
        "waiting": about(store.counts().get(State.WAITING, 0)),
        "looks": len(store.reviews(repeats=True)),
        "figures": [asdict(each) for each in figures(frames)],
        "model": model,
        "drawn": sum(each.probability is not None for each in frames),
    }


def _model(store: Store, chosen: Selection) -> str:
    """The newest, of those that were chosen."""
    models = store.facets().models
    return next((each for each in models if not chosen.models or each.startswith(chosen.models)), "")
