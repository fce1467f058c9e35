"""How far two looks at the same picture agree: what labels are worth. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vedette.quality.review.matching import pairs
from vedette.quality.review.rows import Final, Review, State, Verdict

__all__ = ["Agreement", "agreement"]

SAME = 0.5
"""Overlap from which two boxes of a class are one object."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """``looks``: pictures that were looked at twice. ``f1``: of the boxes of one look against those of the
    other; None where neither found any. ``kappa``: Cohen's, of accepting and rejecting the same
    predictions: 1 is perfect, 0 what chance would give; None where there were no predictions, or both
    always said the same one word. ``shown``: on how many predictions it rests."""

    looks: int
    f1: float | None
    kappa: float | None
    shown: int


def agreement(looks: Iterable[tuple[Review, Review]]) -> Agreement:
    """Of first looks and blind repeats. Only where both times the picture was reviewed, not skipped."""
    count = matched = boxes = 0
    answers: list[tuple[bool, bool]] = []
    for first, second in looks:
        if first.state is not State.REVIEWED or second.state is not State.REVIEWED:
            continue
        count += 1
        same, all_boxes = _boxes(first.boxes, second.boxes)
        matched, boxes = matched + same, boxes + all_boxes
        answers += _answers(first, second)
    return Agreement(count, 2 * matched / boxes if boxes else None, _kappa(answers), len(answers))


def _boxes(first: tuple[Final, ...], second: tuple[Final, ...]) -> tuple[int, int]:
    """Pairs, and boxes of both looks. What somebody was not sure of is nobody's mistake."""
    a = [(each.box.xyxy, each.box.label) for each in first]
    b = [(each.box.xyxy, each.box.label) for each in second]
    unsure_a = {i for i, each in enumerate(first) if each.box.difficult or each.box.crowd}
    unsure_b = {j for j, each in enumerate(second) if each.box.difficult or each.box.crowd}
    sure = 0
    for i, j in pairs(a, b, SAME):
        if i in unsure_a or j in unsure_b:
            unsure_a.add(i)
            unsure_b.add(j)
        else:
            sure += 1
    return sure, len(a) - len(unsure_a) + len(b) - len(unsure_b)


def _answers(first: Review, second: Review) -> list[tuple[bool, bool]]:
    both = zip(first.verdicts, second.verdicts, strict=False)
    return [
        (a is not Verdict.REJECTED, b is not Verdict.REJECTED)
        for a, b in both
        if a is not None and b is not None
    ]


def _kappa(answers: list[tuple[bool, bool]]) -> float | None:
    """Cohen, "A Coefficient of Agreement for Nominal Scales", 1960."""
    if not answers:
        return None
    count = len(answers)
    yes_a, yes_b = sum(a for a, _ in answers) / count, sum(b for _, b in answers) / count
    by_chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
    observed = sum(a == b for a, b in answers) / count
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)
