"""CPU per analysed frame, beside what decoding and the network alone take of it.

The floor is: every frame that had to be decoded for the results there were (of each group of pictures all up
to the last one analysed), decoded by PyAV in one thread from the same bytes, and one run of the network for
each result. It is measured before and after the node, and the mean taken.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.latency.case import Case, Goal, Options, Row, at_most, books
from benchmarks.latency.child import Child
from benchmarks.latency.figures import ages, frames_needed
from benchmarks.latency.runs import Measured, Plan, measure

__all__ = ["FLOOR"]

KEYFRAME_EVERY_S = 2.0
CLIP_S = 10.0


def _floor(clip: Path) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="vedette-bench-") as name,
        Child(
            [sys.executable, "-m", "benchmarks.latency.floor_process", f"--clip={clip}"], Path(name)
        ) as child,
    ):
        return child.expect("floor", 120.0)


def _run(arm: str, options: Options) -> list[Row]:
    plan = Plan(cameras=options.cameras or 8, node={"detector": {}})
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name:
        clip = Path(name) / "clip.msgpack"
        measured = measure(arm, plan, options.seconds, keep_clip=clip, before_and_after=lambda: _floor(clip))
    return [_row(measured)]


def _row(measured: Measured) -> Row:
    plan, floors = measured.plan, measured.beside
    analysed = len(measured.stretch)
    needed = frames_needed(
        measured.stretch,
        fps=plan.fps,
        gop=round(plan.fps * KEYFRAME_EVERY_S),
        clip_frames=round(plan.fps * CLIP_S),
        begin=measured.begin,
        end=measured.end,
    )
    decode = sum(each["decode_s"] for each in floors) / len(floors)
    infer = sum(each["infer_s"] for each in floors) / len(floors)
    floor = needed * decode + analysed * infer
    ours = measured.costs["cpu_s"]
    each = 1000 / max(1, analysed)
    return {
        "cameras": plan.cameras,
        **ages(measured.stretch),
        "analysed_per_s": round(analysed / (measured.end - measured.begin), 1),
        "analysed": analysed,
        "needed": needed,
        "decoded": measured.after["decoded"] - measured.before["decoded"],
        "decode_ms": round(1000 * decode, 3),
        "infer_ms": round(1000 * infer, 3),
        "floors": floors,
        "detector": floors[0]["detector"],
        "ours_ms": round(ours * each, 3),
        "floor_ms": round(floor * each, 3),
        "times": round(ours / floor, 3) if floor else None,
        **measured.costs,
        **books(measured),
        "stages_ms": measured.after["stages_ms"],
    }


def _goals(rows: list[Row]) -> list[Goal]:
    return [at_most("CPU per analysed frame, times the floor", row["times"], 1.25) for row in rows]


FLOOR = Case(
    run=_run,
    goals=_goals,
    seconds=30.0,
    ours_only=True,
    columns={
        "cameras": "{cameras}",
        "results/s": "{analysed_per_s:.0f}",
        "decoded": "{decoded}",
        "had to be": "{needed}",
        "raw decode ms": "{decode_ms:.3f}",
        "raw run ms": "{infer_ms:.2f}",
        "floor ms a result": "{floor_ms:.2f}",
        "ours ms a result": "{ours_ms:.2f}",
        "times": "{times:.2f}",
        "age p50 ms": "{age_p50_ms:.1f}",
        "p99": "{age_p99_ms:.1f}",
    },
)
