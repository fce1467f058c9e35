"""A node for the dashboard's tests, with as many cameras as wanted, in every state there is; to look at it:
``python -m fake_node --cameras 1000`` (with ``tests`` on the path) serves a dashboard of it."""

from __future__ import annotations

import argparse
import io
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image, ImageDraw

from fake_plenty import HAPPENED, plenty
from vedette.control.protocol import (
    Became,
    Gave,
    Happened,
    Happening,
    Looked,
    NodeRefusedError,
    Order,
    Picture,
)
from vedette.observe.views import CameraView, DriftView, Frames, NodeView, Percentiles, WorkerView

BLIND = (None,) * 12 + ("unreachable", "stalled", "auth", "node", "paused")
STAGES = ("lag", "decode", "wait", "convert", "infer", "postprocess", "track", "emit")


class FakeNode:
    """A :class:`vedette.web.node.Node`. ``orders``: what it was told. ``refuses``: why it does not do what
    it is told, where it does not. ``gone``: it does not answer. ``dropped``: pictures that viewers were too
    slow for. ``plenty``: everything is at work on it (see :mod:`fake_plenty`)."""

    def __init__(self, cameras: int = 8, seed: int = 0, *, plenty: bool = False) -> None:
        self._random = random.Random(seed)
        self._began = time.time()
        self.cameras = {each.name: each for each in map(self._camera, range(cameras))}
        self.orders: list[Order] = []
        self.refuses = ""
        self.gone = False
        self.dropped = 0
        self.plenty = plenty
        self._happened: list[Happening] = []
        self.happens("info", "node.started", "the node watches", ago=3 * 86_400 if plenty else 0)
        for ago, level, kind, text, camera, worker in HAPPENED if plenty else ():
            self.happens(level, kind, text, camera, worker, ago)

    def _camera(self, number: int) -> CameraView:
        blind = self._random.choice(BLIND)
        received = self._random.randrange(1000, 100_000)
        age = self._random.uniform(20, 300)
        return CameraView(
            name=f"camera_{number + 1}",
            state="connecting"
            if blind in ("unreachable", "auth")
            else "paused"
            if blind == "paused"
            else "live",
            frames=Frames(
                received=received, analysed=received * 9 // 10, superseded=received - received * 9 // 10
            ),
            age_ms=Percentiles(age / 2, age * 0.9, age, age * 1.5),
            fps_in=0.0 if blind else 25.0,
            fps_analysed=0.0 if blind else 12.5,
            objects=None
            if blind
            else {"person": self._random.randrange(5), "car": self._random.randrange(3)},
            epoch=self._random.randrange(5),
            sessions=self._random.randrange(1, 6),
            blind=blind,
            blame=None if blind is None else "camera",
            degraded=("dark",) if self._random.random() < 0.05 else (),
            drift=DriftView("suspected" if self._random.random() < 0.05 else "watching", 1.0, "day", 0.1),
            gaps=self._random.randrange(9),
            blind_s={"unreachable": self._random.uniform(0, 600)},
            step=self._random.choice(("full", "full", "full", "fewer")),
            lag_ms=self._random.uniform(1, 50),
            width=1920,
            height=1080,
            stages_ms={name: Percentiles(1, 2, 3, 4) for name in STAGES},
        )

    def happens(
        self, level: str, kind: str, text: str, camera: str = "", worker: str = "", ago: float = 0.0
    ) -> None:
        """``ago``: seconds."""
        at = time.time() - ago
        self._happened.append(Happening(len(self._happened) + 1, at, level, kind, text, camera, worker))

    # ---- what is asked of a node

    async def view(self, *, details: bool = False) -> NodeView:
        self._answers()
        return self.seen_at(time.time())

    def seen_at(self, at: float) -> NodeView:
        """Its view at that time (Unix seconds)."""
        seen = [each for each in self.cameras.values() if each.blind is None]
        view = NodeView(
            cameras=tuple(self.cameras.values()),
            uptime_s=time.time() - self._began,
            analysed_per_s=12.5 * len(seen),
            cpu_percent=120.0,
            pss_mb=400.0,
            detector="picodet_s 416x416, onnxruntime, cpu",
            stages_ms={name: Percentiles(1, 2, 3, 4) for name in STAGES},
            workers=(
                WorkerView("inference-0", "inference", 1001, busy=0.8, post="inference-0"),
                WorkerView(
                    "cameras-0", "camera", 1002, busy=0.5, cameras=len(self.cameras), post="cameras-0"
                ),
            ),
            cpu_busy=0.6,
            drift=True,
        )
        return plenty(view, at) if self.plenty else view

    async def look(
        self, cameras: tuple[str, ...], width: int, since: float = 0.0, dropped: int = 0
    ) -> Looked:
        self._answers()
        self.dropped += dropped
        found = [name for name in cameras if name in self.cameras and self.cameras[name].blind is None]
        return Looked({name: _picture(name, width) for name in found})

    async def results(self, after: int, most: int = 500) -> Gave:
        self._answers()
        if after < 0:
            return Gave([], 0)
        line = {
            "camera": "camera_1",
            "epoch": 0,
            "seq": after + 1,
            "captured_at": time.time(),
            "detections": [],
        }
        return Gave([msgspec.json.encode(line)], after + 1)

    async def happenings(self, after: int, most: int = 500) -> Happened:
        self._answers()
        return Happened(self._happened[after:][:most], len(self._happened))

    async def order(self, order: Order) -> int:
        self._answers()
        if self.refuses:
            raise NodeRefusedError(f"the node refused: {self.refuses}")
        self.orders.append(order)
        if order.kind in ("pause", "resume") and order.what in self.cameras:
            blind = "paused" if order.kind == "pause" else None
            self.cameras[order.what] = replace(self.cameras[order.what], blind=blind)
        if order.kind == "add":
            self.cameras[order.what] = CameraView(order.what)
        if order.kind == "remove":
            self.cameras.pop(order.what, None)
        return len(self.orders)

    async def became(self, number: int) -> Became:
        self._answers()
        if not 0 < number <= len(self.orders):
            raise NodeRefusedError(f"the node refused: there is no order {number}")
        return Became(done=True)

    async def configuration(self) -> dict[str, Any]:
        self._answers()
        return {"cameras": {name: {"url": f"rtsp://host/{name}"} for name in self.cameras}}

    def _answers(self) -> None:
        from vedette.web.node import NodeGoneError

        if self.gone:
            raise NodeGoneError("no node answers")


def _picture(name: str, width: int) -> Picture:
    """A grey picture with a box that moves with the time."""
    height, now = width * 9 // 16, time.time()
    left = 200 + 600 * (now / 10 % 1)
    image = Image.new("RGB", (width, height), (70 + hash(name) % 60, 90, 110))
    scale = width / 1920
    ImageDraw.Draw(image).rectangle(
        [each * scale for each in (left, 300, left + 200, 800)], fill=(200, 190, 150)
    )
    held = io.BytesIO()
    image.save(held, "JPEG", quality=80)
    box = (left, 300.0, left + 200, 800.0)
    return Picture(now, held.getvalue(), 1920, 1080, [box], ["person"], [0.87], [7])


def main() -> None:
    import tempfile

    import uvicorn

    from fake_folders import dashboard, filled
    from vedette.web.app import build
    from vedette.web.served import Served

    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--port", type=int, default=8701)
    parser.add_argument("--bare", action="store_true", help="nothing but cameras, and no folders")
    given = parser.parse_args()
    node = FakeNode(given.cameras, plenty=not given.bare)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent)
        served = Served("node", node) if given.bare else filled("node", node, folder, store=folder)
        app = build(served) if given.bare else dashboard(served, node)
        uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
