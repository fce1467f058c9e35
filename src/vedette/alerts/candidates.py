"""Candidates that went wrong with nobody there: a canary whose cameras went back, a shadow that ended."""

from __future__ import annotations

from pathlib import Path

from vedette.alerts.book import Book
from vedette.facts import CanaryEnded, ShadowEnded

__all__ = ["AGAIN_S", "Candidates"]

AGAIN_S = 60.0
"""None is started again by itself: the next one to go wrong was somebody's order, and is told of, too."""

_ROLLED_BACK = ("died", "hung", "failed", "found_nothing", "suspected", "load", "not_set")
_SHADOWS = ("died", "hung", "failed")
"""Ends that nobody asked for. One that could not even be started is told to whoever ordered it."""


class Candidates:
    """Each becomes a condition in ``book``, and is over when it is told."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def canary_ended(self, fact: CanaryEnded, now: float, wall: float) -> None:
        rule = self._book.rules.canary
        if fact.why in _ROLLED_BACK and rule.enabled and any(map(rule.covers, fact.cameras)):
            self._tell("canary", fact, tuple(fact.cameras), now, wall)

    def shadow_ended(self, fact: ShadowEnded, now: float, wall: float) -> None:
        if fact.why in _SHADOWS and self._book.rules.shadow.enabled:
            self._tell("shadow", fact, (), now, wall)

    def _tell(
        self, name: str, fact: CanaryEnded | ShadowEnded, cameras: tuple[str, ...], now: float, wall: float
    ) -> None:
        ended = wall - (now - fact.at)
        key = f"{name}/{Path(fact.model).name[:64]}"
        condition, times = self._book.conditions.get(key), 1
        if condition is None:
            due = now + self._book.rules.named(name).after
            condition = self._book.begin(key, name, began=ended, due=due, once=True, again=AGAIN_S)
        else:
            times = condition.times + 1
        if condition is not None:
            condition.began, condition.until = ended - fact.lasted, ended
            condition.cameras, condition.times = cameras, times
            condition.what, condition.detail = f"{name}_{fact.why}", fact.detail
