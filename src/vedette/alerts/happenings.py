"""What goes wrong with the node itself: workers that die, trouble, times in which nobody watched."""

from __future__ import annotations

from collections import deque

from vedette.alerts.book import Book, wait_left
from vedette.alerts.cameras import seconds
from vedette.alerts.settings import BurstRule
from vedette.facts import Gap, Quarantined, Released, Trouble, ValidationFailed, WorkerEnded
from vedette.supervise.exits import in_words

__all__ = ["Happenings", "is_burst"]

WORKERS_AT_MOST = 256
NODE_AGAIN_S = 600.0
"""A node that dies again and again is told of at most so often."""
WRITTEN_AGAIN = "is written again"
"""What the ledger's writer says when its trouble is over."""


def is_burst(times: deque[float], rule: BurstRule, now: float) -> bool:
    return len(times) == rule.times and now - times[0] <= rule.within


class Happenings:
    """Each becomes a condition in ``book``."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._deaths: dict[str, deque[float]] = {}
        self._quarantined: set[str] = set()

    def worker_died(self, fact: WorkerEnded, now: float, wall: float) -> None:
        rule, conditions = self._book.rules.worker, self._book.conditions
        if not rule.enabled:
            return
        deaths = self._deaths.get(fact.worker)
        if deaths is None:
            if len(self._deaths) >= WORKERS_AT_MOST:
                conditions.left_out += 1
                return
            deaths = self._deaths[fact.worker] = deque(maxlen=rule.times)
        deaths.append(now)
        key = f"worker/{fact.worker}"
        if (known := conditions.get(key)) is not None:
            known.goes_on()
        elif is_burst(deaths, rule, now):
            last = fact.detail or in_words(fact.exit_code)
            detail = f"{rule.times} times within {rule.within / 60:.0f} min; last: {last}"
            self._book.begin(key, "worker", began=wall - (now - deaths[0]), due=now, detail=detail)

    def end_bursts(self, now: float, wall: float) -> None:
        """A worker is steady again when it has lived for long enough."""
        for worker, deaths in list(self._deaths.items()):
            # One that is not even started has not become steady.
            if now - deaths[-1] >= self._book.rules.worker.within and worker not in self._quarantined:
                del self._deaths[worker]
                self._book.conditions.end(f"worker/{worker}", wall)

    def quarantined(self, fact: Quarantined, now: float, wall: float) -> None:
        rule, conditions = self._book.rules.quarantine, self._book.conditions
        if len(self._quarantined) < WORKERS_AT_MOST:
            self._quarantined.add(fact.worker)
        if not rule.enabled:
            return
        key, detail = f"quarantine/{fact.worker}", f"{fact.why}; the last time: {fact.detail}"
        if (known := conditions.get(key)) is not None:
            known.detail, known.cameras = detail, tuple(fact.cameras)
            known.goes_on()
            return
        due = now + wait_left(rule.after, wall, wall)
        self._book.begin(key, "quarantine", began=wall, due=due, cameras=tuple(fact.cameras), detail=detail)

    def released(self, fact: Released, wall: float) -> None:
        self._quarantined.discard(fact.worker)
        self._book.conditions.end(f"quarantine/{fact.worker}", wall)

    def nobody_watched(self, gap: Gap, end: float, now: float) -> None:
        """The node was down, or the machine slept. Each camera has such a gap; together they are one."""
        rule, began = self._book.rules.node, seconds(gap.start)
        if not rule.enabled or end - began < rule.after:
            return
        key = f"node/{gap.cause}"
        condition = self._book.conditions.get(key)
        if condition is None:
            self._book.begin(
                key, "node", began=began, due=now, gap=gap, once=True, again=NODE_AGAIN_S, until=end
            )
        elif condition.until is not None and began > condition.until:
            condition.times += 1
            condition.began, condition.until = began, end

    def validation_failed(self, fact: ValidationFailed, now: float, wall: float) -> None:
        rule, conditions = self._book.rules.validation, self._book.conditions
        if not rule.enabled:
            return
        detail = f"{fact.model} on {fact.pictures} pictures of {fact.dataset}: {'; '.join(fact.problems)}"
        if (known := conditions.get("validation")) is not None:
            known.detail = detail
            known.goes_on()
            return
        due = now + wait_left(rule.after, wall, wall)
        self._book.begin("validation", "validation", began=wall, due=due, detail=detail)

    def trouble(self, fact: Trouble, now: float, wall: float) -> None:
        if fact.where == "ledger":
            self._ledger(fact, now, wall)
        elif self._wanted(fact):
            key = f"trouble/{fact.where[:64]}"
            due = now + self._book.rules.trouble.after
            self._once_more(key, "trouble", fact, wall, due, once=True)

    def _wanted(self, fact: Trouble) -> bool:
        rule = self._book.rules.trouble
        return rule.enabled and (fact.camera is None or rule.covers(fact.camera))

    def _ledger(self, fact: Trouble, now: float, wall: float) -> None:
        rule = self._book.rules.ledger
        if WRITTEN_AGAIN in fact.message:
            self._book.conditions.end("ledger", wall)
        elif rule.enabled:
            due = now + wait_left(rule.after, wall, wall)
            self._once_more("ledger", "ledger", fact, wall, due, once=False)

    def _once_more(self, key: str, name: str, fact: Trouble, wall: float, due: float, *, once: bool) -> None:
        condition = self._book.conditions.get(key)
        if condition is None:
            self._book.begin(key, name, began=wall, due=due, detail=fact.message, once=once)
            return
        condition.times += 1
        condition.detail = fact.message
        condition.goes_on()
