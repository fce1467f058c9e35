"""CPU taken away: busy processes beside a node of 64 cameras, for a while. What does the ladder do?

20 s lie before them, so that what the ladder does without them shows too; 30 s are with them (of a stretch
under two minutes a quarter each), the rest after them. From four minutes on, a minute is after them and the
rest with them: so long that it shows how the ladder settles.
"""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

from benchmarks.latency.case import Case, Goal, Options, Row, at_most, books
from benchmarks.latency.child import Child
from benchmarks.latency.figures import ages, between, by_second, served
from benchmarks.latency.ladder import Steps
from benchmarks.latency.pace import Pace
from benchmarks.latency.runs import Measured, Plan, measure

__all__ = ["HOGS"]

MAX_AGE_S = 1.0
BEFORE_S, HOGGED_S = 20.0, 30.0
LONG_S, AFTER_S = 240.0, 60.0
_BUSY = "while True: pass"


class Hogs:
    """So many processes that want a core each, as long as the ``with`` lasts."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()


def _during(hogs: int) -> Any:
    def during(child: Child, seconds: float) -> dict[str, float]:
        """Before, with and after them; returns when they came and went (monotonic s)."""
        before = min(BEFORE_S, seconds / 4)
        hogged = min(HOGGED_S, seconds / 4) if seconds < LONG_S else seconds - before - AFTER_S
        time.sleep(before)
        came = time.monotonic()
        with Hogs(hogs):
            time.sleep(hogged)
        went = time.monotonic()
        time.sleep(max(0.0, seconds - before - hogged))
        return {"came": came, "went": went}

    return during


def _run(arm: str, options: Options) -> list[Row]:
    plan = Plan(
        cameras=options.cameras or 64,
        pace=Pace(ms=options.ms or 5.0),
        node={"max_age": MAX_AGE_S},
        warm_up=10.0,
    )
    measured = measure(arm, plan, options.seconds, _during(options.hogs))
    return [_row(arm, options.hogs, measured)]


def _row(arm: str, hogs: int, measured: Measured) -> Row:
    came, went = measured.extra["came"], measured.extra["went"]
    parts = {
        "before": (measured.begin, came),
        "hogged": (came, went),
        "after": (went, measured.end),
    }
    steps = Steps(measured.facts)
    told = {
        "down_after_s": steps.first_down(came, went),
        "back_after_s": steps.back_to_full(went, measured.end),
        "steps_before": len(steps.between(measured.begin, came)),
        "steps_hogged": len(steps.between(came, went)),
        "steps_after": len(steps.between(went, measured.end)),
        # Once it has had 10 s to settle.
        "settled_per_minute": steps.per_minute(came + 10.0, went),
        "moves": steps.told(measured.begin),
    }
    found = {name: ages(between(measured.results, *part)) for name, part in parts.items()}
    return {
        "arm": arm,
        "cameras": measured.plan.cameras,
        "hogs": hogs,
        "hogs_came_s": round(came - measured.begin, 2),
        "hogs_went_s": round(went - measured.begin, 2),
        **{f"{name}_{key}": value for name, part in found.items() for key, value in part.items()},
        "age_max_ms": ages(measured.stretch)["age_max_ms"],
        **served(measured.stretch, measured.plan.cameras, measured.end - measured.begin),
        **(told if arm == "ours" else {}),
        **measured.costs,
        **books(measured),
        "by_second": _by_second(measured),
    }


def _by_second(measured: Measured) -> list[Row]:
    """Each second: ages, frames that expired and were skipped, and how many cameras were on each step."""
    rows = by_second(measured.results, measured.begin, measured.end)
    for earlier, later in pairwise(measured.samples):
        second = int(later["at"] - measured.begin)
        if 0 <= second < len(rows):
            lost = {
                name: later["frames"][name] - earlier["frames"][name]
                for name in ("expired", "skipped", "superseded", "failed")
            }
            rows[second] |= lost | {"steps": later["steps"], "decodes": later["decodes"]}
    return rows


def _goals(rows: list[Row]) -> list[Goal]:
    goals = []
    for row in rows:
        if row["arm"] != "ours":
            continue
        settled = row["settled_per_minute"]
        goals += [
            at_most("age of any result", row["age_max_ms"], 1000 * MAX_AGE_S, "ms"),
            at_most("first step down after the load came", row["down_after_s"], 3, "s", never="none"),
            at_most("back on full after the load went", row["back_after_s"], 15, "s", never="not by the end"),
            at_most("steps down a minute once settled", settled["down"], 1),
            at_most("steps up a minute once settled", settled["up"], 1),
        ]
    return goals


HOGS = Case(
    run=_run,
    goals=_goals,
    seconds=90.0,
    columns={
        "arm": "{arm}",
        "cameras": "{cameras}",
        "hogs": "{hogs}",
        "p99 before ms": "{before_age_p99_ms:.0f}",
        "hogged": "{hogged_age_p99_ms:.0f}",
        "after": "{after_age_p99_ms:.0f}",
        "max": "{age_max_ms:.0f}",
        "first step down s": "{down_after_s}",
        "back on full s": "{back_after_s}",
        "steps before/with/after": "{steps_before}/{steps_hogged}/{steps_after}",
        "expired": "{outcomes[expired]}",
        "results/s": "{analysed_per_s:.0f}",
        "unaccounted": "{unaccounted}",
    },
)
