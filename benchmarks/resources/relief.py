"""``python -m benchmarks.resources.relief``: workers are replaced again and again; do live cameras notice?

Between two replacements the node rests for as long as a replacement takes, so that there is as much of either
to compare: what a busy machine does to a camera it does in both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from array import array
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import vedette
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.sim_process import SimProcess
from vedette.errors import VedetteError
from vedette.facts import AnyFact, EpochStarted, GapOpened, WorkerEnded
from vedette.results import Result
from vedette.running import RunningNode

__all__ = ["RELIEF_COLUMNS", "relieved"]

BOXES = [[20.0 + 100 * place, 40.0, 60.0 + 100 * place, 200.0] for place in range(3)]
"""What the detector finds in each picture: so many tracks each camera has, from first to last."""

AFTER_S = 0.2
"""What comes so long after a replacement may still be due to it."""

WARM_RESULTS = 100
WARM_WITHIN_S = 120.0
REST_LEAST_S = 0.5

RELIEF_COLUMNS = {
    "worker": "{worker}",
    "cameras": "{cameras}",
    "replacements": "{replacements} ({failed} failed)",
    "took s, p50 / max": "{took_s[p50]:.1f} / {took_s[max]:.1f}",
    "results": "{results}",
    "lost": "{lost}",
    "repeated": "{repeated}",
    "new ids": "{new_ids}",
    "epochs, gaps, deaths": "{epochs}, {gaps}, {deaths}",
    "ms during, p50 / p99 / max": "{during_ms[p50]:.0f} / {during_ms[p99]:.0f} / {during_ms[max]:.0f}",
    "ms between": "{between_ms[p50]:.0f} / {between_ms[p99]:.0f} / {between_ms[max]:.0f}",
    "over {goal}": "{over[during]} / {over[between]}",
    "met": "{met}",
}

Times = npt.NDArray[np.float64]


class Seen:
    """Every result, as it comes out."""

    def __init__(self) -> None:
        self.times: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        """Of each camera's results, in monotonic seconds."""
        self.ids: defaultdict[str, set[int]] = defaultdict(set)
        self.repeated = 0
        """That came again, or after a later one."""
        self._newest: dict[str, tuple[int, int]] = {}

    def __call__(self, result: Result) -> None:
        now, frame = time.monotonic(), (result.epoch, result.seq)
        self.repeated += frame <= self._newest.get(result.camera, (-1, -1))
        self._newest[result.camera] = frame
        self.times[result.camera].append(now)
        self.ids[result.camera].update(int(each) for each in result.boxes.track_id if each >= 0)

    @property
    def count(self) -> int:
        return sum(map(len, self.times.values()))


class Told:
    """What must not happen, once everything runs."""

    def __init__(self) -> None:
        self.counting = False
        self.epochs = self.gaps = self.deaths = 0

    def __call__(self, fact: AnyFact) -> None:
        if self.counting:
            self.epochs += isinstance(fact, EpochStarted)
            self.gaps += isinstance(fact, GapOpened)
            self.deaths += isinstance(fact, WorkerEnded)


def relieved(
    worker: str = "inference-0", *, count: int = 1000, cameras: int = 8, fps: float = 25.0, workers: int = 1
) -> dict[str, Any]:
    """A row: what ``count`` replacements of this worker (``inference-0``, ``cameras-0``) did to the cameras.

    Pauses are the times between two results of a camera, in milliseconds: ``during`` replacements, and
    ``between`` them. ``over``: how many of either were longer than ``goal_ms``.
    """
    seen, told = Seen(), Told()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with SimProcess(folder, cameras=cameras, fps=fps, grain=0.0) as sim:
            settings = _config(folder, sim.port, cameras, workers)
            with vedette.run(settings, on_result=seen, on_fact=told) as node:
                _warm(node, seen, cameras)
                told.counting = True
                began, windows, failed = seen.count, *_replace(node, worker, count)
                frames = [camera.frames for camera in node.view().cameras]
                told.counting = False
            analysed = sum(each["frames"]["analysed"] for each in node.report()["cameras"].values())
    pauses = [np.asarray(times) for times in seen.times.values()]
    return _row(worker, fps, windows, pauses) | {
        "cameras": cameras,
        "fps": fps,
        "failed": failed,
        "results": seen.count - began,
        "lost": sum(each.orphaned + each.failed for each in frames) + analysed - seen.count,
        "repeated": seen.repeated,
        "new_ids": sum(len(ids) - len(BOXES) for ids in seen.ids.values()),
        "epochs": told.epochs,
        "gaps": told.gaps,
        "deaths": told.deaths,
    }


def _config(folder: Path, port: int, cameras: int, workers: int) -> vedette.Config:
    return vedette.Config(
        cameras={f"cam{index}": {"url": f"rtsp://127.0.0.1:{port}/cam{index}"} for index in range(cameras)},
        detector={
            "python": "vedette.testing:FakeDetector",
            "options": {"input_size": [256, 416], "boxes": BOXES, "seconds": 0.003},
        },
        workers=workers,
        # By nobody but us.
        recycle={"max_lifetime": "off", "memory_limit": "off", "gpu_memory_limit": "off", "leak": False},
        ledger=str(folder / "ledger.db"),
        folder=folder,
    )


def _warm(node: RunningNode, seen: Seen, cameras: int) -> None:
    deadline = time.monotonic() + WARM_WITHIN_S
    while len(seen.times) < cameras or min(map(len, seen.times.values())) < WARM_RESULTS:
        if time.monotonic() > deadline or not node.running:
            raise SystemExit("the cameras did not all give results")
        time.sleep(0.1)


def _replace(node: RunningNode, worker: str, count: int) -> tuple[Times, int]:
    """When each began and was over [count, 2], in monotonic seconds; and how many failed."""
    windows, failed = [], 0
    for number in range(count):
        began = time.monotonic()
        try:
            node.recycle(worker)
        except VedetteError as err:
            failed += 1
            print(f"replacement {number}: {err}", file=sys.stderr, flush=True)
        windows.append((began, time.monotonic()))
        time.sleep(max(REST_LEAST_S, time.monotonic() - began) + AFTER_S)
        if (number + 1) % 50 == 0:
            print(f"{number + 1} of {count}", file=sys.stderr, flush=True)
    return np.array(windows).reshape(-1, 2), failed


def _row(worker: str, fps: float, windows: Times, times: list[Times]) -> dict[str, Any]:
    during, between = [], []
    for each in times:
        # From the first replacement to the last rest: the start is nobody's fault.
        each = each[np.searchsorted(each, windows[0, 0]) :]
        inside = overlaps(each[:-1], each[1:], windows)
        pauses = np.diff(each) * 1000
        during.append(pauses[inside])
        between.append(pauses[~inside])
    # A detector is away for a batch or two; a camera comes back with the next picture of its other session.
    goal = 1000 / fps + 50 if worker.startswith("inference") else 2 * 1000 / fps + 100
    all_during, all_between = np.concatenate(during), np.concatenate(between)
    return {
        "worker": worker,
        "replacements": len(windows),
        "took_s": _percentiles(windows[:, 1] - windows[:, 0]),
        "during_ms": _percentiles(all_during),
        "between_ms": _percentiles(all_between),
        "goal_ms": goal,
        "over": {"during": int((all_during > goal).sum()), "between": int((all_between > goal).sum())},
    }


def overlaps(begins: Times, ends: Times, windows: Times) -> npt.NDArray[np.bool_]:
    """Whether each time from ``begins`` to ``ends`` has something of one of the ``windows`` [n, 2], or of the
    moment after it. Windows are in order and do not overlap."""
    place = np.searchsorted(windows[:, 1] + AFTER_S, begins)
    starts = np.append(windows[:, 0], np.inf)[place]
    found: npt.NDArray[np.bool_] = starts <= ends
    return found


def _percentiles(values: Times) -> dict[str, float]:
    if not len(values):
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    p50, p99, most = np.percentile(values, [50, 99, 100])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(most), 3)}


def judged(row: dict[str, Any]) -> dict[str, Any]:
    """The row with whether the goal was met: nothing lost, nothing twice, ids kept, no gap, no long pause."""
    wrong = [
        name for name in ("failed", "lost", "repeated", "new_ids", "epochs", "gaps", "deaths") if row[name]
    ]
    if row["during_ms"]["max"] > row["goal_ms"]:
        wrong.append("pause")
    return row | {"met": "yes" if not wrong else f"no: {', '.join(wrong)}"}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--worker", default="inference-0", help="inference-0, or cameras-0")
    parser.add_argument("--count", type=int, default=1000, help="of replacements")
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--workers", type=int, default=1, help="camera workers")
    parser.add_argument("--name", default=None, help="of the file in benchmarks/results")


def run(options: argparse.Namespace) -> None:
    """Measure, print the row and the goal, and write it down."""
    before = machine()
    worker = {"inference": "inference-0", "camera": "cameras-0"}.get(options.worker, options.worker)
    row = judged(
        relieved(
            worker, count=options.count, cameras=options.cameras, fps=options.fps, workers=options.workers
        )
    )
    columns = {name.format(goal=f"{row['goal_ms']:.0f} ms"): each for name, each in RELIEF_COLUMNS.items()}
    print(f"\n{markdown([row], columns)}\n")
    print(
        "goal: 0 lost, 0 repeated, no new id, no epoch, no gap, no death, no pause during a replacement "
        f"longer than {row['goal_ms']:.0f} ms"
    )
    command = " ".join(["python -m benchmarks.resources.relief", *sys.argv[1:]])
    name = options.name or f"relief-{worker.split('-')[0]}"
    print("written to", write_json(name, [row], command, before).name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resources.relief", description=__doc__)
    add_options(parser)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
