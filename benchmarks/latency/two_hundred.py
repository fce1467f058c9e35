"""200 cameras at 25 fps, which two cores cannot decode: does anybody starve, and is every frame accounted?"""

from __future__ import annotations

from collections import Counter

from benchmarks.latency.case import Case, Goal, Options, Row, at_least, at_most, books, exactly
from benchmarks.latency.figures import ages, served
from benchmarks.latency.ladder import Steps
from benchmarks.latency.pace import Pace
from benchmarks.latency.runs import Measured, Plan, measure

__all__ = ["TWO_HUNDRED"]

MAX_AGE_S = 1.0


def _run(arm: str, options: Options) -> list[Row]:
    plan = Plan(
        cameras=options.cameras or 200,
        pace=Pace(ms=options.ms or 5.0),
        node={"max_age": MAX_AGE_S},
        warm_up=15.0,
    )
    measured = measure(arm, plan, options.seconds)
    return [_row(arm, measured)]


def _row(arm: str, measured: Measured) -> Row:
    by_name = measured.after.get("cameras", {})
    cameras = by_name.values()
    return {
        "arm": arm,
        "cameras": measured.plan.cameras,
        **ages(measured.stretch),
        **served(measured.stretch, measured.plan.cameras, measured.end - measured.begin),
        "steps_at_end": dict(Counter(camera["step"] for camera in cameras)),
        "decodes_at_end": dict(Counter(camera["decodes"] for camera in cameras)),
        "paused_at_end": sum(camera["decodes"] == "paused" for camera in cameras),
        "sessions_lost": sum(fact["type"] == "SessionEnded" for fact in measured.facts),
        "moves": Steps(measured.facts).told(measured.begin),
        **measured.costs,
        **books(measured),
        "by_camera": {
            name: {key: camera[key] for key in ("step", "decodes", "frames")}
            for name, camera in by_name.items()
        },
    }


def _goals(rows: list[Row]) -> list[Goal]:
    goals = []
    for row in rows:
        if row["arm"] != "ours":
            continue
        goals += [
            at_least("results of the least served camera", row["least_served"], 1),
            exactly("cameras below keyframes", row["paused_at_end"]),
            at_most("p99 age", row["age_p99_ms"], 1000 * MAX_AGE_S, "ms"),
            exactly("cameras whose frames do not add up", row.get("unaccounted")),
        ]
    return goals


TWO_HUNDRED = Case(
    run=_run,
    goals=_goals,
    seconds=60.0,
    columns={
        "arm": "{arm}",
        "cameras": "{cameras}",
        "age p50 ms": "{age_p50_ms:.1f}",
        "p99": "{age_p99_ms:.1f}",
        "max": "{age_max_ms:.0f}",
        "results/s": "{analysed_per_s:.0f}",
        "least served": "{least_served}",
        "most served": "{most_served}",
        "steps at the end": "{steps_at_end}",
        "decoded at the end": "{decodes_at_end}",
        "unaccounted": "{unaccounted}",
        "CPU cores": "{cpu_cores:.2f}",
        "simulator": "{simulator_cpu_cores:.2f}",
        "PSS MB": "{pss_peak_mb:.0f}",
    },
)
