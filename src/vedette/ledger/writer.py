"""A thread that writes facts into the ledger, so that nobody else ever waits for a disk or a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from vedette.errors import LedgerError
from vedette.facts import (
    CameraAdded,
    CameraRemoved,
    Fact,
    Gap,
    GapChanged,
    GapClosed,
    GapOpened,
    Incident,
    IncidentClosed,
    IncidentOpened,
    Trouble,
)
from vedette.ledger.rows import Counters, WatchChange
from vedette.ledger.store import Ledger
from vedette.ledger.waiting import Row, Waiting

__all__ = ["LedgerWriter"]

MOST_WAITING = 100_000
"""Rows. A thousand cameras that fail once a minute fill this in over an hour and a half."""

GATHER_S = 0.01
"""A switch that dies takes its cameras within moments: their rows become one transaction, not a hundred."""

RETRY_CLOSING_S = 0.2


class LedgerWriter:
    """Writes what it is told, with a heartbeat, every second, and at once where a row opens or closes.

    While the database is away rows wait, the newest version of each, and are written when it is back. The
    ledger must have begun; nobody else writes to it meanwhile.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        now: Callable[[], int],
        tell: Callable[[Trouble], None],
        ledger_time: Callable[[float], int] | None = None,
        beat_every: float = 1.0,
        most_waiting: int = MOST_WAITING,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts nothing.

        ``now``: ledger µs up to which every fact has been put; what the ledger takes for known. It is called
        in the writer's thread; so is ``tell``. ``ledger_time``: monotonic s → ledger µs, for facts that say
        only ``at``; by default they happened when they were put.
        """
        self._ledger, self._now, self._tell = ledger, now, tell
        self._ledger_time = ledger_time
        self._beat_every, self._monotonic = beat_every, monotonic
        self._changed = threading.Condition()
        """Guards everything below."""
        self._waiting = Waiting(most_waiting)
        self._put = self._settled = 0
        """Facts ever put, and how many of them are written (or dropped)."""
        self._urgent = self._closing = False
        self._away = self._dropping = False
        self._written = self._failed = self._told_dropped = 0
        self._exact: Mapping[str, Counters] = {}
        self._deadline = 0.0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    @property
    def written(self) -> int:
        """Rows committed, each version of a row counted."""
        return self._written

    @property
    def failed(self) -> int:
        """Attempts to write that failed."""
        return self._failed

    @property
    def dropped(self) -> int:
        """Rows that were never written, because too many waited."""
        return self._waiting.dropped

    @property
    def waiting(self) -> int:
        """Rows that wait now."""
        return len(self._waiting)

    @property
    def away(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._away

    def start(self) -> None:
        """Put the facts about the cameras of the start before: from the first heartbeat on, what no row says
        was blind was seen.
        """
        self._thread.start()

    # ---- from any thread, without waiting

    def put(self, fact: Fact) -> None:
        """Facts that are not about rows, incidents or who is watched are none of the ledger's business."""
        row = self._row(fact)
        if row is None:
            return
        with self._changed:
            self._put += 1
            self._waiting.put(row)
            if not isinstance(fact, GapChanged):
                self._urgent = True
                self._changed.notify_all()

    def count(self, camera: str, *, epoch: int, next_track_id: int) -> None:
        """The newest epoch and the next track id of a camera. Say it every second or so; it costs nothing."""
        with self._changed:
            self._waiting.counters[camera] = Counters(epoch=epoch, next_track_id=next_track_id)

    def _row(self, fact: Fact) -> Row | None:
        match fact:
            case GapOpened() | GapChanged() | GapClosed():
                return fact.gap
            case IncidentOpened() | IncidentClosed():
                return fact.incident
            case CameraAdded():
                return WatchChange(camera=fact.camera, at=self._when(fact.at), host=fact.host)
            case CameraRemoved():
                return WatchChange(camera=fact.camera, at=self._when(fact.at))
        return None

    def _when(self, at: float) -> int:
        return self._now() if self._ledger_time is None else self._ledger_time(at)

    # ---- waiting for it

    def flush(self, timeout: float) -> bool:
        """Whether everything put until now was committed within ``timeout`` s."""
        with self._changed:
            wanted = self._put
            self._urgent = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._settled >= wanted or self._ended, timeout) and (
                self._settled >= wanted
            )

    def close(self, timeout: float, counters: Mapping[str, Counters] | None = None) -> bool:
        """Write what waits, then the node's last word. ``counters``: what each camera used, now that nobody
        uses more; so that the next start leaves no hole in the numbers. False if it was not done within
        ``timeout`` s.
        """
        with self._changed:
            self._closing, self._deadline = True, time.monotonic() + timeout
            self._exact = dict(counters or {})
            self._changed.notify_all()
        if self._thread.ident is None:
            self._thread.start()
        self._thread.join(timeout + RETRY_CLOSING_S)
        return self._ended and not self._thread.is_alive()

    # ---- the thread

    def _run(self) -> None:
        while self._pause():
            self._attempt()
        while not (self._attempt() and self._end()):
            if time.monotonic() > self._deadline:
                break
            time.sleep(RETRY_CLOSING_S)
        with self._changed:
            self._changed.notify_all()

    def _pause(self) -> bool:
        """Until the next beat, or until something is urgent; False when it is time to close."""
        with self._changed:
            # A database that is away is asked again with each beat, however many cameras fail meanwhile.
            self._changed.wait_for(
                lambda: self._closing or (self._urgent and not self._away), self._beat_every
            )
            urgent = self._urgent and not self._closing
        if urgent and not self._away:
            time.sleep(min(GATHER_S, self._beat_every))
        return not self._closing

    def _attempt(self) -> bool:
        rows: list[Row] = []
        try:
            # Asked first: what happened by then was put before, so that it is among what is taken.
            heartbeat = self._now()
            with self._changed:
                rows, counters = self._waiting.take(), dict(self._waiting.counters)
                upto, self._urgent = self._put, False
            self._ledger.write(
                heartbeat=heartbeat,
                gaps=[row for row in rows if isinstance(row, Gap)],
                incidents=[row for row in rows if isinstance(row, Incident)],
                watches=[row for row in rows if isinstance(row, WatchChange)],
                counters=counters,
            )
        except Exception as err:  # whatever it is: the node's record must not end because of it
            self._failure(rows, err)
            return False
        self._success(rows, upto)
        return True

    def _success(self, rows: list[Row], upto: int) -> None:
        with self._changed:
            self._waiting.committed(rows)
            self._written += len(rows)
            self._settled, back, self._away, self._dropping = upto, self._away, False, False
            lost, self._told_dropped = self._waiting.dropped - self._told_dropped, self._waiting.dropped
            self._changed.notify_all()
        missing = f"{lost} rows were dropped, too many waited" if lost else "nothing is missing"
        if back:
            self._say(f"the ledger is written again; {missing}")
        elif lost:
            self._say(f"the ledger lags behind: {missing}")

    def _failure(self, rows: list[Row], err: Exception) -> None:
        with self._changed:
            self._waiting.give_back(rows)
            self._failed += 1
            first, self._away = not self._away, True
            drops = not self._dropping and self._waiting.dropped > self._told_dropped
            self._dropping = self._dropping or drops
        if drops:
            self._say("too many rows wait for the ledger: the oldest are dropped now")
        if first:
            reason = str(err) if isinstance(err, LedgerError) else f"{type(err).__name__} (a bug)"
            self._say(f"the ledger cannot be written, rows wait: {reason}")

    def _end(self) -> bool:
        try:
            self._ledger.end(self._now(), self._exact)
        except LedgerError as err:
            self._failure([], err)
            return False
        self._ended = True
        return True

    def _say(self, message: str) -> None:
        try:
            self._tell(Trouble(at=self._monotonic(), where="ledger", message=message))
        except Exception:  # whoever listens is a user's or an observer's code; the record goes on without it
            pass
