"""``python -m benchmarks.resources.soak``: 16 cameras fail in every way, over and over; does a worker grow?

The peers' leaks lie in the way back, so healthy cameras would show nothing. Every few seconds each worker's
private memory, descriptors and threads are read; of the last two thirds of the run the minima of each minute
are judged as the product judges a leak (Theil–Sen, the lower bound above what is noise). ``--leaks`` makes
workers leak on purpose: the same for workers that are to be found and replaced.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.streams.kinds import CAMERA_KINDS, config_of
from vedette.chaos.run import Chaos, Listeners, run_chaos
from vedette.facts import AnyFact, WorkerEnded, WorkerReplaced
from vedette.results import Result
from vedette.sim.faults import RandomFaults, Schedule, Who, plan
from vedette.supervise.resources import open_files, resident_of
from vedette.supervise.slope import theil_sen
from vedette.units import parse_duration

EVERY_S, BIN_S = 3.0, 60.0
FAULT_EVERY_S, SHORTEST_S, LONGEST_S = 15.0, 3.0, 10.0
WARM_SHARE = 1 / 3
Z = 1.645
FLOORS = {"memory_mb": 2.75, "files": 1.0, "threads": 1.0}
"""An hour: what the product does not tell from noise, either."""

COLUMNS = {
    "process": "{process}",
    "minutes": "{minutes:.0f}",
    "memory MB": "{memory_mb_first:.1f}→{memory_mb_last:.1f} (most {memory_mb_most:.0f})",
    "MB an hour": "{memory_mb_slope:.2f} (at least {memory_mb_lower:.2f})",
    "descriptors": "{files_first:.0f}→{files_last:.0f}",
    "threads": "{threads_first:.0f}→{threads_last:.0f}",
    "grows": "{grows}",
}


class Ages:
    """Of all results, by the millisecond: a list of them would be a leak of our own."""

    def __init__(self) -> None:
        self._counts = np.zeros(60_000, np.int64)

    def note(self, seconds: float) -> None:
        self._counts[min(int(seconds * 1e3), len(self._counts) - 1)] += 1

    @property
    def count(self) -> int:
        return int(self._counts.sum())

    def quantile_ms(self, share: float) -> float:
        return float(np.searchsorted(np.cumsum(self._counts), share * self.count)) if self.count else 0.0


class Sampler:
    """Reads all workers of a node in this process, and the process itself."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, int], list[tuple[float, float, float, float]]] = defaultdict(list)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY_S):
            now = time.monotonic()
            for name, process in _processes():
                try:
                    amount = resident_of(process.pid)
                    if amount is not None:
                        files, threads = open_files(process.pid), process.num_threads()
                        self.samples[name, process.pid].append((now, amount / 1e6, files, threads))
                except (psutil.Error, OSError):
                    continue  # it ended just now


def _processes() -> list[tuple[str, psutil.Process]]:
    me = psutil.Process()
    found = [("node", me)]
    for child in me.children(recursive=True):
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        if "vedette.workers" in words:
            found.append((f"{words[-2]} worker", child))
    return found


def rows_of(samples: dict[tuple[str, int], list[tuple[float, float, float, float]]]) -> list[dict[str, Any]]:
    rows = []
    for (name, pid), values in samples.items():
        series = np.array(values)
        settled = series[series[:, 0] >= series[0, 0] + WARM_SHARE * (series[-1, 0] - series[0, 0])]
        if len(settled) < 10:
            continue
        row: dict[str, Any] = {"process": f"{name} ({pid})", "minutes": np.ptp(series[:, 0]) / 60}
        grows = []
        for column, measure in enumerate(FLOORS, start=1):
            slope, lower = _slope(settled[:, 0], settled[:, column])
            row |= {f"{measure}_first": settled[0, column], f"{measure}_last": settled[-1, column]}
            row |= {f"{measure}_most": series[:, column].max(), f"{measure}_slope": slope}
            row[f"{measure}_lower"] = lower
            if lower > FLOORS[measure]:
                grows.append(measure)
        row["grows"] = ", ".join(grows) or "no"
        rows.append(row)
    return rows


def _slope(at: Any, values: Any) -> tuple[float, float]:
    """An hour, of the minima of each minute."""
    bins = ((at - at[0]) // BIN_S).astype(int)
    numbers = np.unique(bins)
    least = np.array([values[bins == number].min() for number in numbers])
    if len(numbers) < 4:
        return 0.0, float("-inf")
    found = theil_sen(numbers * (BIN_S / 3600), least, Z)
    return found.slope, found.lower


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resources.soak", description=__doc__)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--for", dest="seconds", type=parse_duration, default=1800.0)
    parser.add_argument("--detector", default="5", help="milliseconds of a fake one, or bundled")
    parser.add_argument("--leaks", type=int, default=0, help="bytes that each decoded frame leaves behind")
    parser.add_argument("--limit", default="auto", help="recycle.memory_limit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="resources-soak")
    options = parser.parse_args()
    before = machine()
    if options.leaks:
        # Workers are fresh interpreters: what is to leak in them is put into them as they start.
        folder = Path(__file__).parent / "leaking"
        os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        os.environ["LEAK_BYTES"] = str(options.leaks)
    names = [f"cam{number}" for number in range(options.cameras)]
    entry = RandomFaults(CAMERA_KINDS, FAULT_EVERY_S, SHORTEST_S, LONGEST_S, Who(tuple(names)), origin="soak")
    events = plan(Schedule(random=(entry,)), names, options.seconds, options.seed)
    sampler, facts, ages = Sampler(), [], Ages()

    def on_fact(fact: AnyFact) -> None:
        if isinstance(fact, (WorkerEnded, WorkerReplaced)):
            facts.append(fact)

    def on_result(result: Result) -> None:
        ages.note(result.age)

    config = config_of(options.cameras, options.detector)
    recycle = config.recycle.model_copy(update={"memory_limit": _bytes(options.limit)})
    outcome = run_chaos(
        config.model_copy(update={"recycle": recycle}),
        Chaos(events=events, seconds=options.seconds, seed=options.seed),
        say=lambda line: print(line, flush=True),
        listeners=Listeners(on_result=on_result, on_fact=on_fact, on_begin=lambda _: sampler.start()),
    )
    sampler.stop()
    rows = rows_of(sampler.samples)
    replaced = [f"{fact.worker}: {fact.reason}" for fact in facts if isinstance(fact, WorkerReplaced)]
    died = [fact.worker for fact in facts if isinstance(fact, WorkerEnded) and not fact.planned]
    broken = [problem for problems in outcome.checks.values() for problem in problems]
    print(f"\n{markdown(rows, COLUMNS)}\n")
    p99 = ages.quantile_ms(0.99)
    print(f"results {ages.count}, p99 age {p99:.1f} ms; replaced {len(replaced)}; died {len(died)}; {broken}")
    command = " ".join(["python -m benchmarks.resources.soak", *sys.argv[1:]])
    more = {"replaced": replaced, "died": died, "broken": broken, "p99_ms": p99, "faults": len(events)}
    print("written to", write_json(options.name, rows, command, before, **more).name)


def _bytes(limit: str) -> Any:
    from vedette.units import parse_size

    return limit if limit == "auto" else parse_size(limit)


if __name__ == "__main__":
    main()
