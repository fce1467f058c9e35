"""Tells an observer of facts, in a thread of its own: it can neither slow nor break the node."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from vedette.facts import AnyFact

__all__ = ["Telling"]

WAITING_AT_MOST = 4096
LAST_WORDS_S = 0.5


class Telling:
    """Calls ``observe`` with each fact, in order. ``dropped``: facts it was too slow for; ``failed``: facts
    it raised on."""

    def __init__(self, observe: Callable[[AnyFact], None]) -> None:
        self._observe = observe
        self._facts: deque[AnyFact] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.dropped = self.failed = 0
        self._thread = threading.Thread(target=self._run, name="vedette-facts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, fact: AnyFact) -> None:
        """Never blocks; may be called from any thread."""
        with self._changed:
            if len(self._facts) >= WAITING_AT_MOST:
                self._facts.popleft()
                self.dropped += 1
            self._facts.append(fact)
            self._changed.notify()

    def close(self) -> None:
        """Tell what waits, for a moment."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(LAST_WORDS_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._facts or self._closing)
                if not self._facts:
                    return
                fact = self._facts.popleft()
            try:
                self._observe(fact)
            except Exception:  # somebody else's observer
                self.failed += 1
