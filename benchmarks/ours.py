"""Our arm: ``python -m benchmarks.ours``, a Vedette node in a process of its own."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import vedette
from benchmarks import ROOT
from benchmarks.barcode import UNREADABLE
from benchmarks.recorder import Recorder, say
from vedette.facts import AnyFact, SessionEnded, SessionOpened, Trouble, WorkerStarted
from vedette.results import Result

__all__: list[str] = []


def config(port: int, cameras: int, tracker: str, ms: float = 5.0) -> vedette.Config:
    """The configuration that is measured: everything as it comes, but for detector and tracker."""
    return vedette.Config(
        cameras={f"cam{index}": {"url": f"rtsp://127.0.0.1:{port}/cam{index}"} for index in range(cameras)},
        detector={"python": "benchmarks.detectors:SleepingDetector", "options": {"ms": ms}},
        tracker=tracker,
        folder=ROOT,
    )


class Watcher:
    """Tells the harness when the workers were up and the last camera open; counts sessions that ended."""

    def __init__(self, cameras: int) -> None:
        self._cameras, self._opened, self._workers = cameras, set[str](), 0.0
        self.ended: Counter[str] = Counter()

    def __call__(self, fact: AnyFact) -> None:
        match fact:
            case WorkerStarted(at=at):
                self._workers = at
            case SessionOpened(at=at, camera=camera) if camera not in self._opened:
                self._opened.add(camera)
                if len(self._opened) == self._cameras:
                    say("up", at=self._workers)
                    say("open", at=at)
            case SessionEnded(reason=reason, detail=detail):
                self.ended[f"{reason}: {detail}"] += 1
            case Trouble(where=where, message=message):
                say("trouble", where=where, message=message)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, required=True)
    parser.add_argument("--sent", type=Path, required=True)
    parser.add_argument("--warm-up", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--tracker", default="none")
    options = parser.parse_args()
    recorder = Recorder(options.sent, options.cameras)

    def on_result(result: Result) -> None:
        now = time.monotonic()
        index = int(result.boxes.class_id[0]) if len(result.boxes) else UNREADABLE
        recorder.result(int(result.camera[3:]), None if index == UNREADABLE else index, now)

    settings = config(options.port, options.cameras, options.tracker)
    say("start", at=time.monotonic())
    with vedette.run(settings, on_result=on_result, on_fact=Watcher(options.cameras)) as node:
        recorder.measure(warm_up=options.warm_up, seconds=options.seconds)
        stages = node.report()["stages_ms"]
    say("stages", **stages)


if __name__ == "__main__":
    main()
