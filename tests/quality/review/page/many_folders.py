"""Run as a script: the page of many review folders in one app. ``parent count port``.

Each folder is opened when somebody first asks for it.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from vedette.quality.review.page.mount import mount
from vedette.quality.review.page.settings import PageSettings
from vedette.quality.review.store import Store


def main(parent: Path, count: int, port: int) -> None:
    @cache
    def store(number: int) -> Store:
        return Store.open(parent / str(number))

    app = FastAPI()
    for number in range(count):
        mount(
            lambda number=number: store(number),
            PageSettings(threshold=0.4, reviewer="ada"),
            path=f"/review/{number}",
        )
    ui.run_with(app, dark=None, tailwind=False, show_welcome_message=False)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
