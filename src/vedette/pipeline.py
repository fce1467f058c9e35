"""THE SPINE: one camera's frames, from the moment they arrived to the moment their result leaves.

    frame → _decode → _keep → take → _convert → finish → _track → _emit
     received          newest   chosen            detections
                       wins     by the detector   come back

Nothing queues: of each camera only the newest decoded picture is kept, still in the decoder's own format, and
it is converted when a detector asks for it. Each received frame ends as exactly one outcome; the counters lie
in the shared table, so they survive this process.

Frames come in on the thread their source runs on; ``take`` and ``finish`` are called by the worker. One lock
per camera guards what both touch; nothing slow happens under it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vedette.clock import Clock
from vedette.facts import EndReason, EpochStarted, Outcome, SessionEnd, SessionOpened, Trouble
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.infer.letterbox import Placement, fit, to_source
from vedette.ingest.capture import CaptureClock
from vedette.ingest.convert import Converter, ConvertFailed
from vedette.ingest.decode import DecodedFrame, DecodeFailed, Decoder
from vedette.settings import CameraSettings
from vedette.track.tracker import Tracker
from vedette.workers.protocol import Done, Output
from vedette.workers.table import REASONS, CameraState, Stage, Table

__all__ = ["Observer", "Pipeline"]

UNACKNOWLEDGED_AT_MOST = 32
"""Results of an ``every_frame`` source that no sink has taken yet; then reading waits."""


TROUBLE_EVERY_S = 5.0
"""The same trouble with each frame is told of now and then; every frame of it is counted."""


class Observer(Protocol):
    """Where a pipeline's facts and results go. Must not block."""

    def fact(self, fact: Any) -> None: ...

    def result(self, output: Output, image: Any, shown: float) -> None: ...


@dataclass(slots=True)
class _Arrival:
    """A frame that is inside the decoder."""

    captured: float
    epoch: int
    shown: float
    """Where it lies on the scene's own time, in seconds: capture time, or the clip's time for a source that
    is read faster or slower than it was filmed."""


@dataclass(slots=True)
class _Kept:
    """A decoded picture that waits to be chosen, or is at the detector."""

    seq: int
    epoch: int
    captured: float
    shown: float
    decoded_at: float
    image: Any
    width: int
    height: int
    chosen_at: float = 0.0
    placement: Placement | None = None


class Pipeline:
    """One camera's frames. Implements :class:`vedette.ingest.source.Receiver`.

    ``make_tracker`` gives a tracker without memory. ``ring`` wakes a detector that waits for frames.
    ``held_up`` says whether a source that can wait should, for another reason than the detector.
    """

    def __init__(
        self,
        index: int,
        settings: CameraSettings,
        *,
        table: Table,
        worker: int,
        clock: Clock,
        observer: Observer,
        make_tracker: Callable[[], Tracker],
        ring: Callable[[], None],
        keeps_pictures: bool = False,
        held_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self.index, self.settings = index, settings
        self._table, self._worker, self._clock = table, worker, clock
        self._row = table.rows[index]
        self._observer, self._make_tracker, self._ring = observer, make_tracker, ring
        self._keeps_pictures, self._held_up = keeps_pictures, held_up
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._rung = Rung(settings.rung)
        self._min_interval = 1.0 / settings.max_fps if settings.max_fps else 0.0
        self._newest: _Kept | None = None
        self._taken: dict[int, _Kept] = {}
        self._inside: dict[int, _Arrival] = {}
        self._numbers: deque[int] = deque()
        """Of the frames inside, ascending. Pictures take them in the order in which they come out."""
        self._unacknowledged = 0
        self._told_trouble = -TROUBLE_EVERY_S
        self._closed = False
        self._decoder: Decoder | None = None
        self._converter = Converter()
        self._capture = CaptureClock(clock.wall() - clock.monotonic())
        self._tracker: Tracker = make_tracker()
        self._session_frames = 0
        self._clip_began: float | None = None
        self._last_arrival = 0.0

    # ---- a session opens and ends

    @property
    def rung(self) -> Rung:
        return self._rung

    def opened(self, info: StreamInfo) -> None:
        """A session's stream is understood. What the gap before it made wrong starts anew."""
        self._decoder = Decoder(info)
        self._capture = CaptureClock(self._clock.wall() - self._clock.monotonic())
        self._session_frames, self._last_arrival = 0, 0.0
        with self._lock:
            self._row["sessions"] += 1
            self._row["state"] = CameraState.LIVE
            self._row["width"], self._row["height"] = info.width, info.height
        self._start_epoch("session opened")
        now = self._clock.monotonic()
        self._observer.fact(
            SessionOpened(
                at=now, camera=self.settings.name, codec=info.codec, width=info.width, height=info.height
            )
        )

    def ended(self, end: SessionEnd) -> int:
        """A session is over; returns how many pictures it gave.

        May block while an ``every_frame`` source's last frames wait for room.
        """
        if self._decoder is not None and end.reason is EndReason.ENDED:
            began = self._clock.monotonic()
            for picture in self._pictures(self._decoder.flush):
                self._keep(picture, began)
        with self._lock:
            self._count(Outcome.ORPHANED, len(self._inside))
            self._inside.clear()
            self._numbers.clear()
            self._row["last_end"] = REASONS.index(end.reason)
        self._decoder = None
        frames, self._session_frames = self._session_frames, 0
        return frames

    def _start_epoch(self, reason: str) -> None:
        with self._lock:
            self._row["epoch"] += 1
            epoch = int(self._row["epoch"])
            self._tracker = self._make_tracker()
            self._orphan_newest()
        if epoch > 0:
            now = self._clock.monotonic()
            self._observer.fact(EpochStarted(at=now, camera=self.settings.name, epoch=epoch, reason=reason))

    # ---- frames arrive, are decoded, and the newest is kept

    def frame(self, frame: EncodedFrame) -> None:
        """A whole frame arrived. Blocks only where the source can wait."""
        with self._lock:
            if self._closed:
                return  # we hung up; what still comes was not received
            seq = int(self._row["received"])
            self._row["received"] += 1
        self._note_interval(frame.arrived)
        self._decode(frame, seq)

    def skipped(self, count: int = 1) -> None:
        """Frames that the rung left out arrived."""
        with self._lock:
            self._row["received"] += count
            self._count(Outcome.SKIPPED, count)

    def broken(self, count: int = 1) -> None:
        """Frames arrived of which parts were missing."""
        with self._lock:
            self._row["received"] += count
            self._count(Outcome.FAILED, count)

    def _note_interval(self, arrived: float) -> None:
        if self._last_arrival:
            interval = float(self._row["interval"])
            # A pause says nothing about the rate; one interval counts for at most a second.
            step = min(1.0, arrived - self._last_arrival) - interval
            self._row["interval"] = interval + step * (0.1 if interval else 1.0)
        self._last_arrival = arrived

    def _decode(self, frame: EncodedFrame, seq: int) -> None:
        began = self._clock.monotonic()
        if self.settings.every_frame:
            captured, shown = began, self._clip_time(frame.pts)
        else:
            shown = captured = self._capture.captured(frame.pts, frame.arrived, frame.sender_time)
        decoder = self._decoder
        if decoder is None or not decoder.wants(frame):
            # Joined in the middle of a group of pictures: nothing can be made of it before the next keyframe.
            self._end(Outcome.SKIPPED)
            return
        alone = self._rung is Rung.KEYFRAMES and self._session_frames > 0
        if alone and began - captured > self.settings.max_age:
            # We are behind, and no other frame needs this one: decoding it would only make us later. A
            # session's first picture is decoded all the same: it shows that there is one.
            self._end(Outcome.EXPIRED)
            return
        if not self._enter_decoder(seq, captured, shown):
            return
        pictures = self._pictures(lambda: decoder.decode(frame, seq))
        decoded = self._clock.monotonic()
        self._table.record_stage(self._worker, Stage.DECODE, decoded - began)
        for picture in pictures:
            self._keep(picture, decoded)

    def _clip_time(self, pts: float) -> float:
        if self._clip_began is None:
            self._clip_began = self._clock.monotonic() - pts
        return self._clip_began + pts

    def _enter_decoder(self, seq: int, captured: float, shown: float) -> bool:
        with self._lock:
            if self._closed:
                self._count(Outcome.ORPHANED)
                return False
            self._inside[seq] = _Arrival(captured, int(self._row["epoch"]), shown)
            self._numbers.append(seq)
        return True

    def _pictures(self, decode: Callable[[], list[DecodedFrame]]) -> list[DecodedFrame]:
        """What the decoder gives; what it says is lost ends here as failed."""
        try:
            return decode()
        except DecodeFailed as failed:
            for seq in failed.seqs:
                self._fail_inside(seq)
            return failed.frames

    def _fail_inside(self, seq: int) -> None:
        with self._lock:
            if self._inside.pop(seq, None) is not None:
                # With frames out of order its own number may be gone to another picture.
                self._numbers.remove(seq if seq in self._numbers else self._numbers[0])
                self._count(Outcome.FAILED)

    def _keep(self, picture: DecodedFrame, decoded_at: float) -> None:
        with self._lock:
            arrival = self._inside.pop(picture.seq, None)
            if arrival is None:
                return
            # Sent in decoding order, shown in another (B-frames): numbers grow from result to result.
            seq = self._numbers.popleft()
            self._session_frames += 1
            if self.settings.every_frame:
                self._room.wait_for(self._has_room)
                arrival.captured = decoded_at = self._clock.monotonic()
            if self._closed or arrival.epoch != self._row["epoch"]:
                self._count(Outcome.ORPHANED)
                return
            if self._newest is not None:
                # Never chosen because its turn had not come, or because a newer one came first?
                held_back = decoded_at < self._row["not_before"]
                self._count(Outcome.SKIPPED if held_back else Outcome.SUPERSEDED)
            self._newest = _Kept(
                seq,
                arrival.epoch,
                arrival.captured,
                arrival.shown,
                decoded_at,
                picture.image,
                picture.width,
                picture.height,
            )
            self._row["width"], self._row["height"] = picture.width, picture.height
            self._row["newest_captured"] = arrival.captured
            self._row["newest_seq"] = seq
        self._ring()

    def _has_room(self) -> bool:
        room = self._newest is None and self._unacknowledged < UNACKNOWLEDGED_AT_MOST
        return self._closed or (room and not self._held_up())

    # ---- the detector asks for the newest

    def take(self, ticket: int, target: npt.NDArray[np.uint8]) -> bool:
        """Convert the newest picture into ``target`` (u8 [H,W,3] RGB); False when there is none to give.

        Until ``finish`` is called with the same ticket the frame is in flight.
        """
        now = self._clock.monotonic()
        with self._lock:
            kept, self._newest = self._newest, None
            self._row["newest_seq"] = -1
            if kept is None:
                return False
            if now - kept.captured > self.settings.max_age:
                self._count(Outcome.EXPIRED)
                return False
            kept.chosen_at = now
            self._taken[ticket] = kept
            if self._min_interval:
                # On a grid, so that 25 fps limited to 10 gives 10 and not 8.3; a pause earns nothing.
                slot = float(self._row["not_before"])
                on_time = now - slot < self._min_interval
                self._row["not_before"] = (slot if on_time else now) + self._min_interval
            self._room.notify_all()
        self._table.record_stage(self._worker, Stage.WAIT, now - kept.decoded_at)
        return self._convert(ticket, kept, target)

    def _convert(self, ticket: int, kept: _Kept, target: npt.NDArray[np.uint8]) -> bool:
        kept.placement = fit((kept.height, kept.width), (target.shape[0], target.shape[1]))
        try:
            self._converter.into(kept.image, target, kept.placement)
        except ConvertFailed as failed:
            self.give_back(ticket, Outcome.FAILED)
            self._trouble(f"a picture could not be converted: {failed}")
            return False
        if not self._keeps_pictures:
            kept.image = None
        converted = self._clock.monotonic()
        self._table.record_stage(self._worker, Stage.CONVERT, converted - kept.chosen_at)
        return True

    # ---- detections come back

    def finish(self, ticket: int, done: Done) -> None:
        """The detector is done with a frame: track, and let the result leave if it is still wanted."""
        with self._lock:
            kept = self._taken.pop(ticket, None)
            if kept is None:
                return
            outcome = self._fate(kept, done)
            if outcome is not Outcome.ANALYSED:
                self._count(outcome)
                return
            # Taken together with the epoch: a session that opens right now brings a tracker of its own.
            tracker = self._tracker
        try:
            output = self._track(tracker, kept, done)
        except Exception as err:  # a tracker of a library met numbers it cannot take
            self._end(Outcome.FAILED)
            self._trouble(f"tracking failed: {type(err).__name__}: {err}")
            return
        if output.age > self.settings.max_age:
            self._end(Outcome.EXPIRED)
        else:
            self._emit(kept, output)

    def _fate(self, kept: _Kept, done: Done) -> Outcome:
        if done.failed is not None:
            return Outcome.FAILED
        if self._closed or kept.epoch != self._row["epoch"]:
            return Outcome.ORPHANED
        if self._clock.monotonic() - kept.captured > self.settings.max_age:
            return Outcome.EXPIRED
        return Outcome.ANALYSED

    def _track(self, tracker: Tracker, kept: _Kept, done: Done) -> Output:
        began = self._clock.monotonic()
        assert kept.placement is not None
        boxes = np.frombuffer(done.xyxy, np.float32).reshape(-1, 4)
        confidence = np.frombuffer(done.confidence, np.float32)
        class_id = np.frombuffer(done.class_id, np.int32)
        xyxy = to_source(boxes, kept.placement, (kept.height, kept.width))
        ids = tracker.update(xyxy, confidence, class_id, kept.shown)
        tracked = self._clock.monotonic()
        self._table.record_stage(self._worker, Stage.TRACK, tracked - began)
        wall = self._clock.wall() - tracked
        return Output(
            index=self.index,
            epoch=kept.epoch,
            seq=kept.seq,
            captured_at=kept.captured + wall,
            emitted_at=tracked + wall,
            age=tracked - kept.captured,
            width=kept.width,
            height=kept.height,
            xyxy=xyxy.astype(np.float32, copy=False).tobytes(),
            confidence=done.confidence,
            class_id=done.class_id,
            track_id=ids.tobytes(),
            names=done.names,
        )

    def _emit(self, kept: _Kept, output: Output) -> None:
        if self.settings.every_frame:
            with self._lock:
                self._unacknowledged += 1
        began = self._clock.monotonic()
        self._observer.result(output, kept.image, kept.shown)
        with self._lock:
            self._count(Outcome.ANALYSED)
            self._table.record_age(self.index, output.age)
        self._table.record_stage(self._worker, Stage.EMIT, self._clock.monotonic() - began)

    # ---- frames that will not be analysed

    def give_back(self, ticket: int, outcome: Outcome) -> None:
        """A frame that was taken ends here: its detector died (orphaned), or it could not be converted."""
        with self._lock:
            if self._taken.pop(ticket, None) is not None:
                self._count(outcome)

    def expire(self) -> None:
        """End a kept picture that grew too old while nobody asked for it. Called about once a second."""
        with self._lock:
            kept = self._newest
            if kept is not None and self._clock.monotonic() - kept.captured > self.settings.max_age:
                self._newest = None
                self._row["newest_seq"] = -1
                self._count(Outcome.EXPIRED)

    def acknowledge(self, results: int) -> None:
        """Sinks have taken so many results of an ``every_frame`` source."""
        with self._lock:
            self._unacknowledged -= results
            self._room.notify_all()

    @property
    def idle(self) -> bool:
        """Whether every received frame has its outcome."""
        with self._lock:
            return not (self._newest or self._taken or self._inside)

    def close(self) -> None:
        """End everything in flight as orphaned; whoever waits for room is let go."""
        with self._lock:
            self._closed = True
            self._orphan_newest()
            self._count(Outcome.ORPHANED, len(self._taken) + len(self._inside))
            self._taken.clear()
            self._inside.clear()
            self._numbers.clear()
            self._room.notify_all()

    def _orphan_newest(self) -> None:
        if self._newest is not None:
            self._newest = None
            self._row["newest_seq"] = -1
            self._count(Outcome.ORPHANED)

    def _end(self, outcome: Outcome) -> None:
        with self._lock:
            self._count(outcome)

    def _count(self, outcome: Outcome, count: int = 1) -> None:
        self._row[outcome.value] += count

    def _trouble(self, message: str) -> None:
        now = self._clock.monotonic()
        if now - self._told_trouble < TROUBLE_EVERY_S:
            return
        self._told_trouble = now
        trouble = Trouble(at=now, where="pipeline", message=message, camera=self.settings.name)
        self._observer.fact(trouble)
