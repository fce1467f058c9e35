"""The page on which people review frames, inside of the dashboard's shell."""

from __future__ import annotations

import threading
from pathlib import Path

from nicegui import ui
from starlette.requests import HTTPConnection

from vedette.errors import ReviewError
from vedette.quality.review.page.mount import ReviewDesk, mount, style
from vedette.quality.review.store import Store
from vedette.web.served import Served
from vedette.web.who.guard import Guard

__all__ = ["PATH", "mount_desk", "show_desk"]

PATH = "/review"


def mount_desk(served: Served, guard: Guard) -> None:
    """What the desk asks for, below :data:`PATH`. Who has logged in reviews under that name."""

    def whose(asks: HTTPConnection) -> str:
        who = guard.who(asks)
        return "" if who is None or who.by == "local" else who.name

    if served.review is not None:
        mount(_Opened(served.review), path=PATH, whose=whose)


def show_desk(served: Served) -> None:
    """Into the page that is being built."""
    with ui.element("main"):
        if served.review is None:
            with ui.element("section").classes("vd-empty"):
                ui.label(f"{served.node} keeps no frames for review.")
            return
        style()
        ReviewDesk(PATH)


class _Opened:
    """The store, opened when it is first needed: the node may make it after the first page was asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._guard = folder, threading.Lock()
        self._store: Store | None = None

    def __call__(self) -> Store:
        with self._guard:
            if self._store is None:
                if not (self._folder / "review.db").exists():
                    raise ReviewError("no frame was kept for review yet")
                self._store = Store.open(self._folder)
            return self._store
