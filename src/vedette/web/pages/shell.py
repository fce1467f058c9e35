"""What is around each page, and under which addresses: one component of the browser draws all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from nicegui import app as nicegui_app
from nicegui import ui
from nicegui.element import Element

from vedette.web.pages.nowhere import lead_back
from vedette.web.pages.review import PATH as REVIEW
from vedette.web.pages.review import mount_desk, show_desk
from vedette.web.served import Served
from vedette.web.who.guard import Guard

__all__ = ["PAGES", "Dashboard", "dashboard", "modules_of", "pages"]

ASSETS = Path(__file__).parent / "assets"
PATHS = ("/", "/camera/{name}", "/gaps", "/accuracy", "/system")
STYLES = ("theme.css", "parts.css", *sorted(f"pages/{each.name}" for each in ASSETS.glob("pages/*.css")))

PAGES = {path: path.split("/")[1] or "fleet" for path in PATHS}
"""The module that draws each."""

AWAY_S = 60
"""So long a page that was cut off is still known when it comes back; after that it loads itself anew."""

_BEFORE_ANYTHING_IS_DRAWN = """<script>
  try {
    const theme = JSON.parse(localStorage.getItem("vedette-theme"));
    if (theme && theme !== "auto") document.documentElement.dataset.theme = theme;
  } catch {}
  document.documentElement.lang = "en";
</script>"""

_AHEAD = """<script>
  try {
    const map = document.querySelector('script[type="importmap"]').textContent;
    const at = JSON.parse(map).imports["vedette-pages/"];
    for (const name of %s) {
      const link = document.createElement("link");
      document.head.append(Object.assign(link, { rel: "modulepreload", href: at + name }));
    }
  } catch {}
</script>"""
"""Asks for the modules of the page while those of the shell are read; else they are found once it stands."""


class Dashboard(Element, component="assets/dashboard.js", esm={"vedette-pages": "assets"}):
    """The shell, and in it the page that the address names; where that is somebody else's page, what is put
    into it by Python."""


def pages(served: Served, guard: Guard) -> None:
    """Put all pages into NiceGUI's application."""

    def review() -> None:
        with dashboard():
            show_desk(served)

    for path, name in PAGES.items():
        _at(path, served)(_page(name))
    mount_desk(served, guard)
    # After the desk's own page of that address, which it takes the place of.
    _at(REVIEW, served)(review)
    lead_back(nicegui_app, served.node)


def _page(name: str) -> Callable[[], None]:
    ahead = _AHEAD % json.dumps(modules_of(name))

    def page() -> None:
        ui.add_head_html(ahead)
        dashboard()

    return page


def modules_of(name: str) -> list[str]:
    """Files of the page that no other has, below the folder of assets."""
    found = (ASSETS / f"pages/{name}.js", *ASSETS.glob(f"pages/{name}/*.js"))
    return sorted(str(each.relative_to(ASSETS)) for each in found)


def _at(path: str, served: Served) -> ui.page:
    return ui.page(path, title=f"{served.node} · Vedette", dark=None, reconnect_timeout=AWAY_S)


def dashboard() -> Dashboard:
    """Into the page that is being built."""
    _without_quasar()
    ui.add_head_html(_BEFORE_ANYTHING_IS_DRAWN)
    for name in STYLES:
        ui.add_css(ASSETS / name)
    return Dashboard()


def _without_quasar() -> None:
    """Its layout would make all of the page a ``main``, header and all."""
    client = ui.context.client
    slot = client.content.parent_slot
    page = slot.parent if slot else None
    for each in (client.layout, client.page_container, page):
        if each is not None:
            each.tag = "div"
