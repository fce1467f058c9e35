"""From what is wrong to few messages: grouping, quiet hours, and a limit that loses nothing. Pure.

Nothing is queued here. What there is to tell is asked of the conditions at the moment a message may leave, so
an alert that ended before it was told needs no message, and a limit makes fewer and larger ones.
"""

from __future__ import annotations

from datetime import tzinfo
from itertools import groupby

from vedette.alerts import words
from vedette.alerts.conditions import Condition, Conditions, News
from vedette.alerts.message import Message, Severity
from vedette.alerts.quiet import QuietHours, local_time
from vedette.alerts.words import Told

__all__ = ["Bucket", "Outbox"]

HOUR_S = 3600.0


class Bucket:
    """Never more than ``per_hour`` in any hour: half of them at once, the others spread over it."""

    def __init__(self, per_hour: int) -> None:
        self._burst = per_hour // 2
        self._per_second = (per_hour - self._burst) / HOUR_S
        self._tokens = float(self._burst)
        self._at: float | None = None

    def left(self, now: float) -> int:
        """How many may leave now."""
        if self._at is not None:
            gained = max(0.0, now - self._at) * self._per_second
            self._tokens = min(float(self._burst), self._tokens + gained)
        self._at = now
        return int(self._tokens + 1e-9)

    def take(self, count: int) -> None:
        self._tokens -= count


class Outbox:
    """Decides when what is said. ``group_within`` in seconds."""

    def __init__(
        self,
        *,
        group_within: float,
        most_per_hour: int,
        most_critical_per_hour: int,
        quiet: QuietHours | None,
        zone: tzinfo | None,
    ) -> None:
        self._group_within, self._quiet, self._zone = group_within, quiet, zone
        self._buckets = {True: Bucket(most_critical_per_hour), False: Bucket(most_per_hour)}
        self._was_quiet = False

    def is_quiet(self, wall: float) -> bool:
        return self._quiet is not None and self._quiet.hold(local_time(wall, self._zone))

    def flush(self, conditions: Conditions, now: float, wall: float) -> list[Message]:
        """Messages that leave now; what is in them counts as told."""
        news = list(conditions.news(now))
        critical = [each for each in news if each[0].severity is Severity.CRITICAL]
        others = [each for each in news if each[0].severity is not Severity.CRITICAL]
        messages = self._leave(critical, conditions, now, wall, gathered=False)
        if self.is_quiet(wall):
            self._was_quiet = True
            return messages
        warnings = self._leave(others, conditions, now, wall, gathered=self._was_quiet)
        if warnings or not others:
            self._was_quiet = False
        return messages + warnings

    def _leave(
        self, news: Told, conditions: Conditions, now: float, wall: float, *, gathered: bool
    ) -> list[Message]:
        if not news or now - min(_noticed(each) for each in news) < self._group_within:
            return []
        bucket = self._buckets[news[0][0].severity is Severity.CRITICAL]
        left = bucket.left(now)
        if left < 1:
            return []
        news = _with_what_is_nearly_due(news, conditions, now)
        groups = _groups(news)
        together = [groups] if gathered or len(groups) > left else [[group] for group in groups]
        bucket.take(len(together))
        messages = [words.message(each, self._zone, wall) for each in together]
        messages[-1] = words.with_footnotes(messages[-1], conditions.settled, conditions.left_out)
        conditions.settled, conditions.left_out = {}, 0
        for condition, what in news:
            conditions.told(condition, what, now)
        return messages


def _noticed(news: tuple[Condition, News]) -> float:
    return news[0].noticed or 0.0


def _groups(news: Told) -> list[Told]:
    """What is of one rule and one kind goes into one message."""

    def kind(each: tuple[Condition, News]) -> tuple[str, str]:
        return each[0].rule, each[1].value

    return [list(group) for _, group in groupby(sorted(news, key=kind), key=kind)]


def _with_what_is_nearly_due(news: Told, conditions: Conditions, now: float) -> Told:
    """A reminder takes all of its rule along that were told about when it was: one message, not many."""
    rules = {condition.rule for condition, what in news if what is News.STILL}
    if not rules:
        return news
    there = {condition.key for condition, _ in news}
    return news + [
        (condition, News.STILL)
        for condition in conditions.all.values()
        if condition.rule in rules
        and condition.key not in there
        and not (condition.once or condition.held or condition.ended is not None)
        and condition.told_at is not None
        and now - condition.told_at >= condition.remind_every / 2
    ]
