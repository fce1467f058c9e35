"""A browser and a server for all tests of the page, and for each a review folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from browser import browser, context
from patience import PATIENCE_S
from review_frames import frame
from servers import free_port, wait_for_port
from vedette.quality.review.rows import Item, Prediction
from vedette.quality.review.store import Store

FOLDERS = 120
WIDTH, HEIGHT = 320, 240

SAID = (
    Prediction((20.5, 30.0, 80.0, 200.0), "person", 0.91, track_id=3),
    Prediction((150.0, 120.0, 300.0, 220.0), "car", 0.77),
    Prediction((200.0, 20.0, 230.0, 90.0), "person", 0.2),
)
"""A person, a car, and perhaps another person."""

expect.set_options(timeout=PATIENCE_S * 1000)

PICTURE = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def add(store: Store, number: int, predictions: tuple[Prediction, ...] = SAID) -> Item:
    picture = np.full((HEIGHT, WIDTH, 3), 60 + 20 * (number % 8), np.uint8)
    added = store.add(frame(number, picture=picture, predictions=predictions)).item
    assert added is not None
    return added


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """No longer than it is needed: while Playwright is there, this thread has a loop that runs, and no test
    can run one of its own."""
    with browser() as opened:
        yield opened


@dataclass(frozen=True)
class Served:
    folder: Path
    url: str


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Served]]:
    """New ones, one after the other."""
    parent, port = tmp_path_factory.mktemp("folders"), free_port()
    script = Path(__file__).with_name("many_folders.py")
    # NiceGUI behaves otherwise where it finds itself in pytest; reviewers are not there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    server = subprocess.Popen(
        [sys.executable, str(script), str(parent), str(FOLDERS), str(port)], env=environment
    )
    try:
        wait_for_port(port)
        yield (Served(parent / str(n), f"http://127.0.0.1:{port}/review/{n}") for n in count())
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


@pytest.fixture
def served(folders: Iterator[Served]) -> Served:
    return next(folders)


@pytest.fixture
def store(served: Served) -> Iterator[Store]:
    with Store.open(served.folder) as opened:
        yield opened


@pytest.fixture
def pages(chromium: Browser) -> Iterator[BrowserContext]:
    with context(chromium) as opened:
        yield opened


class Desk:
    """The page, as somebody uses it who has no mouse."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)

    def catch(self, what: str, handler: Callable[[Route], object]) -> None:
        """Requests from now on. In a page that is there already some get past."""
        self.page.route(what, handler)
        self.page.reload()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def shows_a_picture(self) -> str:
        """The item, once keys may judge it."""
        ready = self.page.locator(".vr-stage[data-ready]")
        expect(ready).to_be_visible()
        return str(ready.get_attribute("data-item"))

    def shows_another_than(self, item: str) -> str:
        expect(self.page.locator(f'.vr-stage[data-item="{item}"]')).to_have_count(0)
        return self.shows_a_picture()

    def says(self, text: str) -> None:
        expect(self.page.locator(".vr-status")).to_contain_text(text)

    def boxes(self) -> list[str]:
        return self.page.locator(".vr-list li").all_inner_texts()

    def verdicts(self, *words: str) -> None:
        expect(self.page.locator(".vr-list .vr-word")).to_have_text(list(words))


@pytest.fixture
def desk(pages: BrowserContext, served: Served, store: Store) -> Desk:
    """With three frames, and the classes chosen."""
    for number in range(3):
        add(store, number)
    opened = Desk(pages.new_page(), served.url)
    expect(opened.page.get_by_label("Another class")).to_be_focused()
    opened.press("Enter")
    return opened


__all__ = ["PICTURE", "SAID", "Desk", "Served", "add"]
