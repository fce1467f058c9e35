"""Whether what a detector did on labelled pictures speaks against it. Pure: runs in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vedette.errors import LabelError
from vedette.quality.validate.estimate import RESAMPLES, SEED, Estimate, differences
from vedette.quality.validate.records import Records
from vedette.quality.validate.run import Run

__all__ = [
    "Comparison",
    "Rules",
    "below_floor",
    "changes",
    "compare",
    "newly_below_floor",
    "points",
    "refusal",
    "worse",
]

JUDGED = {"ap50": "AP50", "recall": "recall at its threshold"}
"""What a detector must not lose. Not precision alone: a threshold trades it for recall; AP50 sees both."""

WORDS = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "recall": "recall", "precision": "precision"}


@dataclass(frozen=True, slots=True)
class Rules:
    """``tolerance``: so far below 0 a difference's interval may lie. ``pictures``: on fewer that both runs
    have, nothing is decided. ``floors``: least values by figure."""

    tolerance: float = 0.0
    level: float = 0.95
    pictures: int = 10
    resamples: int = RESAMPLES
    seed: int = SEED
    floors: Mapping[str, float] = field(default_factory=dict)


USUAL = Rules()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate less running, on ``pictures`` that both looked at, with the same labels on them."""

    pictures: int
    differences: dict[str, Estimate]
    candidate_boxes: int
    running_boxes: int
    """How many were sure enough to leave the pipeline."""
    objects: int
    called: tuple[str, ...] = ()
    """What the candidate calls most of the boxes that the set did not look for."""
    precisions: tuple[str, str] = ("", "")
    """In which the two networks computed."""

    @property
    def unlike(self) -> str:
        """What to know where they computed in different ones; empty where they did not."""
        one, other = (each or "a precision that was not noted" for each in self.precisions)
        return "" if one == other else f"computed in {one}, the other one in {other}"


def compare(candidate: Run, running: Run, rules: Rules = USUAL) -> Comparison:
    """Raises LabelError where they have no picture in common, or looked for other things."""
    theirs, ours = Records.of_stored(candidate.records), Records.of_stored(running.records)
    if theirs.labels != ours.labels:
        raise LabelError(f"run {running.id} looked for other labels: {', '.join(ours.labels)}")
    place, mine = _places(ours), _places(theirs)
    common = [number for key, number in mine.items() if key in place]
    if not common:
        raise LabelError(f"run {running.id} has no picture in common with this one: make a new baseline")
    theirs = theirs.of_pictures(common)
    ours = ours.of_pictures([place[key] for key in theirs.keys])
    return Comparison(
        len(common),
        differences(
            (theirs, candidate.confidence),
            (ours, running.confidence),
            resamples=rules.resamples,
            seed=rules.seed,
            level=rules.level,
        ),
        int((theirs.score >= candidate.confidence).sum()),
        int((ours.score >= running.confidence).sum()),
        int(theirs.truths.sum()),
        tuple(candidate.left_out)[:3],
        (candidate.precision, running.precision),
    )


def _places(records: Records) -> dict[str, int]:
    """The number of each picture; of those that are the very same, one."""
    return {key: number for number, key in reversed(list(enumerate(records.keys)))}


def refusal(candidate: Run, running: Run, rules: Rules = USUAL) -> str | None:
    """Why a candidate must not take the place of the running detector; None where nothing speaks against it,
    or where too few pictures do. Raises LabelError where the runs cannot be compared."""
    return worse(compare(candidate, running, rules), rules)


def worse(found: Comparison, rules: Rules = USUAL) -> str | None:
    """:func:`refusal` of what was compared."""
    if found.running_boxes and not found.candidate_boxes:
        why = f"it finds nothing in {found.pictures} pictures with {found.objects} objects"
        if found.called:
            why += f" (but {', '.join(found.called)})"
        return f"{why}; the one at work finds {found.running_boxes} boxes"
    if found.pictures < rules.pictures:
        return None
    lost = [
        f"{name} is {points(found.differences[key])} lower"
        for key, name in JUDGED.items()
        if found.differences[key].lies_below > rules.tolerance
    ]
    if not lost:
        return None
    unlike = f" ({found.unlike})" if found.unlike else ""
    return f"on the same {found.pictures} labelled pictures {' and '.join(lost)}{unlike}"


def below_floor(run: Run, floors: Mapping[str, float]) -> list[str]:
    """What lies below the least that is asked for, in words."""
    found = []
    for name, least in floors.items():
        value = run.estimates[name].value
        if value is None:
            found.append(f"there is no {WORDS[name]} to hold to {least:.3f}")
        elif value < least:
            found.append(f"{WORDS[name]} is {value:.3f}, below {least:.3f}")
    return found


def newly_below_floor(candidate: Run, running: Run, floors: Mapping[str, float]) -> list[str]:
    """What lies below a floor that the running detector reaches: to come nearer to one is no fault."""
    reached = {name: least for name, least in floors.items() if not below_floor(running, {name: least})}
    return below_floor(candidate, reached)


def changes(found: Comparison) -> str:
    """``AP50 +1.2 points (-0.3 to +2.7), recall at its threshold …``"""
    told = []
    for key, name in JUDGED.items():
        value, low, high = (
            100 * (number or 0.0)
            for number in (
                found.differences[key].value,
                found.differences[key].low,
                found.differences[key].high,
            )
        )
        told.append(f"{name} {value:+.1f} points ({low:+.1f} to {high:+.1f})")
    return ", ".join(told)


def points(fall: Estimate) -> str:
    """``12.3 points (9.8 to 14.9)`` of a difference below 0."""
    value, low, high = (-100 * (number or 0.0) for number in (fall.value, fall.high, fall.low))
    return f"{value:.1f} points ({low:.1f} to {high:.1f})"
