"""A run held to its floors and its baseline. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from vedette.quality.validate.estimate import CLUSTERS_FROM
from vedette.quality.validate.gate import Comparison, Rules, below_floor, compare, points, worse
from vedette.quality.validate.run import Run

__all__ = ["Judgement", "judge", "notes"]

FEW = 20
"""Pictures from which on intervals were measured to be worth their name."""

_NAMED = 6


@dataclass(frozen=True, slots=True)
class Judgement:
    """``problems``: why it does not pass, in words. ``remarks``: what to know when reading the figures."""

    problems: list[str]
    remarks: list[str]
    baseline: Run | None = None
    comparison: Comparison | None = None

    @property
    def passed(self) -> bool:
        return not self.problems


def judge(run: Run, baseline: Run | None, rules: Rules) -> Judgement:
    """Raises LabelError where the two cannot be compared."""
    problems, remarks = below_floor(run, rules.floors), notes(run)
    if baseline is None:
        return Judgement(problems, remarks)
    found = compare(run, baseline, rules)
    if lost := worse(found, rules):
        problems.append(f"compared with the baseline, {lost}")
    precision = found.differences["precision"]
    if precision.lies_below > rules.tolerance:
        remarks.append(f"mind that precision at its threshold is {points(precision)} lower")
    if found.unlike:
        remarks.append(f"part of the difference may be how it was computed: {found.unlike}")
    remarks += _of_how_many(run, found.pictures)
    if found.pictures < rules.pictures:
        remarks.append(f"nothing is decided by {found.pictures} pictures; it takes {rules.pictures}")
    return Judgement(problems, remarks, baseline, found)


def _of_how_many(run: Run, compared: int) -> list[str]:
    """Where it was not compared on as many pictures as the run has: why. Of those that are the same, with
    the same labels, one is."""
    different = len(set(run.records.keys))
    again, found = len(run.records.keys) - different, []
    if again:
        which = "1 of its pictures is" if again == 1 else f"{again} of its pictures are"
        found.append(f"{which} the same as another, with the same labels: compared on each once")
    if compared < different:
        both = f"{compared} of {different} {'different ' if again else ''}pictures"
        found.append(f"compared on {both}: the baseline has not seen the others with the same labels")
    return found


def notes(run: Run) -> list[str]:
    """What to know when reading its figures."""
    found = []
    if run.unknown:
        found.append(f"the detector does not know {_some(run.unknown)}: all of these count as missed")
    if run.left_out:
        named = [f"{name} ({count})" for name, count in run.left_out.items()]
        found.append(f"left out, because the set did not look for it: {_some(named)}")
    if run.model.python:
        least = "none" if run.floor is None else f"{run.floor:.2f}"
        found.append(
            "a detector in Python keeps a threshold of its own, if it has one, and AP misses what that cuts "
            f"off; the least sure box had {least}"
        )
    found += _how_sure(run)
    if run.dataset.pictures < FEW:
        found.append(f"{run.dataset.pictures} pictures say little; {FEW} are the least")
    return found


def _how_sure(run: Run) -> list[str]:
    """What the intervals took for one observation, where pictures have a time."""
    clusters, pictures = len(set(run.records.clusters)), run.dataset.pictures
    if not clusters or clusters == pictures:
        return []
    if clusters < CLUSTERS_FROM:
        return [
            f"its {pictures} pictures are of {clusters} hours of a camera; below {CLUSTERS_FROM} of these "
            "pictures are taken for independent, and intervals are narrower than they should be"
        ]
    return [f"intervals are of {clusters} hours of a camera, whose pictures are taken together"]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
