"""Makes the pictures of the dashboard in docs/pictures: run it when a page changes, ``tests`` on the path.

Fleet and camera are those of ``vedette demo``. Gaps, accuracy and system are of a node that is made up
(``tests/fake_plenty.py``): on a real one it takes weeks until all of that has happened.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from browser import browser
from servers import free_port, wait_for_port

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs/pictures"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
QUALITY = 82
SETTLES_MS = 4000
"""Until live pictures and charts are there."""
RUNS_FOR_S = 30.0
"""The demo, before it is looked at: results have ages then."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("demo", "made-up"))
    given = parser.parse_args()
    with browser() as opened:
        if given.only != "made-up":
            with _demo() as url:
                of_the_demo(opened, url)
        if given.only != "demo":
            with _made_up() as url:
                made_up(opened, url)


def of_the_demo(opened: Browser, url: str) -> None:
    for theme in ("light", "dark"):
        with _page(opened, color_scheme=theme, viewport=WIDE) as page:
            page.goto(url)
            page.wait_for_timeout(RUNS_FOR_S * 1000)
            _take(page, f"dashboard-{theme}")
    with _page(opened, color_scheme="light", viewport=WIDE) as page:
        page.goto(f"{url}/camera/camera_2")
        page.wait_for_timeout(SETTLES_MS)
        _take(page, "dashboard-camera")
    with _page(opened, color_scheme="light", viewport=PHONE, has_touch=True) as page:
        page.goto(url)
        page.wait_for_timeout(SETTLES_MS)
        _take(page, "dashboard-phone")


def made_up(opened: Browser, url: str) -> None:
    with _page(opened, color_scheme="light", viewport=WIDE) as page:
        page.goto(f"{url}/gaps")
        _take(page, "dashboard-gaps", of=".gap-head")
        page.goto(f"{url}/accuracy")
        _take(page, "dashboard-accuracy", of=".acc-head")
        page.wait_for_selector("text=surely better")
        page.evaluate("document.getElementById('acc-runs').scrollIntoView(); scrollBy(0, -80)")
        _take(page, "dashboard-runs")
    with _page(opened, color_scheme="dark", viewport=WIDE) as page:
        page.goto(f"{url}/system")
        _take(page, "dashboard-system", of=".sys-head")


@contextmanager
def _page(opened: Browser, **options: object) -> Iterator[Page]:
    context = opened.new_context(**options)  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


def _take(page: Page, name: str, of: str = "") -> None:
    if of:
        page.wait_for_selector(of)
        page.wait_for_timeout(SETTLES_MS)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(PICTURES / f"{name}.jpg", quality=QUALITY, optimize=True, progressive=True)


@contextmanager
def _demo() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "vedette.cli", "demo", "--no-table", "--web", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as node:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            node.send_signal(signal.SIGINT)


@contextmanager
def _made_up() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "fake_node", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, env=environment) as node:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            node.terminate()


if __name__ == "__main__":
    main()
