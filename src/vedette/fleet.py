"""The cameras of a node: which there are, who reads them, and who may connect now.

Everything happens on the node's loop. What comes of it is told as facts; workers are told by message.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from vedette.causes import Blame, Cause
from vedette.clock import Clock
from vedette.errors import ConfigError, host_of, redact
from vedette.facts import (
    AnyFact,
    Blind,
    CameraAdded,
    CameraFinished,
    CameraPaused,
    CameraRemoved,
    CameraRestarted,
    CameraResumed,
    EndReason,
    TracksEnded,
)
from vedette.ingest.admission import Admission, Grant
from vedette.roster import Changes, Entry, Roster, changes
from vedette.settings import CameraSettings
from vedette.supervise.child import Child
from vedette.workers.protocol import (
    OPENED_ANEW,
    AddCamera,
    Cameras,
    HandOver,
    MayConnect,
    MessageTooLong,
    Nudge,
    Output,
    RemoveCamera,
    TakeOver,
)
from vedette.workers.table import REASONS, CameraState, Table

__all__ = ["Fleet"]


_TIME_DOES_NOT_MEND = (EndReason.UNAUTHORISED, EndReason.UNSUPPORTED)


@dataclass(slots=True)
class _Passage:
    """A camera that one worker lets go of and no other has yet. ``settings``: packed, as they were when it
    was to be handed over; None where it was not watched."""

    settings: bytes | None
    held: list[AddCamera | RemoveCamera] = field(default_factory=list)
    """What people want of it meanwhile: told to whoever gets it, who first goes on where the other was."""


class Fleet:
    """``workers``: the camera workers by number; ``detectors``: who must know which worker has which rows.

    Methods that take a camera's name raise ConfigError where there is none.
    """

    def __init__(
        self,
        settings: Mapping[str, CameraSettings],
        weights: Mapping[str, float],
        *,
        table: Callable[[], Table],
        workers: Sequence[Child],
        detectors: Callable[[], Sequence[Child]],
        admission: Admission,
        clock: Clock,
        tell: Callable[[AnyFact], None],
        adopt: Callable[[Entry], None] = lambda _: None,
        has: Callable[[Child, Entry], bool] = lambda detector, entry: True,
    ) -> None:
        """``adopt``: called for a camera that is added while the node runs, before anything is made of it.
        ``has``: whether a camera is this detector's."""
        self.roster = Roster(settings, [worker.place - 1 for worker in workers if worker.staffed])
        self._weights = dict(weights)
        self._table_of, self._workers, self._detectors = table, workers, detectors
        self._admission, self._clock, self._tell, self._adopt = admission, clock, tell, adopt
        self._has = has
        self._moving: dict[str, Entry] = {}
        """Cameras that wait to open a second session, by what they are called among those who connect."""
        self._may_join: set[int] = set()
        self._passages: dict[int, _Passage] = {}
        """By the index of the camera."""
        self._tracks: dict[int, bytes] = {}
        """The track ids of each camera's last result."""

    @property
    def _table(self) -> Table:
        return self._table_of()

    def start(self, at: float) -> None:
        """Say which cameras there are, before any worker is. ``at``: since when they are ours."""
        for entry in self.roster:
            self._write_row(entry)
            self._tell(CameraAdded(at=at, camera=entry.name, host=host_of(entry.settings.url)))

    # ---- what people want

    def apply(self, settings: Mapping[str, CameraSettings], weights: Mapping[str, float]) -> Changes:
        """Watch exactly these cameras, so. Those that stay as they are, are not touched."""
        present = {entry.name: entry.settings for entry in self.roster if not entry.removed}
        found = changes(present, settings)
        self.roster.check_room(found.added)
        stay = [name for name in present if name in settings and name not in found.changed]
        other = (name for name in stay if self._weight(name) != weights.get(name, 1.0))
        found = replace(found, weighed=tuple(other))
        self._weights = dict(weights)
        for name in found.removed:
            self._remove(self.roster.named(name))
        for name in found.added:
            self._add(settings[name])
        for name in found.changed:
            self._change(self.roster.named(name), settings[name])
        for entry in self.roster:
            if not entry.removed:
                self._write_row(entry)
        return found

    def _weight(self, name: str) -> float:
        return self._weights.get(name, 1.0)

    def note(self, settings: Mapping[str, CameraSettings]) -> None:
        """These are the settings by now; nothing that is open is touched for it."""
        for entry in self.roster:
            if entry.name in settings and not entry.removed:
                entry.settings = settings[entry.name]

    def pause(self, name: str, why: str = "", since: float | None = None) -> None:
        """Close its session until it is resumed. What is not seen meanwhile is a gap with that cause.
        ``since``: Unix seconds, where it was paused before the node started."""
        entry = self.roster.named(name)
        if entry.paused or entry.finished:
            return
        entry.paused = True
        entry.paused_at = self._clock.wall() if since is None else since
        tracks = self._open_tracks(entry.index)
        self._tell(CameraPaused(at=self._now(), camera=name, detail=why, tracks=tracks))
        self._send_remove(entry, CameraState.PAUSED)

    def resume(self, name: str) -> None:
        entry = self.roster.named(name)
        if not entry.paused:
            return
        entry.paused = False
        self._tell(CameraResumed(at=self._now(), camera=name))
        self._send_add(entry)

    def restart(self, name: str, why: str = "") -> None:
        """Open its session anew. What is missed meanwhile is a gap by the operator. Raises ConfigError also
        for one that is paused, or has ended."""
        entry = self.roster.named(name)
        if not entry.watched:
            what = "is paused: resume it" if entry.paused else "has ended: it cannot be opened anew"
            raise ConfigError(f"camera {redact(name)!r} {what}")
        tracks = self._open_tracks(entry.index)
        self._tell(CameraRestarted(at=self._now(), camera=name, detail=why, tracks=tracks))
        self._send_remove(entry, CameraState.WAITING)
        self._send_add(entry)

    def _add(self, settings: CameraSettings) -> None:
        entry = self.roster.add(settings)
        self._adopt(entry)
        self._table.header["used"] = max(self._table.used, entry.index + 1)
        self._write_row(entry)
        self._tell(CameraAdded(at=self._now(), camera=entry.name, host=host_of(settings.url)))
        self._tell_detectors(entry)
        self._send_add(entry)

    def _tell_detectors(self, entry: Entry, *, level: bool = False) -> None:
        for detector in self._detectors():
            if detector.ready and self._has(detector, entry):
                detector.send(Cameras(entry.worker, [entry.index], level))

    def change_detector(self, entry: Entry) -> None:
        """Another one has this camera from now on: tell it so."""
        self._tell_detectors(entry, level=True)

    def ask_to_join(self, entry: Entry, worker: Child) -> None:
        """Another worker wants to open a session beside the one there is: within the same budgets as those
        who connect because they were lost. Follow with ``may_join``, and ``joined`` in any case."""
        name = _second_of(entry)
        self._moving[name] = entry
        ask = self._admission.ask(
            name, host_of(entry.settings.url), worker.place - 1, self._priority(entry), self._now()
        )
        self._admit(ask)

    def may_join(self, entry: Entry) -> bool:
        return entry.index in self._may_join

    def joined(self, entry: Entry) -> None:
        """Or failed to, or gave up waiting."""
        self._may_join.discard(entry.index)
        if self._moving.pop(_second_of(entry), None) is not None:
            self._admit(self._admission.done(_second_of(entry), self._now()))

    def join(self, entry: Entry, worker: Child) -> None:
        """Let another worker open a session beside the one there is."""
        packed = msgspec.msgpack.encode(entry.settings)
        worker.send(AddCamera(entry.index, entry.name, packed, joins=True))

    def hand_over(self, entry: Entry, *, joined: bool) -> None:
        """Have its worker let it go and say what it knows. ``give_to`` follows, unless the worker dies.
        ``joined``: another worker has a session of it already."""
        packed = msgspec.msgpack.encode(entry.settings) if entry.watched else None
        self._passages[entry.index] = _Passage(packed)
        self._workers[entry.worker].send(HandOver(entry.index, joined))

    def give_to(self, entry: Entry, worker: Child, known: bytes | None, *, joined: bool) -> None:
        """It is read by this worker from now on, who is told what the one before knew. None: that is lost."""
        entry.worker = worker.place - 1
        self._tell_detectors(entry)
        # What the worker before says of connecting counts no more.
        self._admit(self._admission.done(entry.name, self._now()))
        passage = self._passages.pop(entry.index, None)
        if passage is None:
            # Whoever had it died, and that was told: nothing goes on.
            self._send_anew(entry, joined=joined)
            return
        if passage.settings is not None:
            self._send_known(entry, worker, passage.settings, known, joined=joined)
        for message in passage.held:
            worker.send(message)

    def _send_known(
        self, entry: Entry, worker: Child, settings: bytes, known: bytes | None, *, joined: bool
    ) -> None:
        try:
            if joined and known:
                worker.send(TakeOver(entry.index, entry.name, settings, known))
                return
            if known is not None:
                worker.send(AddCamera(entry.index, entry.name, settings, known=known))
                return
        except MessageTooLong:
            pass
        self._tell_what_is_lost(entry)
        worker.send(AddCamera(entry.index, entry.name, settings))

    def _tell_what_is_lost(self, entry: Entry) -> None:
        """Nobody knows any more what the worker before knew of it: whatever it said ends here."""
        now = self._now()
        epoch, ids = int(self._table.rows["epoch"][entry.index]), self._tracks.pop(entry.index, b"")
        tracks = [int(each) for each in np.frombuffer(ids, np.int64) if each >= 0]
        if tracks:
            self._tell(
                TracksEnded(at=now, camera=entry.name, epoch=epoch, track_ids=tracks, reason="handed_over")
            )
        self._tell(CameraAdded(at=now, camera=entry.name, host=host_of(entry.settings.url)))
        self._tell(
            Blind(
                at=now,
                camera=entry.name,
                since=now,
                cause=Cause.HANDED_OVER,
                blame=Blame.NODE,
                detail=OPENED_ANEW,
            )
        )

    def _send_anew(self, entry: Entry, *, joined: bool) -> None:
        if entry.watched:
            self._send_add(entry)  # this also closes what was joined
        elif joined:
            self._send_remove(entry, CameraState.REMOVED if entry.removed else CameraState.PAUSED)

    def keyframe_every(self, entry: Entry) -> float:
        """Seconds between its keyframes; 0.0 while that is not known."""
        return float(self._table.rows["keyframe_every"][entry.index])

    def is_live(self, entry: Entry) -> bool:
        return bool(self._table.rows["state"][entry.index] == CameraState.LIVE)

    def _remove(self, entry: Entry) -> None:
        entry.removed = True
        self._admit(self._admission.done(entry.name, self._now()))
        self._tell(CameraRemoved(at=self._now(), camera=entry.name))
        self._send_remove(entry, CameraState.REMOVED)

    def _change(self, entry: Entry, settings: CameraSettings) -> None:
        if settings.url != entry.settings.url:
            entry.single_session = False  # that was another one
        entry.settings, entry.finished = settings, None
        self._tell(CameraAdded(at=self._now(), camera=entry.name, host=host_of(settings.url)))
        if not entry.paused:
            self._send_remove(entry, CameraState.WAITING)
            self._send_add(entry)

    def _write_row(self, entry: Entry) -> None:
        row = self._table.rows[entry.index]
        row["weight"] = self._weight(entry.name)
        row["max_age"] = entry.settings.max_age

    # ---- what workers say

    def worker_ready(self, worker: int) -> None:
        """A worker is new: it is told of its cameras."""
        for entry in self.roster.of_worker(worker):
            if entry.watched:
                self._send_add(entry)

    def inside_decoders(self, worker: int) -> list[str]:
        """Its cameras that it was decoding pictures of. To be asked of a dead worker, before it is buried."""
        decoding = self._table.rows["decoding"]
        return [entry.name for entry in self.roster if entry.worker == worker and decoding[entry.index]]

    def isolate(self, entry: Entry, worker: int) -> None:
        """Another worker reads it from now on, and gives it back to none. The one before must be dead."""
        entry.worker, entry.isolated = worker, True
        self._tell_detectors(entry)
        self._send_add(entry)

    def worker_died(self, worker: int) -> dict[str, int]:
        """Its frames in flight are orphaned; returns its cameras and how many tracks each had open."""
        lost = {}
        self._admit(self._admission.worker_gone(worker, self._now()))
        for entry in self.roster:
            if entry.worker != worker:
                continue
            self._passages.pop(entry.index, None)
            # Also those it was told to let go: it may have died before it heard of it.
            self._table.orphan(entry.index)
            if entry.watched:
                self._table.rows["state"][entry.index] = CameraState.WAITING
                self._table.rows["last_end"][entry.index] = REASONS.index(EndReason.WORKER_LOST)
                lost[entry.name] = self._open_tracks(entry.index)
            elif entry.removed or entry.paused:
                state = CameraState.REMOVED if entry.removed else CameraState.PAUSED
                self._table.rows["state"][entry.index] = state
        return lost

    def heard_result(self, output: Output) -> None:
        self._tracks[output.index] = output.track_id

    def epoch_started(self, camera: str) -> None:
        """No track of before is open any more."""
        self._tracks.pop(self.roster.named_ever(camera).index, None)

    def objects_open(self) -> dict[int, int]:
        """Cameras by index, and how many tracks each had in its last result."""
        return {
            index: int((np.frombuffer(ids, np.int64) >= 0).sum())
            for index, ids in self._tracks.items()
            if self.roster[index].watched
        }

    def _open_tracks(self, index: int) -> int:
        ids = np.frombuffer(self._tracks.pop(index, b""), np.int64)
        return int((ids >= 0).sum())

    def finished(self, index: int, reason: EndReason, detail: str) -> None:
        """A source that ends has ended."""
        entry = self.roster[index]
        if entry.removed:
            return
        entry.finished, entry.detail = reason, detail
        self._tell(CameraFinished(at=self._now(), camera=entry.name, reason=reason, detail=detail))

    def asks_to_connect(self, index: int) -> None:
        entry = self.roster[index]
        host = host_of(entry.settings.url)
        ask = self._admission.ask(entry.name, host, entry.worker, self._priority(entry), self._now())
        self._admit(ask)

    def _priority(self, entry: Entry) -> int:
        """Who matters twice as much is let in before the others."""
        return round(math.log2(max(1e-3, self._weight(entry.name))))

    def connected(self, index: int) -> None:
        """Or failed to: in any case it connects no more."""
        self._admit(self._admission.done(self.roster[index].name, self._now()))

    def nudge(self, cameras: Iterable[str]) -> None:
        """One that went with them is back: whoever of them waits for its next attempt need not."""
        for name in cameras:
            entry = self.roster.named_ever(name)
            row = self._table.rows[entry.index]
            reason = REASONS[row["last_end"]]
            if row["state"] == CameraState.WAITING and reason not in _TIME_DOES_NOT_MEND:
                self._send(entry, Nudge(entry.index))

    def tick(self) -> None:
        """Now and then: who was allowed and never came back holds up nobody."""
        self._admit(self._admission.tick(self._now()))

    def _admit(self, granted: Sequence[Grant]) -> None:
        for grant in granted:
            if (moving := self._moving.get(grant.camera)) is not None:
                self._may_join.add(moving.index)
                continue
            entry = self.roster.named_ever(grant.camera)
            self._send(entry, MayConnect(entry.index))

    # ---- to workers

    def _send_add(self, entry: Entry) -> None:
        if not entry.watched:
            return
        message = AddCamera(entry.index, entry.name, msgspec.msgpack.encode(entry.settings))
        if entry.index in self._passages:
            self._passages[entry.index].held.append(message)
        else:
            self._send(entry, message)

    def _send_remove(self, entry: Entry, state: CameraState) -> None:
        if entry.index in self._passages:
            self._passages[entry.index].held.append(RemoveCamera(entry.index, state))
        elif self._workers[entry.worker].ready:
            self._send(entry, RemoveCamera(entry.index, state))
        else:
            self._table.rows["state"][entry.index] = state  # nobody else is there to write it

    def _send(self, entry: Entry, message: Any) -> None:
        worker = self._workers[entry.worker]
        # One that is being started is told of all its cameras when it is ready.
        if worker.ready:
            worker.send(message)

    def _now(self) -> float:
        return self._clock.monotonic()


def _second_of(entry: Entry) -> str:
    """What a camera's second session is called among those who connect: like no camera."""
    return f"{entry.name}\0moves"
