"""How long after it begins a stall is told, over real RTSP.

``python -m benchmarks.streams.told``: 16 cameras at 25 fps, then 8 at 1 fps; each stalls again and again,
with its connection open, for long enough to be told.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.machine import machine
from vedette.chaos.run import Chaos, run_chaos
from vedette.config import Config
from vedette.sim.faults import Fault, Schedule, parse_flag

FAKE = {"python": "vedette.testing:FakeDetector", "options": {"seconds": 0.005}}
CASES = ((25.0, 16, 6, 20, 180.0), (1.0, 8, 8, 24, 200.0))
"""Frames a second, cameras, seconds of a stall and from one to the next, seconds in all."""


def stalls(cameras: int, lasting: int, every: int) -> tuple[Fault, ...]:
    flags = [
        f"stall cam{index} at={index * every / cameras:.2f}s for={lasting}s every={every}s"
        for index in range(cameras)
    ]
    return tuple(parse_flag(flag) for flag in flags)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--fps", type=float, help="only this case")
    options = parser.parse_args()
    found = []
    for fps, cameras, lasting, every, seconds in CASES:
        if options.fps not in (None, fps):
            continue
        section = {f"cam{index}": {"url": f"rtsp://10.0.0.{index + 1}/stream"} for index in range(cameras)}
        config = Config(cameras=section, detector=FAKE)
        schedule = Schedule(faults=stalls(cameras, lasting, every))
        # A camera's pattern is learnt first, as it would be in any camera that has run for a minute.
        outcome = run_chaos(
            config, Chaos(schedule=schedule, seconds=seconds, fps=fps, settle=45.0), say=print
        )
        verdicts = outcome.judgement.verdicts
        told = [each.told_after for each in verdicts if each.told_after is not None]
        found.append(
            {
                "fps": fps,
                "cameras": cameras,
                "stalls": len(verdicts),
                "told": len(told),
                "p50_s": round(percentile(told, 0.5), 3),
                "p99_s": round(percentile(told, 0.99), 3),
                "max_s": round(max(told), 3),
                "false": len(outcome.judgement.unexplained),
            }
        )
        print(json.dumps(found[-1]), flush=True)
    if options.output:
        options.output.write_text(json.dumps({"machine": machine(), "cases": found}, indent=2) + "\n")
    sys.exit(any(case["told"] < case["stalls"] for case in found))


if __name__ == "__main__":
    main()
