"""``python -m benchmarks.streams.third``: what do healthy cameras notice of a third that fails in every way?

Calm stretches and stretches of faults take turns in one run, so that both meet the same machine. Compared are
the ages of the healthy cameras' results (goal: p99 at most 1.2 times), CPU and memory of the node. Writes
``results/streams-third.json``; ends with 1 if something broke (a worker died, frames do not add up, the
ledger does not partition, something was told of a healthy camera) or the goal was missed.
"""

from __future__ import annotations

import argparse
import bisect
import os
import statistics
import sys
import threading
import time
from array import array
from collections import defaultdict
from typing import Any

import msgspec

from benchmarks.cost import cpu_s, pss_mb
from benchmarks.machine import machine
from benchmarks.streams.kinds import CAMERA_KINDS, config_of, write
from vedette.chaos.run import Chaos, Listeners, run_chaos
from vedette.results import Result
from vedette.sim.faults import FaultEvent, RandomFaults, Schedule, Who, plan
from vedette.units import parse_duration

__all__ = ["Stretches", "ages_of", "failing_third"]

GOAL = 1.2
FAULT_EVERY_S, SHORTEST_S, LONGEST_S = 20.0, 5.0, 15.0
SETTLE_S = 15.0
"""Of the beginning of each stretch nothing is counted: faults of the last one are being recovered from."""
SAMPLE_EVERY_S = 2.0
OURS = "vedette.chaos.simulator"
"""Costs of the simulated cameras are not the node's."""


class Stretches:
    """Which stretch a moment lies in: even ones are calm, odd ones fail. ``began``: monotonic seconds."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds, self.began = count, seconds, 0.0

    def of(self, at: float) -> int | None:
        """None: before or after, or too soon after the last one."""
        if not self.began:
            return None
        number, into = divmod(at - self.began, self.seconds)
        return int(number) if 0 <= number < self.count and into >= min(SETTLE_S, self.seconds / 3) else None


def failing_third(cameras: int, stretches: Stretches, seed: int) -> tuple[list[FaultEvent], set[str]]:
    """Faults in the odd stretches, always of the same cameras; and those cameras."""
    names = [f"cam{number}" for number in range(cameras)]
    failing = names[::3]
    events: list[FaultEvent] = []
    for number in range(1, stretches.count, 2):
        entry = RandomFaults(
            CAMERA_KINDS, FAULT_EVERY_S, SHORTEST_S, LONGEST_S, Who(tuple(failing)), origin="third"
        )
        drawn = plan(Schedule(random=(entry,)), names, stretches.seconds, seed + number)
        offset = number * stretches.seconds
        for event in drawn:
            moved = {"id": f"{number}/{event.id}", "start": event.start + offset, "end": event.end + offset}
            events.append(msgspec.structs.replace(event, **moved))
    return events, set(failing)


class Costs:
    """CPU and memory of the node, sampled: (monotonic s, CPU s so far, MB)."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(SAMPLE_EVERY_S):
            spent, memory = cpu_s(os.getpid()), pss_mb(os.getpid())
            self.samples.append((time.monotonic(), _ours(spent), _ours(memory)))

    def of(self, stretches: Stretches, number: int) -> dict[str, float]:
        """Of one stretch: cores that were busy, memory at its end."""
        low = stretches.began + number * stretches.seconds
        times = [at for at, _, _ in self.samples]
        first, last = bisect.bisect_left(times, low), bisect.bisect_left(times, low + stretches.seconds) - 1
        if last <= first:
            return {}
        (begin, before, _), (end, after, memory) = self.samples[first], self.samples[last]
        return {"cpu_cores": round((after - before) / (end - begin), 3), "pss_mb": round(memory, 1)}


def _ours(costs: dict[str, float]) -> float:
    return sum(amount for kind, amount in costs.items() if OURS not in kind)


def ages_of(ages: list[float]) -> dict[str, float]:
    """Milliseconds."""
    found = sorted(ages)
    if not found:
        return {"results": 0}
    at = {share: found[min(len(found) - 1, int(share * len(found)))] * 1e3 for share in (0.5, 0.95, 0.99)}
    return {
        "results": len(found),
        "p50_ms": round(at[0.5], 2),
        "p95_ms": round(at[0.95], 2),
        "p99_ms": round(at[0.99], 2),
        "max_ms": round(found[-1] * 1e3, 1),
    }


def _compared(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the stretches: one in which the machine was busy with something else does not decide."""
    found: dict[str, Any] = {}
    for name in ("p50_ms", "p95_ms", "p99_ms", "cpu_cores", "pss_mb"):
        calm = [row[name] for row in rows if not row["failing"] and name in row]
        failing = [row[name] for row in rows if row["failing"] and name in row]
        if calm and failing:
            before, during = statistics.median(calm), statistics.median(failing)
            found[name] = {"calm": before, "failing": during, "times": round(during / before, 3)}
    memory = [row["pss_mb"] for row in rows if "pss_mb" in row]
    found["pss_mb_grew"] = round(memory[-1] - memory[0], 1) if memory else None
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument(
        "--for", dest="seconds", type=parse_duration, default=600.0, help="of faults; as long again calm"
    )
    parser.add_argument("--stretch", type=parse_duration, default=100.0)
    parser.add_argument("--detector", default="5", help="milliseconds of a fake one, or bundled")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="streams-third")
    options = parser.parse_args()
    before = machine()
    # A calm one at the end, too: what grew with time alone shows.
    stretches = Stretches(2 * max(1, round(options.seconds / options.stretch)) + 1, options.stretch)
    events, failing = failing_third(options.cameras, stretches, options.seed)
    ages: dict[int, array[float]] = defaultdict(lambda: array("d"))
    costs = Costs()

    def on_result(result: Result) -> None:
        number = stretches.of(time.monotonic())
        if number is not None and result.camera not in failing:
            ages[number].append(result.age)

    def on_begin(at: float) -> None:
        stretches.began = at
        costs.start()

    outcome = run_chaos(
        config_of(options.cameras, options.detector),
        Chaos(events=events, seconds=stretches.count * stretches.seconds, seed=options.seed),
        say=lambda line: print(line, flush=True),
        listeners=Listeners(on_result=on_result, on_begin=on_begin),
    )
    costs.stop()
    rows: list[dict[str, Any]] = [
        {"failing": bool(number % 2), **ages_of(list(ages[number])), **costs.of(stretches, number)}
        for number in range(stretches.count)
    ]
    compared = _compared(rows)
    unharmed = [each for each in outcome.judgement.unexplained if each.camera not in failing]
    for row in rows:
        print(row)
    print(compared)
    broken = [problem for problems in outcome.checks.values() for problem in problems]
    broken += [f"{each.camera}, which was healthy: {each.told.cause}" for each in unharmed]
    ratio = compared.get("p99_ms", {}).get("times")
    reached = ratio is not None and ratio <= GOAL
    print(f"healthy cameras' p99 age: {ratio} times, at most {GOAL}: {'reached' if reached else 'MISSED'}")
    for problem in broken:
        print(f"BROKEN: {problem}")
    path = write(
        options.name,
        outcome,
        before,
        failing=sorted(failing),
        stretches=rows,
        compared=compared,
        goal={"p99_times": GOAL, "reached": reached},
        broken=broken,
    )
    print(f"written to {path.name}", flush=True)
    sys.exit(0 if reached and not broken else 1)


if __name__ == "__main__":
    main()
