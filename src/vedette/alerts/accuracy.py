"""Losses that reviews confirm: told until they are over, and not again after a restart."""

from __future__ import annotations

from vedette.alerts.book import Book, wait_left
from vedette.facts import LossConfirmed, LossOver

__all__ = ["Losses"]

_ENDS = {
    "model": "Another model detects; what it is worth nobody has reviewed yet.",
    "floor": "Its floor was changed.",
    "gone": "It is no longer watched.",
}
"""Of those that are over for another reason than that all is well again."""


class Losses:
    """Each becomes a condition in ``book``."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def confirmed(self, fact: LossConfirmed, now: float, wall: float) -> None:
        rule = self._book.rules.accuracy
        if not rule.enabled or not any(rule.covers(camera) for camera in fact.cameras):
            return
        key, began = _key(fact), wall - (now - fact.since)
        detail = (
            f"{fact.value:.0%} ({fact.lower:.0%} to {fact.upper:.0%}) in {fact.frames} reviewed frames, "
            f"floor {fact.floor:.0%}"
        )
        if (condition := self._book.conditions.get(key)) is not None:
            condition.detail = detail
            condition.goes_on()
            return
        due = now + wait_left(rule.after, began, wall)
        made = self._book.begin(
            key, "accuracy", began=began, due=due, cameras=tuple(fact.cameras), detail=detail
        )
        if made is not None and fact.known:
            # People were told before the restart. They are reminded, and told when it is over.
            self._book.conditions.already_told(made, now)

    def over(self, fact: LossOver, wall: float) -> None:
        note = _ENDS.get(fact.why, "")
        self._book.conditions.end(_key(fact), wall, note, closed=bool(note))


def _key(fact: LossConfirmed | LossOver) -> str:
    return f"accuracy/{fact.measure} of {fact.camera or f'site {fact.site}'}"
