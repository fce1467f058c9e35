"""A browser, and dashboards of nodes with eight cameras and with a thousand, for all tests of pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser import browser, context
from patience import PATIENCE_S
from servers import free_port, wait_for_port

PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """No longer than it is needed: while Playwright is there, this thread has a loop that runs, and no test
    can run one of its own."""
    with browser() as opened:
        yield opened


class Dashboard:
    """``url``: where it is."""

    def __init__(self, folder: Path, cameras: int, *more: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        script = Path(__file__).with_name("page_server.py")
        # NiceGUI behaves otherwise where it finds itself in pytest; people are not there.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        given = ["--cameras", str(cameras), "--port", str(port), "--folder", str(folder), *more]
        self._process = subprocess.Popen(
            [sys.executable, str(script), *given], env=environment, text=True, stdin=-1, stdout=-1
        )
        wait_for_port(port)

    def tell(self, **what: Any) -> None:
        """What happens to the node: see the server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        # Between its answers there may be lines of its log.
        assert "heard\n" in iter(self._process.stdout.readline, "")

    def end(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE_S)


@pytest.fixture(scope="session")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    opened = Dashboard(tmp_path_factory.mktemp("eight"), 8)
    yield opened
    opened.end()


@pytest.fixture(scope="session")
def plenty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Of eight cameras, everything is at work on it, and its folders are full. Nothing is told to it: each
    test finds it as it was."""
    opened = Dashboard(tmp_path_factory.mktemp("plenty"), 8, "--plenty")
    yield opened
    opened.end()


@pytest.fixture(scope="session")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    opened = Dashboard(tmp_path_factory.mktemp("thousand"), 1000)
    yield opened
    opened.end()


@pytest.fixture
def node(eight: Dashboard) -> Dashboard:
    """Of eight cameras, all as at first: camera_2 is not seen, camera_3 is blurred, camera_5 is paused."""
    eight.tell(begin=True)
    return eight


@pytest.fixture
def pages(chromium: Browser) -> Iterator[BrowserContext]:
    with context(chromium) as opened:
        yield opened


@pytest.fixture
def page(pages: BrowserContext) -> Page:
    return pages.new_page()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    with context(chromium, viewport=PHONE, has_touch=True) as opened:
        yield opened.new_page()


@pytest.fixture
def night(chromium: Browser) -> Iterator[Page]:
    with context(chromium, color_scheme="dark") as opened:
        yield opened.new_page()
