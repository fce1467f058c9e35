"""Runs the rules in a thread of their own, and hands what they say to delivery and to whoever watches."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from vedette.alerts.coverage import Coverage
from vedette.alerts.deliver import Deliverer
from vedette.alerts.message import Message
from vedette.alerts.open import open_alerts
from vedette.alerts.rules import Alerts
from vedette.alerts.settings import AlertSettings
from vedette.clock import Clock, SystemClock
from vedette.facts import AnyFact, Trouble
from vedette.observe.views import AlertView

__all__ = ["AlertService"]

TICK_S = 1.0
FACTS_AT_MOST = 65_536
"""A thousand cameras say a few dozen each when everything goes at once."""
STOP_RULES_S = 0.5


class AlertService:
    """``put`` facts; ``on_message`` is called with each message, from the service's thread, also where there
    are no targets. ``coverage`` may take its time: only this thread waits for it. ``tell`` is told of trouble
    and must not block. ConfigError where a target cannot be used."""

    def __init__(
        self,
        settings: AlertSettings,
        *,
        tell: Callable[[Trouble], None],
        on_message: Callable[[Message], None] = lambda _: None,
        coverage: Coverage | None = None,
        clock: Clock | None = None,
        tick_s: float = TICK_S,
    ) -> None:
        self._clock, self._tell, self._on_message = clock or SystemClock(), tell, on_message
        self._coverage_of, self._tick_s = coverage, tick_s
        self._rules = Alerts(settings, self._coverage if coverage is not None else None)
        self._deliverer = Deliverer(settings, tell)
        self._facts: deque[AnyFact] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._said_broken = False
        self.open: tuple[AlertView, ...] = ()
        """What is wrong now, as far as people are to know of it; the most severe first."""
        self.dropped = self.failed = 0
        self._thread = threading.Thread(target=self._run, name="vedette-alerts", daemon=True)

    @property
    def deliverer(self) -> Deliverer:
        return self._deliverer

    def start(self) -> None:
        self._deliverer.start()
        self._thread.start()

    def put(self, fact: AnyFact) -> None:
        """Never blocks; from any thread. ``dropped`` counts the oldest, given up where there are too many."""
        with self._changed:
            if len(self._facts) >= FACTS_AT_MOST:
                self._facts.popleft()
                self.dropped += 1
            self._facts.append(fact)

    def close(self, within_s: float = 2.0) -> None:
        """Stop; messages that are ready are still delivered. Takes no longer than ``within_s`` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(min(STOP_RULES_S, within_s / 2))
        self._deliverer.close(max(0.0, within_s - STOP_RULES_S))

    def _run(self) -> None:
        while not self._closing:
            try:
                self._turn()
            except Exception as error:  # the alerts must go on; whoever watches is told, once
                self.failed += 1
                self._broken(f"{type(error).__name__}: {error}")
            with self._changed:
                # Facts need not wake us: there is nothing to tell of them before a second has passed.
                self._changed.wait_for(lambda: self._closing, self._tick_s)

    def _turn(self) -> None:
        with self._changed:
            facts, self._facts = self._facts, deque()
        now, wall = self._clock.monotonic(), self._clock.wall()
        for fact in facts:
            self._rules.take(fact, now, wall)
        for message in self._rules.tick(now, wall):
            self._deliverer.put(message)
            self._on_message(message)
        self.open = open_alerts(self._rules.now(now), wall)

    def _coverage(self, camera: str, seconds: float) -> float | None:
        try:
            return self._coverage_of(camera, seconds) if self._coverage_of is not None else None
        except Exception as error:  # somebody else's database
            self._broken(f"coverage of {camera} is not known: {type(error).__name__}")
            return None

    def _broken(self, message: str) -> None:
        if not self._said_broken:
            self._said_broken = True
            self._tell(Trouble(at=self._clock.monotonic(), where="alerts", message=message))
