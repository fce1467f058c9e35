"""Between the node and a sink: a bounded queue and a thread, so that a sink can only hurt itself.

Live results make room for newer ones when the sink is slow. Results of sources that can wait are never
dropped: ``taken`` tells whoever reads the source that more may come.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from vedette.errors import redact
from vedette.results import Result
from vedette.sinks.sink import Sink, SinkGone, SinkUnavailable

__all__ = ["Delivered", "Delivery"]

BATCH_AT_MOST = 64
FIRST_RETRY_S, LONGEST_RETRY_S = 0.25, 30.0
LAST_WORD_S = 0.2
# A sink that is too slow drops all the time; people need to hear of it, but not 200 times a second.
DROPS_TOLD_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the results that were put: ``put = written + dropped + failed + expired + waiting``.

    ``dropped``: gave way to newer ones, or were left when time ran out at the end. ``failed``: the sink
    broke on them, or is gone for good. ``expired``: were too old when the sink was free for them.
    """

    put: int = 0
    written: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    result: Result
    taken: Callable[[], None] | None
    kept: bool


class Delivery:
    """Hands results to one sink, in order, from a thread that ``start`` starts.

    ``report`` is told of trouble, from that thread. ``keeps`` says of a result that it must not be dropped
    (by default none is kept). ``capacity`` holds for all results, except that kept ones may go beyond it:
    whoever puts them bounds them by counting what was ``taken``, or by ``put(..., wait=True)``.
    ``too_old`` says of a result that it is none any more; asked when the sink is free for it. A sink that
    keeps a record has no such thing.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        name: str,
        report: Callable[[str], None],
        capacity: int = 1024,
        keeps: Callable[[Result], bool] = lambda _: False,
        too_old: Callable[[Result], bool] | None = None,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self.name = name
        self._sink, self._report, self._keeps = sink, report, keeps
        self._capacity, self._first_retry_s = capacity, first_retry_s
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._batch: list[_Waiting] = []
        self._put = self._written = self._dropped = self._failed = self._expired = 0
        self._too_old = too_old
        self._told_drops, self._tell_drops_at = 0, 0.0
        self._open = self._gone = self._closing = self._hurry = False
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, result: Result, taken: Callable[[], None] | None = None, *, wait: bool = False) -> None:
        """Queue a result; never blocks unless told to ``wait`` for room.

        ``taken`` is called, from the delivery's thread, when the sink has it or failed for good. It is not
        called for results that were dropped.
        """
        waiting = _Waiting(result, taken, self._keeps(result))
        with self._changed:
            self._put += 1
            if wait:
                self._changed.wait_for(lambda: self._closing or self._has_room())
            if self._closing or not (self._has_room() or self._drop_oldest() or waiting.kept):
                self._dropped += 1
                return
            self._queue.append(waiting)
            self._changed.notify_all()

    def close(self, within_s: float = 2.0) -> None:
        """Deliver what is queued, for so many seconds at most, then stop. What is left counts as dropped.

        ``report`` is then called from here.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        with self._changed:
            before = self._dropped
            self._hurry = True
            self._give_up_queue()
            self._changed.notify_all()
        if self._thread.ident is not None:
            # One that hangs in its sink keeps the batch it has; it is a daemon, so it ends with us.
            self._thread.join(LAST_WORD_S)
        if left := self._dropped - before:
            self._report(f"sink {self.name}: {left} results were not delivered before the end")

    @property
    def delivered(self) -> Delivered:
        with self._changed:
            waiting = len(self._queue) + len(self._batch)
            return Delivered(self._put, self._written, self._dropped, self._failed, waiting, self._expired)

    @property
    def gone(self) -> bool:
        """Whether the sink said that it will never take anything again."""
        return self._gone

    def _has_room(self) -> bool:
        return len(self._queue) < self._capacity

    def _drop_oldest(self) -> bool:
        """Make room; False when there is none but kept ones."""
        for index, waiting in enumerate(self._queue):
            if not waiting.kept:
                del self._queue[index]
                self._dropped += 1
                return True
        return False

    def _run(self) -> None:
        retry_s = self._first_retry_s
        while self._next_batch():
            try:
                self._deliver()
                retry_s = self._first_retry_s
            except SinkUnavailable as error:
                # One report when it begins; the end of it is told with the number of what it cost.
                self._trouble(f"{error}; trying again", once=retry_s == self._first_retry_s)
                self._pause(retry_s)
                retry_s = min(LONGEST_RETRY_S, retry_s * 2)
            self._tell_drops()
        self._sink.close()

    def _next_batch(self) -> bool:
        """Wait for results; False when there will be none any more."""
        with self._changed:
            while not self._batch:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    break
                self._fill_batch()
                self._changed.notify_all()
            if self._hurry:
                self._done("dropped")
            return bool(self._batch)

    def _fill_batch(self) -> None:
        # Where results grow old, each is asked about only when its turn has come.
        most = BATCH_AT_MOST if self._too_old is None else 1
        while self._queue and len(self._batch) < most:
            waiting = self._queue.popleft()
            if self._too_old is not None and not waiting.kept and self._too_old(waiting.result):
                self._expired += 1
            else:
                self._batch.append(waiting)

    def _deliver(self) -> None:
        try:
            if not self._gone:
                self._open_sink()
                self._sink.write([waiting.result for waiting in self._batch])
        except SinkUnavailable:
            self._close_sink()
            raise
        except SinkGone as error:
            self._gone = True
            self._trouble(str(error))
        except (Exception, SystemExit) as error:  # somebody else's sink: whatever it raises must stay here
            self._close_sink()
            self._trouble(f"broke on {len(self._batch)} results: {type(error).__name__}: {error}")
            self._done("failed")
            return
        self._done("failed" if self._gone else "written")

    def _open_sink(self) -> None:
        if not self._open:
            self._sink.open()
            self._open = True

    def _close_sink(self) -> None:
        self._open = False
        self._sink.close()

    def _done(self, what: str) -> None:
        with self._changed:
            batch, self._batch = self._batch, []
            if what == "written":
                self._written += len(batch)
            elif what == "failed":
                self._failed += len(batch)
            else:
                self._dropped += len(batch)
            self._changed.notify_all()
        for waiting in batch:
            if what != "dropped" and waiting.taken is not None:
                waiting.taken()

    def _give_up_queue(self) -> None:
        self._dropped += len(self._queue)
        self._queue.clear()

    def _pause(self, seconds: float) -> None:
        """Wait before another try; when closing, try without pause until time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._hurry, 0.05 if self._closing else seconds)

    def _trouble(self, message: str, once: bool = True) -> None:
        if once:
            self._report(f"sink {self.name}: {redact(message)}")

    def _tell_drops(self) -> None:
        with self._changed:
            new, now = self._dropped - self._told_drops, time.monotonic()
            if not new or self._closing or now < self._tell_drops_at:
                return
            self._told_drops, self._tell_drops_at = self._dropped, now + DROPS_TOLD_EVERY_S
        self._report(f"sink {self.name}: too slow, {new} results gave way to newer ones")
