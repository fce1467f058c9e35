"""A real browser for tests of pages, that may talk to this machine only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from patience import PATIENCE_S

__all__ = ["browser", "context"]

_QUIET = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-dev-shm-usage"]


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    assert found, "no Chromium: run `make setup`, or install it"
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=_chromium(), args=_QUIET)
        try:
            yield launched
        finally:
            launched.close()


@contextmanager
def context(browser: Browser, **options: object) -> Iterator[BrowserContext]:
    """Cookies and storage of its own. Fails where a page asked another host, or broke."""
    opened = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))  # type: ignore[arg-type]
    opened.set_default_timeout(PATIENCE_S * 1000)
    wrong: list[str] = []

    def asked(url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1":
            wrong.append(f"asked {url}")

    opened.on("request", lambda request: asked(request.url))
    opened.on("weberror", lambda error: wrong.append(str(error.error)))
    opened.on("page", lambda page: page.on("websocket", lambda socket: asked(socket.url)))
    try:
        yield opened
    finally:
        opened.close()
    assert not wrong
