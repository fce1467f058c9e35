"""A dashboard of a node that is not there, in a process of its own, for tests of pages. It is told what
happens to the node by lines of JSON on standard input, and says ``heard`` to each: ``{"gone": true}``,
``{"refuses": "why"}``, ``{"camera": "camera_1", "set": {"blind": null}}``, ``{"begin": true}`` (all as at
first), ``{"camera": "camera_1", "drift": {…}}``."""

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

from fake_node import FakeNode
from vedette.causes import Blame, Cause, Kind
from vedette.facts import Gap
from vedette.ledger.rows import WatchChange
from vedette.ledger.store import Ledger
from vedette.observe.views import CameraView, DriftView
from vedette.web.app import build
from vedette.web.served import Served

NODE = "north"
SITES = ("yard", "hall", "dock")
MINUTE = 60_000_000


class Fleet(FakeNode):
    """With sites. Of eight cameras one cannot be reached, one is blurred, one is paused; the rest is seen."""

    def __init__(self, cameras: int) -> None:
        super().__init__(cameras)
        self._many = cameras
        self.begin()

    def begin(self) -> None:
        """As at first, whatever was done to it."""
        self.gone, self.refuses = False, ""
        self.orders.clear()
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


def write_a_day(ledger: Ledger, cameras: dict[str, CameraView], now: int) -> None:
    """What ``vedette`` would have written of them. ``now``: µs."""
    began = now - 26 * 60 * MINUTE
    ledger.begin(NODE, {}, began)
    watches = [WatchChange(camera=name, at=began, host=f"10.0.0.{n}") for n, name in enumerate(cameras)]
    gaps = [_starting("camera_1", began)]
    for number, name in enumerate(list(cameras)[:20]):
        for hour in range(2, 24, 3 + number % 5):
            gaps.append(_gap(name, now - hour * 60 * MINUTE, (hour % 4) * 5 + 1, Cause.STALLED, f"{hour}"))
    gaps += [
        _gap("camera_2", now - 12 * MINUTE, None, Cause.UNREACHABLE, "now", blame=Blame.NETWORK),
        _gap("camera_5", now - 40 * MINUTE, None, Cause.PAUSED, "now", blame=Blame.OPERATOR),
        _gap("camera_3", now - 90 * MINUTE, None, Cause.BLURRED, "soft", kind=Kind.DEGRADED),
        _gap("camera_3", now - 300 * MINUTE, 60, Cause.THINNED, "rung", kind=Kind.DEGRADED, blame=Blame.NODE),
        _gap("camera_3", now - 200 * MINUTE, 0, Cause.CODEC_CHANGED, "codec", kind=Kind.EVENT),
    ]
    known = [gap for gap in gaps if gap.camera in cameras]
    ledger.write(heartbeat=now, watches=watches, gaps=known)


def _starting(camera: str, at: int) -> Gap:
    return _gap(camera, at, 1, Cause.STARTING, "starting", epochs=(None, 0))


def _gap(
    camera: str,
    start: int,
    minutes: int | None,
    cause: Cause,
    id: str,
    kind: Kind = Kind.BLIND,
    blame: Blame = Blame.CAMERA,
    epochs: tuple[int | None, int | None] = (0, 1),
) -> Gap:
    end = None if minutes is None else start + minutes * MINUTE
    before, after = epochs if kind is Kind.BLIND and end is not None else (None, None)
    return Gap(
        id=f"{camera}-{id}",
        camera=camera,
        kind=kind,
        start=start,
        end=end,
        cause=cause,
        blame=blame,
        frames_missed=None if minutes is None else minutes * 1500,
        epoch_before=before,
        epoch_after=after,
    )


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
        print("heard", flush=True)


def beat(ledger: Ledger) -> None:
    while True:
        time.sleep(1)
        ledger.write(heartbeat=time.time_ns() // 1000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, help="for a ledger; none without it")
    given = parser.parse_args()
    node = Fleet(given.cameras)
    ledger, address = None, None
    if given.folder is not None:
        address = str(given.folder / "vedette.db")
        ledger = Ledger.open(address)
        write_a_day(ledger, node.cameras, time.time_ns() // 1000)
        threading.Thread(target=beat, args=[ledger], daemon=True).start()
    threading.Thread(target=listen, args=[node], daemon=True).start()
    review = None if given.folder is None else given.folder / "review"
    app = build(Served(NODE, node, ledger=address, review=review))
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
