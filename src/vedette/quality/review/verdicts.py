"""Whether a review can have been said of an item. Pure."""

from __future__ import annotations

import math

from vedette.quality.labels.check import box_problem
from vedette.quality.review.rows import Item, Review, State, Verdict

__all__ = ["review_problem"]


def review_problem(item: Item, review: Review) -> str | None:
    """Why this cannot have been said of the item, or None."""
    if review.state not in (State.REVIEWED, State.SKIPPED, State.DIFFICULT):
        return f"a review cannot leave it {review.state.value}"
    if not (math.isfinite(review.seconds) and review.seconds >= 0 and math.isfinite(review.at)):
        return f"it took {review.seconds} s at {review.at}"
    if review.state is not State.REVIEWED:
        return None
    if len(review.verdicts) != len(item.predictions):
        return f"{len(review.verdicts)} verdicts about {len(item.predictions)} predictions"
    for each in review.boxes:
        if each.box.label not in review.looked_for:
            return f"there is a {each.box.label!r}, which was not looked for"
        if problem := box_problem(*each.box.xyxy):
            return problem
    kept = sorted(each.of for each in review.boxes if each.of is not None)
    said = [
        number
        for number, verdict in enumerate(review.verdicts)
        if verdict in (Verdict.ACCEPTED, Verdict.CORRECTED)
    ]
    if kept != said:
        return f"predictions {said} are accepted or corrected, and the boxes are of {kept}"
    return None
