"""Keeps the record of a node: facts become rows, rows become incidents, and all of it goes into the ledger.

Runs on the node's loop and does no I/O there, but for the start; a thread of its own writes.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from vedette.causes import Cause, Kind
from vedette.clock import Clock
from vedette.config import LedgerSettings
from vedette.errors import LedgerError, host_of
from vedette.facts import (
    AnyFact,
    CameraAdded,
    CameraFinished,
    CameraPaused,
    CameraRemoved,
    CameraRestarted,
    CameraResumed,
    Gap,
    GapChanged,
    GapClosed,
    GapOpened,
    IncidentClosed,
    Quarantined,
    Trouble,
    WorkerEnded,
    WorkerStarted,
)
from vedette.ledger.clock import LedgerClock
from vedette.ledger.coverage import coverage
from vedette.ledger.incidents import Incidents
from vedette.ledger.rows import UNUSED, Counters
from vedette.ledger.timeline import Timeline, Told
from vedette.roster import Entry, Roster
from vedette.workers.table import Table

if TYPE_CHECKING:
    from vedette.ledger.store import Ledger
    from vedette.ledger.writer import LedgerWriter

__all__ = ["Keeper"]

COUNT_EVERY_S = 1.0
PRUNE_EVERY_S = 3600.0
NUDGE_EVERY_S = 2.0
"""A thousand cameras that come back together are a thousand reasons to try the others."""

LAST_WORDS_S = 1.0

DETECTOR = "inference-"
"""How names of inference workers begin."""


class Keeper:
    """``tell`` hears of what becomes of the facts: gaps, incidents, and trouble with the ledger. It may be
    called from the writer's thread."""

    def __init__(self, settings: LedgerSettings, clock: Clock, tell: Callable[[AnyFact], None]) -> None:
        self._settings, self._clock, self._tell = settings, clock, tell
        self.blind: dict[str, Gap] = {}
        """The open blind row of each camera that is not seen now."""
        self.degraded: dict[str, dict[Cause, Gap]] = {}
        self.past: dict[str, tuple[int, dict[str, float]]] = {}
        """Of each camera: how many blind rows are over, and the seconds they lasted by cause."""
        self._ledger: Ledger | None = None
        self._writer: LedgerWriter | None = None
        self._counted_at = 0.0
        self._lived = 0
        """Until when the node's loop has lived, µs of the ledger."""
        self._begun = self._closed = False
        self.began_at = 0.0
        self._pruned_at = -math.inf
        self._nudged_at = -math.inf

    # ---- the start

    def begin(self, roster: Roster, table: Table) -> None:
        """Take up the record where the last life of this node left it. Raises LedgerError."""
        self._roster, self._table = roster, table
        now, wall = self._clock.monotonic(), self._clock.wall()
        not_before, epochs, downtime, over = 0, {}, [], []
        if self._settings.enabled:
            from vedette.ledger.store import Ledger  # heavy, and not needed without a ledger

            ledger = self._ledger = Ledger.open(self._settings.url)
            hosts = {entry.name: host_of(entry.settings.url) for entry in roster}
            begun = ledger.begin(self._settings.node, hosts, round(wall * 1e6), wait=self._lock_within)
            not_before, epochs = begun.not_before, begun.epochs
            downtime, over = begun.downtime, begun.incidents
            for entry in roster:
                name = entry.name
                self._continue(entry, Counters(epoch=epochs[name], next_track_id=begun.next_track_ids[name]))
        self._time = LedgerClock(now, wall, not_before)
        self._lived = self._time.when(now)
        self._timeline = Timeline(
            new_id=_new_id,
            interval=self._interval,
            when=self._time.when,
            epochs=epochs,
            not_before=not_before,
        )
        self._incidents = Incidents(new_id=_new_id, host_of=self._host_of, worker_of=self._worker_of)
        if self._ledger is not None:
            from vedette.ledger.writer import LedgerWriter

            self._writer = LedgerWriter(
                self._ledger,
                now=lambda: self._lived,
                tell=self._tell,
                ledger_time=self._time.when,
            )
        self.began_at = now
        self._begun = True
        for gap in downtime:
            self._tell(GapClosed(at=now, gap=gap))
        for incident in over:
            self._tell(IncidentClosed(at=now, incident=incident))

    @property
    def _lock_within(self) -> float:
        """A database server may take a while to notice that the machine of our previous life is gone."""
        return 20.0 if self._settings.url.startswith("postgres") else 0.0

    def start(self) -> None:
        """The cameras of the start are told of: from now on, what no row says was blind was seen."""
        self._say(self._timeline.detector_lost(self.began_at, "The detector is being loaded."))
        if self._writer is not None:
            self._writer.start()

    def reserve(self, cameras: Iterable[str]) -> dict[str, Counters]:
        """Where cameras that are to be added go on: their epochs and ids must not be used twice.

        May take as long as the database does: not for the node's loop. Raises LedgerError.
        """
        if self._ledger is None:
            return {}
        return {name: self._ledger.reserve(name) for name in cameras}

    def continue_with(self, entry: Entry, counters: Counters) -> None:
        """A camera was added while the node runs."""
        if self._table.rows["epoch"][entry.index] < 0:
            self._continue(entry, counters)

    def _continue(self, entry: Entry, counters: Counters) -> None:
        row = self._table.rows[entry.index]
        row["epoch"] = max(UNUSED.epoch, counters.epoch)
        row["next_track_id"] = max(UNUSED.next_track_id, counters.next_track_id)

    def _interval(self, camera: str) -> float:
        return float(self._table.rows["interval"][self._roster.named_ever(camera).index])

    def _host_of(self, camera: str) -> str:
        return host_of(self._roster.named_ever(camera).settings.url)

    def _worker_of(self, camera: str) -> str:
        return f"cameras-{self._roster.named_ever(camera).worker}"

    # ---- while it runs

    def take(self, fact: AnyFact) -> None:
        """Every fact of the node comes through here, in order."""
        if not self._begun:
            return
        if self._writer is not None and isinstance(fact, (CameraAdded, CameraRemoved)):
            self._writer.put(fact)
        if self._writer is not None and isinstance(fact, CameraFinished):
            self._writer.put(CameraRemoved(at=fact.at, camera=fact.camera))
        self._say(self._rows(fact))

    def _rows(self, fact: AnyFact) -> list[Told]:
        line = self._timeline
        match fact:
            case CameraPaused():
                return line.paused(fact.camera, fact.at, fact.detail, fact.tracks)
            case CameraRestarted():
                return line.restarted(fact.camera, fact.at, fact.detail, fact.tracks)
            case CameraResumed():
                return line.resumed(fact.camera, fact.at)
            case CameraFinished():
                return line.finished(fact.camera, fact.at)
            case WorkerStarted() if fact.worker.startswith(DETECTOR):
                return line.detector_back(fact.at)
            case WorkerEnded() if fact.worker.startswith(DETECTOR):
                return line.detector_lost(min(fact.at, fact.since or fact.at), fact.detail)
            case WorkerEnded():
                return line.worker_lost(fact.tracks, fact.at, fact.detail, fact.tracks, fact.since or None)
            case Quarantined() if fact.worker.startswith(DETECTOR):
                return line.detector_quarantined(fact.at, _in_quarantine(fact))
            case Quarantined():
                return line.quarantined(fact.cameras, fact.at, _in_quarantine(fact))
        return line.take(fact)

    def tick(self) -> None:
        """About ten times a second."""
        now = self._clock.monotonic()
        # What this loop did not live through was not seen: should it hang, the ledger knows until when.
        self._lived = self._time.when(now)
        if now - self._counted_at < COUNT_EVERY_S:
            return
        if now - self._pruned_at > PRUNE_EVERY_S:
            self._pruned_at = now
            threading.Thread(target=self._prune, name="ledger-prune", daemon=True).start()
        self._counted_at = now
        slept = self._time.tick(now, self._clock.wall())
        if slept is not None:
            self._say(self._timeline.asleep(*slept, now))
        if self._writer is not None:
            for name, counters in self._counters().items():
                self._writer.count(name, epoch=counters.epoch, next_track_id=counters.next_track_id)

    def blind_seconds(self, camera: str) -> tuple[int, dict[str, float]]:
        """How many blind rows this life of the node has had, and their seconds by cause; the open one counts
        until now. From any thread."""
        count, seconds = self.past.get(camera, (0, {}))
        gap = self.blind.get(camera)
        if gap is None:
            return count, seconds
        lasted = max(0, self._lived - gap.start) / 1e6
        return count + 1, {**seconds, gap.cause.value: seconds.get(gap.cause.value, 0.0) + lasted}

    def _prune(self) -> None:
        if self._ledger is None or self._closed:
            return
        try:
            before = round((self._clock.wall() - self._settings.keep) * 1e6)
            self._ledger.prune(before, node=self._settings.node)
        except LedgerError as err:
            self._tell(Trouble(at=self._clock.monotonic(), where="ledger", message=f"not pruned: {err}"))

    def neighbours(self, gap: Gap) -> list[str]:
        """Cameras that went with one that is back, and are still away. Empty where it was just asked."""
        now = self._clock.monotonic()
        if gap.incident is None or now - self._nudged_at < NUDGE_EVERY_S:
            return []
        found = [name for name, each in self.blind.items() if each.incident == gap.incident]
        self._nudged_at = now if found else self._nudged_at
        return found

    def coverage(self, camera: str, seconds: float) -> float | None:
        """Share of the last so many seconds in which it was seen; None where nothing is known. For a thread
        that may wait. Raises LedgerError."""
        if self._ledger is None or self._closed:
            return None
        until = self._lived
        since = until - round(seconds * 1e6)
        node = self._settings.node
        gaps = self._ledger.gaps(cameras=[camera], since=since, until=until, kinds=[Kind.BLIND], node=node)
        watches = self._ledger.watches(cameras=[camera], since=since, until=until, node=node)
        rows = coverage(watches, gaps, since, until)
        return rows[0].share if rows else None

    def _counters(self) -> dict[str, Counters]:
        rows = self._table.rows
        return {
            entry.name: Counters(
                epoch=int(rows["epoch"][entry.index]), next_track_id=int(rows["next_track_id"][entry.index])
            )
            for entry in self._roster
        }

    def _say(self, rows: Iterable[Told]) -> None:
        for fact in self._incidents.take(rows):
            if isinstance(fact, (GapOpened, GapChanged, GapClosed)):
                self._note(fact.gap, closed=isinstance(fact, GapClosed))
            if self._writer is not None:
                self._writer.put(fact)
            self._tell(fact)

    def _note(self, gap: Gap, *, closed: bool) -> None:
        if gap.kind is Kind.BLIND:
            if not closed:
                self.blind[gap.camera] = gap
                return
            if self.blind.get(gap.camera, gap).id == gap.id:
                self.blind.pop(gap.camera, None)
            count, seconds = self.past.get(gap.camera, (0, {}))
            lasted = ((gap.end or gap.start) - gap.start) / 1e6
            more = {**seconds, gap.cause.value: seconds.get(gap.cause.value, 0.0) + lasted}
            self.past[gap.camera] = count + 1, more
        elif gap.kind is Kind.DEGRADED:
            open_ones = dict(self.degraded.get(gap.camera, {}))
            if closed:
                open_ones.pop(gap.cause, None)
            else:
                open_ones[gap.cause] = gap
            self.degraded[gap.camera] = open_ones

    # ---- the end

    def close(self) -> None:
        """The node's last word: from now on nobody sees anything here."""
        self._closed = True
        if self._writer is not None and not self._writer.close(LAST_WORDS_S, self._counters()):
            # The database takes nothing, and may hold whoever closes it for long. The next start accounts for
            # what could not be said.
            threading.Thread(target=self._let_go, name="ledger-close", daemon=True).start()
            return
        self._let_go()

    def _let_go(self) -> None:
        if self._ledger is not None:
            self._ledger.close()


def _in_quarantine(fact: Quarantined) -> str:
    return f"{fact.worker} is in quarantine ({fact.why}): {fact.detail}"


def _new_id() -> str:
    return uuid.uuid4().hex
