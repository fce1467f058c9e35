"""``python -m benchmarks.drift CASE``: one chunk of simulated camera-days, ours and others side by side.

Chunks with different ``--seed`` are independent; add up their camera-days and alarms. Needs river for the
arms adwin and page-hinkley.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

from benchmarks.drift.arms import ARMS
from benchmarks.drift.cases import CASES, DAY, Run, simulated
from benchmarks.drift.streams import BLOCKS
from benchmarks.machine import machine
from benchmarks.report import markdown, write_json

__all__ = ["judged"]

COLUMNS = {
    "arm": "{arm}",
    "camera-days without": "{days_before:.1f}",
    "alarms then": "{false}",
    "a camera-day": "{false_a_day:.3f}",
    "upper 95%": "{false_a_day_most:.3f}",
    "changed": "{changed}",
    "noticed": "{noticed}",
    "min p50": "{p50_min:.1f}",
    "p95": "{p95_min:.1f}",
}


def judged(arm: str, alarms: list[list[int]], run: Run) -> dict[str, Any]:
    """Alarms before the change are false, as are all where nothing is lost; the first after it notices it."""
    windows = run.values.shape[1]
    changes = run.change if run.case.harmful else np.full(len(alarms), windows)
    false = sum(sum(at < change for at in each) for each, change in zip(alarms, changes, strict=True))
    days = float((changes - run.learn).sum()) / DAY
    row: dict[str, Any] = {
        "arm": arm, "days_before": days, "false": false, "false_a_day": false / days,
        "false_a_day_most": _most(false) / days,
    }  # fmt: skip
    if run.case.harmful:
        after = [[at for at in each if at >= change] for each, change in zip(alarms, changes, strict=True)]
        delays = [
            (each[0] + 1 - change) / 6 if each else np.inf
            for each, change in zip(after, changes, strict=True)
        ]
        row |= {"changed": len(delays), "noticed": int(np.isfinite(delays).sum()), "delays_min": delays}
        row |= {"p50_min": _quantile(delays, 0.5), "p95_min": _quantile(delays, 0.95)}
    return row


def _most(count: int) -> float:
    """The upper 95% bound of a Poisson mean of which ``count`` came."""
    from scipy.stats import chi2

    return float(chi2.ppf(0.95, 2 * (count + 1)) / 2)


def _quantile(delays: list[float], share: float) -> float | None:
    """None where it lies among those that were missed."""
    value = float(np.quantile(delays, share, method="higher"))
    return value if np.isfinite(value) else None


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("case", choices=list(CASES))
    parser.add_argument("--arms", default=",".join(ARMS), help="of: %(default)s")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--days", type=float, default=1.0, help="watched")
    parser.add_argument("--learn-days", type=float, default=3.0)
    parser.add_argument("--arl-days", type=float, default=1000.0)
    parser.add_argument("--block", choices=list(BLOCKS), default="60s", help="how long levels last")
    parser.add_argument("--share", type=float, default=0.5, help="of the variance that levels have")
    parser.add_argument("--severity", type=int, choices=range(1, 6), default=5)
    parser.add_argument("--ramp-hours", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results")
    return parser.parse_args()


def main() -> None:
    options = _parse()
    before = machine()
    rng = np.random.default_rng([options.seed, list(CASES).index(options.case), BLOCKS[options.block]])
    run = simulated(
        CASES[options.case], rng, options.cameras, options.days, options.learn_days, BLOCKS[options.block],
        options.share, options.severity, round(360 * options.ramp_hours),
    )  # fmt: skip
    rows = []
    for arm in options.arms.split(","):
        began = time.process_time()
        told = ARMS[arm](run, options.arl_days)
        took = time.process_time() - began
        rows += [judged(name, alarms, run) | {"cpu_s": round(took, 2)} for name, alarms in told.items()]
    print(f"{options.case}: {run.case.what}; levels last {options.block}\n\n{markdown(rows, COLUMNS)}")
    if options.save:
        command = " ".join(["python -m benchmarks.drift", *sys.argv[1:]])
        name = f"drift-{options.case}-{options.block}-{options.seed}"
        print(f"\nwritten to {write_json(name, rows, command, before, options=vars(options)).name}")


if __name__ == "__main__":
    main()
