"""What something that a node does beside its cameras costs them: stretches with and without it take turns, on
the same cameras, so that whatever else the machine does falls on both.

Of each stretch: the age of results as the node counts it, results and CPU seconds a second, and those of the
processes that do it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import vedette
from benchmarks.sim_process import SimProcess
from vedette.histogram import percentile
from vedette.running import RunningNode

__all__ = ["COLUMNS", "SETTLE_S", "Beside", "in_turns", "options_of", "watched"]

SETTLE_S = 3.0

COLUMNS = {
    "results/s": "{results:.1f}",
    "age p50 ms": "{p50:.1f}",
    "p95": "{p95:.1f}",
    "p99": "{p99:.1f}",
    "max": "{most:.0f}",
    "cores, all else": "{cores:.3f}",
    "cores, beside": "{beside_cores:.3f}",
}
"""Of :func:`row`."""


@dataclass(frozen=True)
class Beside:
    """``begin`` and ``end`` it; ``process``: the word in the command line of the processes that do it, None
    where they cannot be told from those that are there anyway; ``counted``: counters of its own that only
    grow, told as so many a second."""

    name: str
    process: str | None
    begin: Callable[[], object]
    end: Callable[[], object]
    counted: Callable[[], Mapping[str, float]] = field(default=dict)


def in_turns(node: RunningNode, what: Beside, *, turns: int, seconds: float) -> list[dict[str, Any]]:
    """A row without it, and one with it."""
    without: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for _ in range(turns):
        without.append(_stretch(node, what, seconds))
        what.begin()
        time.sleep(SETTLE_S)
        beside.append(_stretch(node, what, seconds))
        what.end()
        time.sleep(SETTLE_S)
        print(".", end="", flush=True)
    return [_row("none", without), _row(what.name, beside)]


def _stretch(node: RunningNode, what: Beside, seconds: float) -> dict[str, Any]:
    """What the node did in so many seconds."""
    before, began = _now(node, what), time.monotonic()
    time.sleep(seconds)
    after, took = _now(node, what), time.monotonic() - began
    return {"seconds": took, **{key: after[key] - before.get(key, 0) for key in after}}


def _now(node: RunningNode, what: Beside) -> dict[str, Any]:
    time.sleep(1.1)  # a view's figures may be so old
    # With those that have ended meanwhile: only what runs beside comes and goes.
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    beside, cpu = ended.ru_utime + ended.ru_stime, 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            command, times = process.cmdline(), process.cpu_times()
        except psutil.Error:
            continue
        spent = times.user + times.system
        if what.process in command:
            beside += spent
        elif "benchmarks.sim_process" not in command:
            cpu += spent
    ages = node.histograms().ages.sum(axis=0).astype(np.int64)
    return {"ages": ages, "cpu": cpu, "beside_cpu": beside, **what.counted()}


def _row(name: str, stretches: list[dict[str, Any]]) -> dict[str, Any]:
    """All stretches of a kind as one."""
    ages = np.sum([each["ages"] for each in stretches], axis=0)
    seconds = sum(each["seconds"] for each in stretches)
    p50, p95, p99 = (percentile(ages, share) * 1000 for share in (0.5, 0.95, 0.99))
    own = [key for key in stretches[0] if key not in ("ages", "seconds", "cpu", "beside_cpu")]
    return {
        "beside": name,
        "results": int(ages.sum()) / seconds,
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "most": percentile(ages, 1.0) * 1000,
        "p50_of_each_stretch": [round(percentile(each["ages"], 0.5) * 1000, 1) for each in stretches],
        "p99_of_each_stretch": [round(percentile(each["ages"], 0.99) * 1000, 1) for each in stretches],
        "cores": sum(each["cpu"] for each in stretches) / seconds,
        "beside_cores": sum(each["beside_cpu"] for each in stretches) / seconds,
        **{key: sum(each[key] for each in stretches) / seconds for key in own},
    }


@contextmanager
def watched(options: argparse.Namespace) -> Iterator[RunningNode]:
    """A node with simulated cameras in a process of their own, and the bundled model."""
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
            yield node


def options_of(parser: argparse.ArgumentParser, *, name: str) -> None:
    """``name``: of the file with the figures, where none is given."""
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--fps", type=float, default=4.0)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch")
    parser.add_argument("--turns", type=int, default=5, help="stretches of each kind")
    parser.add_argument(
        "--no-ladder",
        dest="ladder",
        action="store_false",
        help="go on however busy the machine is, and let no frame grow too old",
    )
    parser.add_argument("--name", default=name)
