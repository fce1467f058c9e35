"""What is around each page: where one is, where one can go, light and dark."""

from __future__ import annotations

from nicegui import ui

from vedette.web.served import Served

__all__ = ["pages"]


def pages(served: Served) -> None:
    """Put all pages into NiceGUI's application."""

    @ui.page("/", title="Vedette", dark=None)
    def fleet() -> None:
        ui.label(served.node)
