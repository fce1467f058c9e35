"""A thread per session, for sources that block, and how such a thread is called back."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable

from vedette.facts import EndReason, SessionEnd
from vedette.workers.threads import name_thread

__all__ = ["InterruptibleTime", "Stop", "run_in_thread"]

_GRACE = 2.0
"""Seconds that a thread told to stop may take before it is left alone."""

_LOOK_EVERY = 2.0
"""Seconds between looks at whether a thread is overdue."""

_AN_AGE = 1e9
"""Seconds: longer than any call may take."""

_SLACK = 3.0
"""Seconds past its deadline after which a thread does not answer: libavformat itself needs 0.1."""


class Stop:
    """Tells one session's thread to end, also out of a blocking call of libavformat."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._waiting: tuple[float, Callable[[], float]] | None = None
        self._set_at = math.inf
        self._asked = 0
        self.expired = False
        """Whether a blocking call was ended because its time was up."""

    def set(self) -> None:
        self._set_at = min(self._set_at, time.monotonic())
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep; cut short by ``set``."""
        return self._event.wait(seconds)

    def allow(self, seconds: Callable[[], float] | None) -> None:
        """From now on a blocking call may take so long, asked anew each time; None: nothing is waited for."""
        self._waiting = None if seconds is None else (time.monotonic(), seconds)

    def must_end(self) -> bool:
        if time.monotonic() > self._deadline():
            self.expired = True
        return self.expired or self._event.is_set()

    def another_age(self) -> float:
        """Monotonic seconds, an age later each time. A call that begins only after it should have ended takes
        such a time for its beginning, and must find its time up all the same."""
        self._asked += 1
        return time.monotonic() + self._asked * _AN_AGE

    def is_deaf(self) -> bool:
        """Whether the thread stays in a call that should have ended (webcam drivers, name servers)."""
        return time.monotonic() > min(self._deadline(), self._set_at) + _SLACK

    def _deadline(self) -> float:
        waiting = self._waiting  # another thread may clear it
        return math.inf if waiting is None else waiting[0] + waiting[1]()


_running: dict[int, Stop] = {}
"""By thread; entries are made and removed by the thread itself."""


class InterruptibleTime:
    """Stands where PyAV looks for the ``time`` module, and runs out for threads that shall stop.

    libavformat asks every 100 ms, on the thread that waits, whether to give up; PyAV answers by comparing
    ``time.monotonic()`` with the deadline of the call. That is the one way to end a blocked call from
    outside: ``close()`` from another thread frees memory that is in use.
    """

    @staticmethod
    def monotonic() -> float:
        stop = _running.get(threading.get_ident())
        return stop.another_age() if stop is not None and stop.must_end() else time.monotonic()


async def run_in_thread(
    name: str, body: Callable[[Stop], SessionEnd], stop: Stop | None = None
) -> SessionEnd:
    """Run ``body`` in a daemon thread of its own and give back what it returns or raises.

    ``stop``: given where somebody else may set it, too. Cancelled: tells the body to stop, waits up to two
    seconds for it, and re-raises. A thread that stays in a call long past its deadline, or long after it was
    told to stop, is given up, and the session ends as stalled.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[SessionEnd] = loop.create_future()
    stop = stop or Stop()

    def run() -> None:
        name_thread("decode")
        _running[threading.get_ident()] = stop
        end, error = None, None
        try:
            end = body(stop)
        except BaseException as err:  # handed to the event loop, which raises it there
            error = err
        finally:
            del _running[threading.get_ident()]
        try:
            loop.call_soon_threadsafe(_finish, done, end, error)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        while not done.done() and not stop.is_deaf():
            await asyncio.wait({done}, timeout=_LOOK_EVERY)
        if done.done():
            return done.result()
        return SessionEnd(EndReason.STALLED, f"{name}: a call into the system does not return")
    finally:
        stop.set()
        if not done.done():
            await asyncio.wait({done}, timeout=_GRACE)
        if done.done():
            thread.join()
        done.cancel()  # a late end finds nobody waiting


def _finish(done: asyncio.Future[SessionEnd], end: SessionEnd | None, error: BaseException | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    elif end is not None:
        done.set_result(end)
