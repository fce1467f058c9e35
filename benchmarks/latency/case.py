"""What all cases have: options, rows for a table, and the goals they are measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from benchmarks.latency.runs import Measured

__all__ = ["Case", "Goal", "Options", "Row", "at_least", "at_most", "books", "exactly"]

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Options:
    """As given on the command line. ``seconds``: of the measured stretch. ``cameras``: None = the case's own.
    ``hogs``: busy processes of ``hogs``. ``ms``: of the paced detector, None = the case's own."""

    seconds: float
    cameras: int | None = None
    hogs: int = 4
    ms: float | None = None


@dataclass(frozen=True)
class Goal:
    """``reached``: None where it was not measured."""

    COLUMNS: ClassVar = {"goal": "{goal}", "measured": "{measured}", "": "{verdict}"}

    what: str
    limit: str
    measured: str
    reached: bool | None

    def row(self) -> Row:
        verdict = {True: "reached", False: "missed", None: "not measured"}[self.reached]
        return {"goal": f"{self.what} {self.limit}", "measured": self.measured, "verdict": verdict}


@dataclass(frozen=True, kw_only=True)
class Case:
    """``run`` gives an arm's rows of the table in ``columns`` (heading by template, see
    :func:`benchmarks.report.markdown`); ``goals`` judges the rows of all arms that did not fail. ``arms``:
    what runs where nothing is said; ``ours_only``: others cannot."""

    run: Callable[[str, Options], list[Row]]
    columns: dict[str, str]
    goals: Callable[[list[Row]], list[Goal]]
    seconds: float
    arms: tuple[str, ...] = ("ours",)
    ours_only: bool = False


def at_most(what: str, value: float | None, limit: float, unit: str = "", never: str | None = None) -> Goal:
    """A goal that is an upper bound. ``never``: what no value means, where that is a miss."""
    suffix = f" {unit}" if unit else ""
    if value is None and never is not None:
        return Goal(what, f"≤ {limit:g}{suffix}", never, False)
    if value is None or value != value:
        return Goal(what, f"≤ {limit:g}{suffix}", "–", None)
    return Goal(what, f"≤ {limit:g}{suffix}", f"{value:.4g}{suffix}", value <= limit)


def at_least(what: str, value: float | None, limit: float, unit: str = "") -> Goal:
    suffix = f" {unit}" if unit else ""
    if value is None or value != value:
        return Goal(what, f"≥ {limit:g}{suffix}", "–", None)
    return Goal(what, f"≥ {limit:g}{suffix}", f"{value:.4g}{suffix}", value >= limit)


def exactly(what: str, value: int | None, wanted: int = 0) -> Goal:
    if value is None:
        return Goal(what, f"= {wanted}", "–", None)
    return Goal(what, f"= {wanted}", f"{value}", value == wanted)


_OUTCOMES = ("analysed", "superseded", "expired", "skipped", "failed", "orphaned")


def books(measured: Measured) -> Row:
    """Whether every frame is accounted for at the end, camera by camera, and what became of the frames.

    ``unaccounted``: cameras whose outcomes and frames in flight do not add up to what was received.
    ``unreadable``: results whose frame's number was not found; ``unsure``: see
    :class:`benchmarks.latency.log.ResultLog`. ``outcomes``, ``endings``: of the measured stretch, of all
    cameras together.
    """
    before, after = measured.before.get("cameras", {}), measured.after.get("cameras", {})
    if not after:
        return {}
    wrong = 0
    endings: dict[str, int] = {}
    for name, camera in after.items():
        frames = camera["frames"]
        wrong += frames["received"] != sum(frames[each] for each in _OUTCOMES) + frames["in_flight"]
        # The endings are the outcomes, one by one; a camera that has none of them is not judged by them.
        ended = camera["endings"]
        wrong += bool(ended) and sum(ended.values()) != sum(frames[each] for each in _OUTCOMES)
        earlier = before.get(name, {}).get("endings", {})
        for ending, count in ended.items():
            endings[ending] = endings.get(ending, 0) + count - earlier.get(ending, 0)
    first, last = measured.before["frames"], measured.after["frames"]
    return {
        "unaccounted": wrong,
        "unreadable": measured.after["unreadable"] - measured.before["unreadable"],
        "unsure": measured.after["unsure"] - measured.before["unsure"],
        "outcomes": {name: last[name] - first[name] for name in ("received", *_OUTCOMES)},
        "endings": {name: count for name, count in sorted(endings.items()) if count},
    }
