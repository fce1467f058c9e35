"""Verdicts by kind of fault, and as plain values. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vedette.chaos.run import Outcome
from vedette.chaos.verdict import Unexplained, Verdict

__all__ = ["Spread", "Summary", "by_kind", "document", "summed", "word_of"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Of times, in seconds."""

    p50: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Of faults of one kind. ``excused``: how many were not told and need not have been, by why."""

    kind: str
    faults: int
    told: int
    right: int
    passed: int
    excused: dict[str, int] = field(default_factory=dict)
    told_after: Spread | None = None
    back_after: Spread | None = None
    first_result_after: Spread | None = None

    @property
    def share_right(self) -> float | None:
        """Of those that had to be told, or were; None where there is none."""
        judged = self.faults - sum(self.excused.values())
        return self.right / judged if judged else None


def by_kind(verdicts: Iterable[Verdict]) -> list[Summary]:
    """In the order of their names."""
    kinds: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        kinds.setdefault(verdict.fault.kind, []).append(verdict)
    return [summed(kind, kinds[kind]) for kind in sorted(kinds)]


def summed(kind: str, verdicts: Sequence[Verdict]) -> Summary:
    return Summary(
        kind=kind,
        faults=len(verdicts),
        told=sum(v.told_after is not None for v in verdicts),
        right=sum(bool(v.right) and v.told_after is not None for v in verdicts),
        passed=sum(v.passed for v in verdicts),
        excused=dict(Counter(v.excuse for v in verdicts if v.excuse is not None)),
        told_after=_spread(v.told_after for v in verdicts),
        back_after=_spread(v.back_after for v in verdicts),
        first_result_after=_spread(v.first_result_after for v in verdicts),
    )


def _spread(times: Iterable[float | None]) -> Spread | None:
    known = sorted(time for time in times if time is not None)
    if not known:
        return None

    def at(share: float) -> float:
        return known[max(0, math.ceil(share * len(known)) - 1)]

    return Spread(at(0.5), at(0.99), known[-1])


def word_of(verdict: Verdict) -> str:
    """The verdict in a word or three."""
    if verdict.problems:
        return "; ".join(verdict.problems)
    return verdict.excuse or "right"


def document(outcome: Outcome) -> dict[str, Any]:
    """Everything as plain values, for JSON. Times in seconds; those of faults count from ``since``."""
    seen, judgement = outcome.seen, outcome.judgement
    return {
        "passed": outcome.passed,
        "duration_s": round(seen.until - seen.since, 3),
        "cameras": len(seen.settings),
        "not_judged": outcome.files,
        "checks": {
            name: {"held": not problems, "problems": problems} for name, problems in outcome.checks.items()
        },
        "all": _summary(summed("all", judgement.verdicts)),
        "kinds": {each.kind: _summary(each) for each in by_kind(judgement.verdicts)},
        "faults": [_verdict(each, seen.since) for each in judgement.verdicts],
        "unexplained": [_unexplained(each, seen.since) for each in judgement.unexplained],
        "node": outcome.report,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    share = summary.share_right
    return {
        "faults": summary.faults,
        "told": summary.told,
        "right": summary.right,
        "passed": summary.passed,
        "excused": summary.excused,
        "share_right": None if share is None else round(share, 4),
        "told_after_s": _times(summary.told_after),
        "back_after_s": _times(summary.back_after),
        "first_result_after_s": _times(summary.first_result_after),
    }


def _times(spread: Spread | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {"p50": round(spread.p50, 3), "p99": round(spread.p99, 3), "max": round(spread.max, 3)}


def _verdict(verdict: Verdict, since: float) -> dict[str, Any]:
    fault = verdict.fault
    return {
        "id": fault.id,
        "kind": fault.kind,
        "camera": fault.camera,
        "began_s": round(fault.began - since, 3),
        "lasted_s": round(fault.lasted, 3),
        "options": fault.options,
        "passed": verdict.passed,
        "problems": list(verdict.problems),
        "excuse": verdict.excuse,
        "told_after_s": _rounded(verdict.told_after),
        "cause": verdict.cause,
        "blame": verdict.blame,
        "detail": verdict.detail,
        "right": verdict.right,
        "back_after_s": _rounded(verdict.back_after),
        "first_result_after_s": _rounded(verdict.first_result_after),
    }


def _unexplained(each: Unexplained, since: float) -> dict[str, Any]:
    return {
        "camera": each.camera,
        "at_s": round(each.told.at - since, 3),
        "kind": each.kind,
        "cause": each.told.cause,
        "blame": each.told.blame,
        "detail": each.told.detail,
        "lasted_s": _rounded(each.lasted),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
