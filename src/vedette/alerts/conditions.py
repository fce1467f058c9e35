"""What is wrong now, as far as people may have to be told: a bounded table of conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from vedette.alerts.message import Severity

__all__ = ["Condition", "Conditions", "News"]

CONDITIONS_AT_MOST = 20_000
"""Some for each of thousands of cameras. What is beyond is counted, not told one by one."""


class News(Enum):
    """What there is to tell of a condition."""

    RAISED = "raised"
    CHANGED = "changed"
    """More is known, or it grew."""
    STILL = "still"
    RECOVERED = "recovered"
    CLOSED = "closed"
    """Over only because nobody watches any more."""

    @property
    def over(self) -> bool:
        return self in (News.RECOVERED, News.CLOSED)


@dataclass(slots=True, eq=False)
class Condition:
    """One thing that is wrong. ``began``, ``ended``: Unix seconds. ``due``, ``told_at``: monotonic seconds.

    ``once``: it has no end that people would be told of; it is forgotten after ``again`` seconds, or told
    again if it happened again since. ``version`` grows when more is known that is worth a message.
    """

    key: str
    rule: str
    severity: Severity
    cameras: tuple[str, ...]
    began: float
    due: float
    remind_every: float
    what: str = ""
    """The cause, for words: a value of ``Cause``, or a name of ours."""
    detail: str = ""
    blame: str = ""
    until: float | None = None
    """For what was over when it was first heard of."""
    once: bool = False
    again: float = 0.0
    ended: float | None = None
    end_note: str = ""
    closed: bool = False
    """It ended only because nobody watches any more."""
    held: bool = False
    """Something else speaks for it (an incident, flapping), or its end would be misleading."""
    times: int = 1
    version: int = 0
    told_at: float | None = None
    told_times: int = 0
    told_version: int = 0
    told_size: int = 0
    noticed: float | None = None
    """Since when there is something to tell."""

    def news(self, now: float) -> News | None:
        """What there is to tell, if anything; quiet hours and limits are not our concern."""
        if self.held:
            return None
        if self.told_at is None:
            return News.RAISED if now >= self.due and self.ended is None else None
        if self.once:
            grew = self.times > self.told_times and now - self.told_at >= self.again
            return News.RAISED if grew else None
        if self.ended is not None:
            return News.CLOSED if self.closed else News.RECOVERED
        if self.version > self.told_version:
            return News.CHANGED
        return News.STILL if now - self.told_at >= self.remind_every else None

    def goes_on(self) -> None:
        """It has not ended after all."""
        self.ended, self.end_note, self.closed = None, "", False

    def over(self, now: float) -> bool:
        """Whether it can be forgotten."""
        if self.told_at is None:
            return self.ended is not None
        return self.once and self.times == self.told_times and now - self.told_at >= self.again


@dataclass(slots=True)
class Conditions:
    """All of them, by key. ``settled``: by rule, how many were due and over before they could be told.
    ``left_out``: how many there was no room for."""

    all: dict[str, Condition] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    left_out: int = 0

    def get(self, key: str) -> Condition | None:
        return self.all.get(key)

    def add(self, condition: Condition) -> bool:
        """False where there is no room."""
        if condition.key not in self.all and len(self.all) >= CONDITIONS_AT_MOST:
            self.left_out += 1
            return False
        self.all[condition.key] = condition
        return True

    def end(self, key: str, wall: float, note: str = "", *, closed: bool = False) -> None:
        """It is over. What was told is kept until that is told too."""
        condition = self.all.get(key)
        if condition is None or condition.ended is not None:
            return
        if condition.told_at is None:
            self._forget(condition)
        elif not condition.once:
            condition.ended, condition.end_note, condition.closed = wall, note, closed

    def told(self, condition: Condition, news: News, now: float) -> None:
        """It is in a message now."""
        if news.over:
            del self.all[condition.key]
            return
        self.already_told(condition, now)

    def already_told(self, condition: Condition, now: float) -> None:
        """People know of it as it is now."""
        condition.told_at, condition.noticed = now, None
        condition.told_times, condition.told_version = condition.times, condition.version
        condition.told_size = len(condition.cameras)

    def news(self, now: float) -> Iterator[tuple[Condition, News]]:
        """Everything there is to tell now; forgets what is over."""
        for condition in list(self.all.values()):
            if condition.over(now):
                self._forget(condition)
            elif (news := condition.news(now)) is None:
                condition.noticed = None
            else:
                if condition.noticed is None:
                    condition.noticed = now
                yield condition, news

    def _forget(self, condition: Condition) -> None:
        if condition.told_at is None and condition.noticed is not None:
            self.settled[condition.rule] = self.settled.get(condition.rule, 0) + 1
        del self.all[condition.key]
