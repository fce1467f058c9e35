"""The page, as a part of any NiceGUI app: alone with ``vedette review``, later inside of the dashboard."""

from __future__ import annotations

from pathlib import Path

from nicegui import app, ui
from nicegui.element import Element

from vedette.quality.review.page.desk import Desk, Stores
from vedette.quality.review.page.routes import Whose, routes
from vedette.quality.review.page.settings import PageSettings

__all__ = ["ReviewDesk", "mount"]

ASSETS = Path(__file__).parent / "assets"


class ReviewDesk(Element, component="assets/review_desk.js", esm={"vedette-review": "assets"}):
    """The desk itself, to be put into a page. ``base``: where :func:`mount` put what it asks for."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._props["base"] = base


def mount(
    stores: Stores,
    settings: PageSettings | None = None,
    *,
    path: str = "/review",
    whose: Whose = lambda asked: "",
) -> None:
    """Serve the page at ``path`` of NiceGUI's app, and what it asks for below. ``stores``: called whenever a
    store is needed, from any thread. ``whose``: says who asks, where people log in.

    Another page has the desk as well: it adds the style sheet of :func:`style`, and ``ReviewDesk(path)``.
    """
    app.include_router(routes(Desk(stores), settings or PageSettings(), whose), prefix=path)

    @ui.page(path, title="Review · Vedette", dark=None)
    def review() -> None:
        style()
        ReviewDesk(path)


def style() -> None:
    """The desk's style sheet, for the page that is being built."""
    ui.add_css(ASSETS / "review.css")
