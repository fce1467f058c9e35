"""Our arm: ``python -m benchmarks.latency.our_arm``, a Vedette node in a process of its own.

Writes ``results.bin``, ``facts.jsonl`` and ``samples.jsonl`` into its folder.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

import msgspec

import vedette
from benchmarks import ROOT
from benchmarks.barcode import UNREADABLE
from benchmarks.latency.log import ResultLog, serve
from benchmarks.recorder import say
from vedette.facts import AnyFact
from vedette.observe.views import NodeView
from vedette.results import Result
from vedette.running import RunningNode

__all__: list[str] = []


def _config(port: int, cameras: int, node: dict[str, Any], pace: dict[str, Any]) -> vedette.Config:
    """``node``: keys of the configuration. Without a detector among them it is the paced one."""
    paced = {"python": "benchmarks.latency.detectors:PacedDetector", "options": pace}
    urls = {f"cam{index}": {"url": f"rtsp://127.0.0.1:{port}/cam{index}"} for index in range(cameras)}
    return vedette.Config(
        cameras=urls, folder=ROOT, ledger=False, **{"tracker": "none", "detector": paced} | node
    )


def _totals(view: NodeView) -> dict[str, Any]:
    """All cameras together: frames by outcome, and how many cameras are on each step and decode what."""
    frames = view.frames
    return {
        "frames": {name: getattr(frames, name) for name in frames.__slots__},
        "steps": dict(Counter(camera.step for camera in view.cameras)),
        "decodes": dict(Counter(camera.decodes for camera in view.cameras)),
    }


def _each(view: NodeView) -> dict[str, Any]:
    """Each camera by itself, and where the time of all went."""
    cameras = {
        camera.name: {
            "frames": {name: getattr(camera.frames, name) for name in camera.frames.__slots__},
            "endings": dict(camera.endings),
            "sessions": camera.sessions,
            "step": camera.step,
            "decodes": camera.decodes,
        }
        for camera in view.cameras
    }
    stages = {
        name: {"p50": round(stage.p50, 3), "p99": round(stage.p99, 3)}
        for name, stage in view.stages_ms.items()
    }
    return {"cameras": cameras, "stages_ms": stages}


class Sampler:
    """Writes a line of totals every so many seconds."""

    def __init__(self, node: RunningNode, file: TextIO, every: float) -> None:
        self._node, self._file, self._every = node, file, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            line = {"at": time.monotonic(), **_totals(self._node.view())}
            self._file.write(json.dumps(line) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, required=True)
    parser.add_argument("--sent", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pace", type=json.loads, required=True)
    parser.add_argument("--node", type=json.loads, required=True)
    parser.add_argument("--sample", type=float, required=True)
    return parser.parse_args()


def main() -> None:
    options = _parse()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    log = ResultLog(options.sent, options.folder / "results.bin", options.cameras)
    numbered = "detector" not in options.node
    facts = (options.folder / "facts.jsonl").open("wb")
    wall = time.time() - time.monotonic()

    def on_result(result: Result) -> None:
        now, camera = time.monotonic(), int(result.camera[3:])
        if not numbered:
            log.captured(camera, result.captured_at - wall, now)
            return
        index = int(result.boxes.class_id[0]) if len(result.boxes) else UNREADABLE
        log.numbered(camera, None if index == UNREADABLE else index, now)

    def on_fact(fact: AnyFact) -> None:
        facts.write(msgspec.json.encode(fact) + b"\n")

    config = _config(options.port, options.cameras, options.node, options.pace)
    with (
        (options.folder / "samples.jsonl").open("w") as samples,
        vedette.run(config, on_result=on_result, on_fact=on_fact) as node,
    ):
        sampler = Sampler(node, samples, options.sample)
        sampler.start()

        def mark() -> dict[str, Any]:
            table = node._node.table
            view = node.view_in_all()
            return {
                **_totals(view),
                **_each(view),
                "decoded": int(table.rows["decoded"].sum()),
            }

        for _ in serve(log, mark):
            if not node.running:
                break
        sampler.stop()
    facts.close()
    log.close()
    say("over")


if __name__ == "__main__":
    main()
