"""Work that may have to wait for somebody outside: one thing after the other, in a thread nobody waits for.

Not a ThreadPoolExecutor: Python waits for the threads of those when it ends, and a database that hangs would
keep a stopped node alive.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

__all__ = ["OneByOne"]

WAITING_AT_MOST = 256


class OneByOne:
    """The thread is started when there is something to do for the first time."""

    def __init__(self, name: str) -> None:
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Have it done once all that was submitted before is. Raises RuntimeError where it is closed, or too
        much waits already."""
        with self._changed:
            if self._closed or len(self._waiting) >= WAITING_AT_MOST:
                raise RuntimeError("closed" if self._closed else f"{WAITING_AT_MOST} changes wait already")
            done: Future[Any] = Future()
            self._waiting.append((work, done))
            if self._thread.ident is None:
                self._thread.start()
            self._changed.notify()
        return done

    def close(self) -> None:
        """What waits is cancelled; what is being done is not waited for."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
            self._changed.notify()
        for _, done in waiting:
            done.cancel()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                work, done = self._waiting.popleft()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(work())
            except Exception as err:  # whoever asks what became of it hears it
                done.set_exception(err)
