"""Which classes whoever begins to review is offered first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from vedette.quality.review.rows import Item, Review

__all__ = ["AT_MOST", "emitted", "suggested"]

AT_MOST = 9
"""As many as there are keys for them; of eighty classes nobody looks for every object."""
LABELLED_LATELY = 100
"""Reviews, the newest, by which is known what people label here."""
OFTEN = 0.05
"""Share of the newest frames in which a class is found that is looked for where nobody has said yet."""
LATELY = 200


def emitted(items: Iterable[Item], threshold: float) -> Counter[str]:
    """In how many frames the detector emitted something of a class; the most frequent first."""
    counts: Counter[str] = Counter()
    for item in items:
        labels = (each.label for each in item.predictions if each.score >= threshold)
        counts.update(list(dict.fromkeys(labels)))
    return Counter(dict(counts.most_common()))


def suggested(reviews: Sequence[Review], items: Sequence[Item], threshold: float) -> tuple[list[str], bool]:
    """Classes to look for, and whether somebody has looked for these. ``reviews``, ``items``: the newest
    last."""
    last = max(reviews, key=lambda each: each.at, default=None)
    if last is not None and 0 < len(last.looked_for) <= AT_MOST:
        return list(last.looked_for), True
    lately = sorted(reviews, key=lambda each: each.at)[-LABELLED_LATELY:]
    labelled = Counter(
        label for each in lately for label in dict.fromkeys(box.box.label for box in each.boxes)
    )
    if labelled:
        return [label for label, _ in labelled.most_common(AT_MOST)], False
    newest = items[-LATELY:]
    often = [label for label, count in emitted(newest, threshold).items() if count >= OFTEN * len(newest)]
    return often[:AT_MOST], False
