"""The detector takes ten times as long for 2 s of every 20 s: what is left of that afterwards?

Each arm runs twice, without the spikes first: that run says what is usual.
"""

from __future__ import annotations

import statistics

from benchmarks.latency.case import Case, Goal, Options, Row, at_most, books
from benchmarks.latency.figures import RUN, ages, between, outside, recovered_after
from benchmarks.latency.pace import Pace
from benchmarks.latency.runs import Measured, Plan, measure

__all__ = ["SPIKES"]

EVERY_S, SLOW_FOR_S, TIMES = 20.0, 2.0, 10.0
FPS = 25.0
CALM_S = 30.0


def _run(arm: str, options: Options) -> list[Row]:
    ms = options.ms or 5.0
    calm = Plan(cameras=options.cameras or 32, fps=FPS, pace=Pace(ms=ms))
    spiky = Plan(cameras=calm.cameras, fps=FPS, pace=Pace(ms, ms * TIMES, SLOW_FOR_S, EVERY_S))
    # At least one whole spike, and what comes after it.
    seconds = max(options.seconds, 2 * EVERY_S)
    without = measure(arm, calm, min(seconds, CALM_S))
    usual = ages(without.stretch)
    row = {"arm": arm, "what": "no spikes", **usual, **without.costs, **books(without)}
    return [row, _spiky(arm, measure(arm, spiky, seconds), usual)]


def _spiky(arm: str, measured: Measured, usual: Row) -> Row:
    plan = measured.plan
    spells = plan.pace.spells(measured.begin, measured.end)
    # The picture that was in the detector when the spike ended, and a frame interval.
    grace = plan.pace.slow_ms / 1000 + 1 / plan.fps
    calm = outside(measured.results, spells, measured.begin, measured.end, grace)
    after = [
        recovered_after(measured.results, end, min(measured.end, end + EVERY_S - SLOW_FOR_S), _limit(usual))
        for _, end in spells
    ]
    back = [seconds for seconds in after if seconds is not None]
    within = [between(measured.results, low, high) for low, high in spells]
    worst = max((ages(each)["age_max_ms"] for each in within if len(each)), default=float("nan"))
    return {
        "arm": arm,
        "what": "outside spikes",
        **ages(calm),
        **measured.costs,
        **books(measured),
        "usual": usual,
        "p50_times": round(ages(calm)["age_p50_ms"] / usual["age_p50_ms"], 3),
        "p99_times": round(ages(calm)["age_p99_ms"] / usual["age_p99_ms"], 3),
        "slow_ms": plan.pace.slow_ms,
        "spikes": len(spells),
        "age_max_in_spikes_ms": worst,
        "recovered": len(back),
        "recovered_ms": round(1000 * statistics.median(back)) if back else float("nan"),
        "recovered_max_ms": round(1000 * max(back)) if len(back) == len(spells) and back else float("nan"),
        "recovered_each_s": [None if each is None else round(each, 4) for each in after],
        "run_length": RUN,
    }


def _limit(usual: Row) -> float:
    return float(usual["age_p99_ms"])


def _goals(rows: list[Row]) -> list[Goal]:
    goals = []
    for row in rows:
        if row["arm"] == "ours" and row["what"] == "outside spikes":
            # Ten runs of the same thing differ by so much.
            goals.append(at_most("p99 age outside the spikes, times usual", row["p99_times"], 1.1))
            # A picture begun at the very end of a spike is as slow; then one frame interval.
            limit = row["slow_ms"] + 1000 / FPS
            goals.append(at_most("as usual again after every spike", row["recovered_max_ms"], limit, "ms"))
    return goals


SPIKES = Case(
    run=_run,
    goals=_goals,
    seconds=120.0,
    arms=("ours", "peer-auto", "peer-freshest"),
    columns={
        "arm": "{arm}",
        "what": "{what}",
        "age p50 ms": "{age_p50_ms:.1f}",
        "p99": "{age_p99_ms:.1f}",
        "max": "{age_max_ms:.0f}",
        "p99 × usual": "{p99_times:.2f}",
        "spikes": "{spikes}",
        "oldest in spikes ms": "{age_max_in_spikes_ms:.0f}",
        "as usual again ms, median": "{recovered_ms:.0f}",
        "worst": "{recovered_max_ms:.0f}",
    },
)
