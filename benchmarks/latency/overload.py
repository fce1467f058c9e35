"""32 cameras at 25 fps and a detector that can do a quarter of that: how old are the results?"""

from __future__ import annotations

from benchmarks.latency.case import Case, Goal, Options, Row, at_least, at_most, books
from benchmarks.latency.figures import ages, served
from benchmarks.latency.pace import Pace
from benchmarks.latency.runs import Plan, measure

__all__ = ["OVERLOAD"]


def _run(arm: str, options: Options) -> list[Row]:
    plan = Plan(cameras=options.cameras or 32, pace=Pace(ms=options.ms or 5.0))
    measured = measure(arm, plan, options.seconds)
    row = {
        "arm": arm,
        "cameras": plan.cameras,
        **ages(measured.stretch),
        **served(measured.stretch, plan.cameras, measured.end - measured.begin),
        **measured.costs,
        **books(measured),
        "stages_ms": measured.after.get("stages_ms", {}),
        "clip": measured.clip,
    }
    return [row]


def _goals(rows: list[Row]) -> list[Goal]:
    goals = []
    for row in rows:
        if row["arm"] != "ours":
            continue
        goals += [
            at_most("p50 age", row["age_p50_ms"], 12, "ms"),
            at_most("p99 age", row["age_p99_ms"], 25, "ms"),
            at_least("analysed", row["analysed_per_s"], 190, "/s"),
            at_most("shares within", max(row["share_most_pct"], -row["share_least_pct"]), 5, "%"),
        ]
    return goals


OVERLOAD = Case(
    run=_run,
    goals=_goals,
    seconds=20.0,
    arms=("ours", "peer-auto", "peer-freshest"),
    columns={
        "arm": "{arm}",
        "cameras": "{cameras}",
        "age p50 ms": "{age_p50_ms:.1f}",
        "p95": "{age_p95_ms:.1f}",
        "p99": "{age_p99_ms:.1f}",
        "max": "{age_max_ms:.0f}",
        "results/s": "{analysed_per_s:.0f}",
        "shares": "{share_least_pct:+.1f}…{share_most_pct:+.1f}%",
        "PSS MB": "{pss_peak_mb:.0f}",
        "CPU cores": "{cpu_cores:.2f}",
        "simulator": "{simulator_cpu_cores:.2f}",
    },
)
