"""The node of the thousand-cameras bench: ``python -m benchmarks.thousand_node``, in a process of its own."""

from __future__ import annotations

import argparse
import resource
import sys
import time

import vedette
from benchmarks import ROOT
from benchmarks.ours import Watcher
from benchmarks.recorder import say
from vedette.workers.table import Stage

__all__: list[str] = []


def _config(port: int, cameras: int) -> vedette.Config:
    return vedette.Config(
        defaults={"decode": "keyframes"},
        cameras={f"cam{index}": {"url": f"rtsp://127.0.0.1:{port}/cam{index}"} for index in range(cameras)},
        # It takes no time: what is measured is everything but inference.
        detector={"python": "benchmarks.detectors:SleepingDetector", "options": {"ms": 0.0}},
        tracker="none",
        folder=ROOT,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, required=True)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    settings = _config(options.port, options.cameras)
    say("start", at=time.monotonic())
    watcher = Watcher(options.cameras)
    with vedette.run(settings, on_result=lambda _: None, on_fact=watcher) as node:
        sys.stdin.read()
        report, ended = node.report(), dict(watcher.ended.most_common(5))
        decoded = int(node._node.table.stages[1:, Stage.DECODE].sum())
    cameras = report["cameras"].values()
    outcomes = {name: sum(camera["frames"][name] for camera in cameras) for name in _OUTCOMES}
    sessions = sum(camera["sessions"] for camera in cameras)
    say(
        "result",
        decoded=decoded,
        outcomes=outcomes,
        sessions=sessions,
        ended=ended,
        stages_ms=report["stages_ms"],
    )


_OUTCOMES = ("received", "analysed", "superseded", "expired", "skipped", "failed", "orphaned", "in_flight")

if __name__ == "__main__":
    main()
