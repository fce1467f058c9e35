"""One camera in 4K beside 31 of 640×360: what do the others notice of it?"""

from __future__ import annotations

from benchmarks.latency.case import Case, Goal, Options, Row, at_most, books
from benchmarks.latency.figures import CAMERA, ages, served
from benchmarks.latency.pace import Pace
from benchmarks.latency.runs import Measured, Plan, measure

__all__ = ["BIG"]


def _run(arm: str, options: Options) -> list[Row]:
    others = (options.cameras or 32) - 1
    pace = Pace(ms=options.ms or 5.0)
    without = _row(arm, measure(arm, Plan(cameras=others, pace=pace), options.seconds), others)
    beside = _row(arm, measure(arm, Plan(cameras=others + 1, big=1, pace=pace), options.seconds), others)
    return [without, beside | {"p99_times": round(beside["age_p99_ms"] / without["age_p99_ms"], 3)}]


def _row(arm: str, measured: Measured, others: int) -> Row:
    """Ages and shares are those of the small cameras."""
    found = measured.stretch
    small, large = found[found[:, CAMERA] < others], found[found[:, CAMERA] >= others]
    seconds = measured.end - measured.begin
    row = {
        "arm": arm,
        "what": "with one in 4K" if measured.plan.big else "without",
        **ages(small),
        **served(small, others, seconds),
        **measured.costs,
        **books(measured),
        "stages_ms": measured.after.get("stages_ms", {}),
    }
    if measured.plan.big:
        big = ages(large)
        row |= {"big_p50_ms": big["age_p50_ms"], "big_p99_ms": big["age_p99_ms"]}
        row["big_per_s"] = round(len(large) / seconds, 2)
    return row


def _goals(rows: list[Row]) -> list[Goal]:
    found = [row["p99_times"] for row in rows if row["arm"] == "ours" and "p99_times" in row]
    return [at_most("p99 age of the others, times that without", times, 1.2) for times in found]


BIG = Case(
    run=_run,
    goals=_goals,
    seconds=30.0,
    columns={
        "arm": "{arm}",
        "what": "{what}",
        "others: age p50 ms": "{age_p50_ms:.1f}",
        "p99": "{age_p99_ms:.1f}",
        "max": "{age_max_ms:.0f}",
        "results/s": "{analysed_per_s:.0f}",
        "p99 × without": "{p99_times:.2f}",
        "4K: age p50 ms": "{big_p50_ms:.1f}",
        "p99 (4K)": "{big_p99_ms:.1f}",
        "results/s (4K)": "{big_per_s:.1f}",
        "CPU cores": "{cpu_cores:.2f}",
    },
)
