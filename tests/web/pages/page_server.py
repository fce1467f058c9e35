"""A dashboard of a node that is not there, in a process of its own, for tests of pages. It is told what
happens to the node by lines of JSON on standard input, and says ``heard`` to each: ``{"gone": true}``,
``{"refuses": "why"}``, ``{"camera": "camera_1", "set": {"blind": null}}``, ``{"begin": true}`` (all as at
first), ``{"camera": "camera_1", "drift": {…}}``, ``{"happens": [level, kind, text, camera]}``."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from fake_folders import beat, dashboard, filled, write_a_day
from fake_node import FakeNode
from guarded import add_user
from vedette.ledger.store import Ledger
from vedette.observe.views import DriftView
from vedette.web.app import build
from vedette.web.served import Served

NODE = "north"
SITES = ("yard", "hall", "dock")


class Fleet(FakeNode):
    """With sites. Of eight cameras one cannot be reached, one is blurred, one is paused; the rest is seen."""

    def __init__(self, cameras: int, *, plenty: bool = False) -> None:
        super().__init__(cameras, plenty=plenty)
        self._at_first = tuple(self._happened)
        self._many = cameras
        self.begin()

    def begin(self) -> None:
        """As at first, whatever was done to it."""
        self.gone, self.refuses = False, ""
        self.orders.clear()
        self._happened = list(self._at_first)
        self.cameras = FakeNode(self._many).cameras
        if self._many <= 20:
            for name, camera in self.cameras.items():
                self.cameras[name] = replace(camera, blind=None, blame=None, state="live", degraded=())
            self.set(
                "camera_2",
                blind="unreachable",
                blame="network",
                state="waiting",
                fps_in=0.0,
                doing="opens it again in 4 s",
                objects={},
            )
            self.set("camera_3", degraded=("blurred",), blame="camera")
            self.set("camera_5", blind="paused", state="paused", blame="operator", objects={})
        self.happens("warning", "gap opened", "camera_2 is not seen: nothing answers", camera="camera_2")

    def set(self, name: str, **changes: Any) -> None:
        if name in self.cameras:
            self.cameras[name] = replace(self.cameras[name], **changes)

    async def configuration(self) -> dict[str, Any]:
        keys = await super().configuration()
        for number, camera in enumerate(keys["cameras"].values()):
            camera["site"] = SITES[number % len(SITES)]
        return keys


def listen(node: Fleet) -> None:
    """Until standard input ends."""
    for line in sys.stdin:
        told = json.loads(line)
        if "begin" in told:
            node.begin()
        if "gone" in told:
            node.gone = told["gone"]
        if "refuses" in told:
            node.refuses = told["refuses"]
        if "set" in told:
            node.set(told["camera"], **told["set"])
        if "drift" in told:
            node.set(told["camera"], drift=DriftView(**told["drift"]))
        if "happens" in told:
            node.happens(*told["happens"])
        print("heard", flush=True)


def _with_a_ledger(node: Fleet, folder: Path) -> Served:
    address = str(folder / "vedette.db")
    ledger = Ledger.open(address)
    write_a_day(ledger, NODE, node.cameras, time.time_ns() // 1000)
    threading.Thread(target=beat, args=[ledger], daemon=True).start()
    return Served(NODE, node, ledger=address, review=folder / "review")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--plenty", action="store_true", help="see FakeNode; with folders that are full")
    parser.add_argument("--reviewer", help="who may review; with it, people have to log in")
    given = parser.parse_args()
    if given.reviewer:
        add_user(given.folder / f"users-{NODE}.json", given.reviewer, "reviewer")
    node = Fleet(given.cameras, plenty=given.plenty)
    threading.Thread(target=listen, args=[node], daemon=True).start()
    if given.plenty:
        app = dashboard(filled(NODE, node, given.folder, store=given.folder), node)
    else:
        app = build(_with_a_ledger(node, given.folder))
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
