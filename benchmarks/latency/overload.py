"""32 cameras at 25 fps and a detector that can do a quarter of that: how old are the results?"""

from __future__ import annotations

from benchmarks.age import COLUMNS
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
    # How long everybody takes to open is no part of this case.
    columns={title: value for title, value in COLUMNS.items() if not title.endswith(" s")},
)
