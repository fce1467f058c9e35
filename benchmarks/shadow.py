"""``python -m benchmarks.shadow``: what a candidate beside the detector costs the cameras that are live.

One node, simulated cameras in a process of their own, the bundled model as detector and as candidate.
Stretches with and without a candidate take turns, so that whatever else the machine does falls on both. Of
each stretch: the age of results as the node counts it, results and CPU seconds a second, and the candidate's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import vedette
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.sim_process import SimProcess
from vedette.histogram import percentile
from vedette.running import RunningNode

COLUMNS = {
    "candidate": "{candidate}",
    "results/s": "{results:.1f}",
    "age p50 ms": "{p50:.1f}",
    "p95": "{p95:.1f}",
    "p99": "{p99:.1f}",
    "max": "{most:.0f}",
    "cores, all but the candidate": "{cores:.3f}",
    "cores, candidate": "{candidate_cores:.3f}",
    "frames/s it saw": "{seen:.2f}",
    "left out/s": "{left_out:.2f}",
}

SETTLE_S = 3.0


def stretch(node: RunningNode, seconds: float) -> dict[str, Any]:
    """What the node did in so many seconds."""
    before, began = _now(node), time.monotonic()
    time.sleep(seconds)
    after, took = _now(node), time.monotonic() - began
    ages = after["ages"] - before["ages"]
    return {
        "ages": ages,
        "seconds": took,
        **{key: after[key] - before[key] for key in ("cpu", "candidate_cpu", "seen", "left_out")},
    }


def _now(node: RunningNode) -> dict[str, Any]:
    time.sleep(1.1)  # a view's figures may be so old
    shadow = node.view().shadow
    running = shadow is not None and shadow.state != "ended"
    candidate_cpu = cpu = 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            command, times = process.cmdline(), process.cpu_times()
        except psutil.Error:
            continue
        spent = times.user + times.system
        if "shadow" in command:
            candidate_cpu += spent
        elif "benchmarks.sim_process" not in command:
            cpu += spent
    return {
        "ages": node.histograms().ages.sum(axis=0).astype(np.int64),
        "cpu": cpu,
        "candidate_cpu": candidate_cpu,
        "seen": shadow.in_all.frames if running and shadow else 0,
        "left_out": sum(shadow.in_all.left_out.values()) if running and shadow else 0,
    }


def row(candidate: str, stretches: list[dict[str, Any]]) -> dict[str, Any]:
    """All stretches of a kind as one."""
    ages = np.sum([each["ages"] for each in stretches], axis=0)
    seconds = sum(each["seconds"] for each in stretches)
    p50, p95, p99 = (percentile(ages, share) * 1000 for share in (0.5, 0.95, 0.99))
    each_p99 = [percentile(each["ages"], 0.99) * 1000 for each in stretches]
    return {
        "candidate": candidate,
        "results": int(ages.sum()) / seconds,
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "most": percentile(ages, 1.0) * 1000,
        "p99_of_each_stretch": [round(value, 1) for value in each_p99],
        "cores": sum(each["cpu"] for each in stretches) / seconds,
        "candidate_cores": sum(each["candidate_cpu"] for each in stretches) / seconds,
        "seen": sum(each["seen"] for each in stretches) / seconds,
        "left_out": sum(each["left_out"] for each in stretches) / seconds,
    }


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    without: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        SimProcess(Path(folder), cameras=options.cameras, fps=options.fps, grain=10, clip="driveway") as sim,
    ):
        cameras = {f"cam{n}": {"url": f"rtsp://127.0.0.1:{sim.port}/cam{n}"} for n in range(options.cameras)}
        at_ease = {} if options.ladder else {"ladder": False, "max_age": 10.0}
        config = vedette.Config(cameras=cameras, detector={"threads": 1}, **at_ease)
        with vedette.run(config, on_result=lambda _: None) as node:
            while not all(camera.frames.analysed > 5 for camera in node.view().cameras):
                time.sleep(0.2)
            time.sleep(SETTLE_S)
            for _ in range(options.turns):
                without.append(stretch(node, options.seconds))
                node.shadow(share=options.share)
                time.sleep(SETTLE_S)
                beside.append(stretch(node, options.seconds))
                node.stop_shadow()
                time.sleep(SETTLE_S)
                print(".", end="", flush=True)
    return [row("none", without), row(f"share {options.share:g}", beside)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shadow", description=__doc__)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--fps", type=float, default=4.0)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch")
    parser.add_argument("--turns", type=int, default=5, help="stretches of each kind")
    parser.add_argument(
        "--no-ladder",
        dest="ladder",
        action="store_false",
        help="show it frames however busy the machine is, and let no frame grow too old",
    )
    parser.add_argument("--name", default="shadow")
    options = parser.parse_args()
    before = machine()
    rows = measured(options)
    command = " ".join(["python -m benchmarks.shadow", *sys.argv[1:]])
    path = write_json(options.name, rows, command, before)
    print(f"\n{markdown(rows, COLUMNS)}\n\nwritten to {path.name}")


if __name__ == "__main__":
    main()
