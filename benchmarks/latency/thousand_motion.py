"""1000 cameras at 5 fps, a keyframe every 2 s, the bundled detector, only what moves: for half an hour.

They play the bundled driveway clip, each from a place of its own: mostly nothing happens in it.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from benchmarks.cost import pss_mb, total
from benchmarks.latency.case import Case, Goal, Options, Row, at_least, at_most, books, exactly
from benchmarks.latency.child import Child
from benchmarks.latency.figures import ages, between, served, slope_per_minute
from benchmarks.latency.ladder import Steps
from benchmarks.latency.runs import Measured, Plan, measure

__all__ = ["THOUSAND_MOTION"]

MAX_AGE_S = 1.0
PSS_EVERY_S = 60.0
SLICE_S = 60.0


def _memory(child: Child, seconds: float) -> list[tuple[float, float]]:
    """Memory of the node while time passes: (monotonic s, MB)."""
    end = time.monotonic() + seconds
    every = min(PSS_EVERY_S, seconds / 6)
    samples = []
    while (left := end - time.monotonic()) > 0:
        samples.append((time.monotonic(), total(pss_mb(child.pid))))
        time.sleep(min(every, left))
    return samples


def _run(arm: str, options: Options) -> list[Row]:
    plan = Plan(
        cameras=options.cameras or 1000,
        fps=5.0,
        clip="driveway",
        grain=0.0,
        # The bundled detector: everything as it comes.
        node={"max_age": MAX_AGE_S, "defaults": {"motion": True}, "detector": {}},
        sample=30.0,
        warm_up=30.0,
    )
    return [_row(measure(arm, plan, options.seconds, _memory))]


def _row(measured: Measured) -> Row:
    plan, memory = measured.plan, measured.extra
    cameras = measured.after["cameras"].values()
    analysed = [
        camera["frames"]["analysed"] - measured.before["cameras"][name]["frames"]["analysed"]
        for name, camera in measured.after["cameras"].items()
    ]
    ended = [fact for fact in measured.facts if fact["type"] == "SessionEnded" and fact["at"] < measured.end]
    slope = slope_per_minute([at for at, _ in memory], [mb for _, mb in memory])
    return {
        "cameras": plan.cameras,
        "minutes": round((measured.end - measured.begin) / 60, 1),
        **ages(measured.stretch),
        **served(measured.stretch, plan.cameras, measured.end - measured.begin),
        "analysed_least": min(analysed),
        "analysed_most": max(analysed),
        "sessions": sum(camera["sessions"] for camera in cameras),
        "sessions_lost": len(ended),
        "ended": dict(Counter(f"{fact['reason']}: {fact['detail']}"[:120] for fact in ended).most_common(5)),
        "pss_mb_per_minute": None if slope is None else round(slope, 3),
        "pss_mb_first": round(memory[0][1], 1),
        "pss_mb_last": round(memory[-1][1], 1),
        "pss_mb_each_minute": [[round(at - measured.begin), round(mb, 1)] for at, mb in memory],
        "steps_at_end": dict(Counter(camera["step"] for camera in cameras)),
        "moves": Steps(measured.facts).told(measured.begin),
        **measured.costs,
        **books(measured),
        "stages_ms": measured.after["stages_ms"],
        "by_minute": _by_minute(measured),
        "clip": measured.clip,
    }


def _by_minute(measured: Measured) -> list[dict[str, Any]]:
    minutes = int((measured.end - measured.begin) // SLICE_S)
    begins = [measured.begin + minute * SLICE_S for minute in range(minutes)]
    return [ages(between(measured.results, begin, begin + SLICE_S)) for begin in begins]


def _goals(rows: list[Row]) -> list[Goal]:
    return [goal for row in rows for goal in _goals_of(row)]


def _goals_of(row: Row) -> list[Goal]:
    return [
        at_least("results of the least served camera", row["analysed_least"], 1),
        at_most("p99 age", row["age_p99_ms"], 1000 * MAX_AGE_S, "ms"),
        exactly("sessions lost", row["sessions_lost"]),
        exactly("cameras whose frames do not add up", row.get("unaccounted")),
        # 1 MB in ten minutes would be 144 MB a day.
        at_most("memory grows by", row["pss_mb_per_minute"], 0.1, "MB a minute"),
    ]


THOUSAND_MOTION = Case(
    run=_run,
    goals=_goals,
    seconds=1800.0,
    ours_only=True,
    columns={
        "cameras": "{cameras}",
        "minutes": "{minutes}",
        "age p50 ms": "{age_p50_ms:.0f}",
        "p99": "{age_p99_ms:.0f}",
        "max": "{age_max_ms:.0f}",
        "results/s": "{analysed_per_s:.0f}",
        "analysed per camera": "{analysed_least}…{analysed_most}",
        "sessions lost": "{sessions_lost}",
        "steps at the end": "{steps_at_end}",
        "unaccounted": "{unaccounted}",
        "CPU cores": "{cpu_cores:.2f}",
        "simulator": "{simulator_cpu_cores:.2f}",
        "PSS MB": "{pss_mb_first:.0f}→{pss_mb_last:.0f}",
        "MB a minute": "{pss_mb_per_minute}",
    },
)
