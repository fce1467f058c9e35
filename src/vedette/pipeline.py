"""THE SPINE: one camera's frames, from the moment they arrived to the moment their result leaves.

    frame → _decode → _keep → take → _convert → finish → _track → _emit
     received          newest   chosen            detections
                       wins     by the detector   come back

Nothing queues: of each camera only the newest decoded pictures are kept (one, unless ``buffer`` says
otherwise), still in the decoder's own format, and one is converted when a detector asks for it. Where only
keyframes are decoded, none is before a detector asks for it (``_put_off``, ``_decode_chosen``). A frame
older than ``max_age`` goes no further, wherever it is. Each received frame has exactly one ending; the
counters lie in the shared table, so they survive this process.

Frames come in on the thread their source runs on; ``take`` and ``finish`` are called by the worker. One lock
per camera guards what both touch; nothing slow happens under it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vedette.account import Account, Kept, Undecoded
from vedette.clock import Clock
from vedette.decoding import AtDecoder
from vedette.endings import Ending
from vedette.facts import (
    EndReason,
    EpochStarted,
    SessionEnd,
    SessionOpened,
    TracksEnded,
    Trouble,
)
from vedette.found import Asked, Found
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.frame_times import FrameTimes
from vedette.health.notes import Notes
from vedette.infer.letterbox import fit, to_source
from vedette.ingest.capture import CaptureClock
from vedette.ingest.convert import Converter, ConvertFailed
from vedette.ingest.decode import DecodedFrame, DecodeFailed, Decoder
from vedette.ingest.motion_gate import MotionGate
from vedette.ingest.understudy import Understudy
from vedette.measures import Measures
from vedette.settings import CameraSettings
from vedette.track.open import OpenTracks
from vedette.track.tracker import Tracker
from vedette.turns import Turns
from vedette.workers.protocol import Done, Output
from vedette.workers.table import REASONS, CameraState, Stage, Table

__all__ = ["Observer", "Pipeline"]

TROUBLE_EVERY_S = 5.0
"""The same trouble with each frame is told of now and then; every frame of it is counted."""

AT_A_GLANCE_S = 0.5
"""Pictures so close to each other have no gap between them."""

GRACE_LEAST_S, GRACE_MOST_S = 1.0, 10.0
"""Where ``track_grace`` is not set, three frames may be missed, and what that is in seconds lies in here: the
trackers forget after a second without a frame, and ten seconds later anybody may stand in the same place."""


_RUNGS = tuple(Rung)


class Observer(Protocol):
    """Where a pipeline's facts and results go. Must not block."""

    def fact(self, fact: Any) -> None: ...

    def result(self, output: Output, image: Any, shown: float) -> None: ...

    def asks(self, index: int, captured: float) -> Asked | None:
        """A frame is going to be studied, and nobody has looked at it yet. May be called from any thread."""
        ...

    def found(self, index: int, found: Found) -> None:
        """What a detector found in a frame that is studied."""
        ...


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
        notes: Notes | None = None,
    ) -> None:
        self.index, self.settings = index, settings
        self.notes = notes or Notes()
        self._clock = clock
        self._row = table.rows[index]
        self._measures = Measures(table, worker, index)
        self._turns = Turns(self._row, settings.max_fps)
        self._motion = MotionGate(wanted=settings.motion, every=settings.motion_every)
        self._account = Account(self._row, 1 if settings.every_frame else settings.buffer)
        self._observer, self._make_tracker, self._ring = observer, make_tracker, ring
        self._keeps_pictures, self._held_up = keeps_pictures, held_up
        self.looked_at = False
        """Somebody wants to see its frames: their pictures are kept until the result leaves."""
        self._decoded_rung = Rung(settings.rung)
        self._trace_due = 0.0
        """Results that are due to be traced; one is, when this is 1."""
        self._study_due = 0.0
        self._told_trouble = -TROUBLE_EVERY_S
        self._decoder: Decoder | None = None
        self._decoding = AtDecoder(self._row, clock)
        """A decoder is used where frames arrive, and where they are taken."""
        self._decoded_seq = -1
        """Of the newest frame that was decoded when it came."""
        self._good = False
        """The last frame that went into the decoder gave a picture."""
        self._converter = Converter()
        self._capture = CaptureClock(clock.wall() - clock.monotonic())
        self._tracker: Tracker = make_tracker()
        self._open_tracks = OpenTracks()
        self._session_frames = 0
        self._clip_began: float | None = None
        self._captured = self._seen_until = -math.inf
        """When the newest frame was captured; and up to when another process saw everything."""
        self._last_pts: float | None = None
        self._epoch_began = -math.inf
        self._size = (0, 0)

    # ---- a session opens and ends

    @property
    def rung(self) -> Rung:
        """How much is decoded now: what the camera's settings allow, or less where the ladder says so."""
        if not self._session_frames and self._row["rung"] == Rung.KEYFRAMES:
            # Until there is a first picture its decoder decides: a stream may have no keyframe to wait for.
            return _RUNGS[self.settings.rung]
        return _RUNGS[max(self.settings.rung, int(self._row["rung"]))]

    def opened(self, info: StreamInfo) -> None:
        """A session's stream is understood. What the gap before it made wrong starts anew."""
        if self._account.closed:
            return  # we hung up; another pipeline may have this row by now
        self._decoder = Decoder(info)
        self._capture = CaptureClock(self._clock.wall() - self._clock.monotonic())
        self._session_frames, self._last_pts = 0, None
        self._good = False
        self._measures.opened()
        now = self._clock.monotonic()
        with self._account.lock:
            self._row["sessions"] += 1
            self._row["state"] = CameraState.LIVE
            self._row["width"], self._row["height"] = info.width, info.height
        self.notes.opened(now, info)
        if self._epoch_began == -math.inf:
            self.start_epoch("session opened")
        elif self.settings.every_frame or not self.grace or self._out_of_sight(now, self.grace):
            self.start_epoch("stream_gap")
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
            self._flush(self._decoder)
        self._account.forget_inside()
        self._row["last_end"] = REASONS.index(end.reason)
        self._decoder = None
        frames, self._session_frames = self._session_frames, 0
        return frames

    @property
    def epoch(self) -> int:
        """-1 before the first session."""
        return int(self._row["epoch"])

    @property
    def expired(self) -> int:
        """Frames that grew too old, since the camera was added."""
        return int(self._row["expired"])

    @property
    def keyframe_every(self) -> float:
        """Seconds between the stream's keyframes, 0.0 while that is not known."""
        return self._measures.keyframe_every

    @property
    def comes_every(self) -> float:
        """Seconds between the pictures that are decoded now, 0.0 while that is not known."""
        keyframes_only = self.rung >= Rung.KEYFRAMES
        return self.keyframe_every if keyframes_only else self.notes.pictures.interval

    @property
    def grace(self) -> float:
        """Seconds without a picture that the tracker can bridge; after a longer gap an epoch starts."""
        if self.settings.track_grace is not None:
            return self.settings.track_grace
        return min(GRACE_MOST_S, max(GRACE_LEAST_S, 3 * self.notes.pictures.interval))

    def _out_of_sight(self, now: float, grace: float) -> bool:
        """Whether more was missed than can be bridged: frames that came, or pictures in them."""
        quiet = now - max(self.notes.last_arrival, self._epoch_began)
        unseen = now - max(self.notes.last_picture, self._epoch_began)
        return quiet >= grace or unseen > max(grace, GRACE_MOST_S, 3 * self.notes.pictures.interval)

    def start_epoch(self, reason: str) -> None:
        """Forget what was tracked: no id lives on, and no frame from before will be given one."""
        self._motion.reset()
        with self._account.lock:
            if self._account.closed:
                return  # another pipeline may have this row by now
            self._row["epoch"] += 1
            epoch = int(self._row["epoch"])
            self._tracker = self._make_tracker()
            self._account.orphan_kept()
            cut = self._open_tracks.end()
        now, camera = self._clock.monotonic(), self.settings.name
        self._epoch_began = now
        if cut:
            self.notes.cuts.append((now, len(cut)))
            self._observer.fact(
                TracksEnded(at=now, camera=camera, epoch=epoch - 1, track_ids=cut, reason=reason)
            )
        if epoch > 0:
            self._observer.fact(EpochStarted(at=now, camera=camera, epoch=epoch, reason=reason))

    # ---- frames arrive, are decoded, and the newest is kept

    def frame(self, frame: EncodedFrame) -> None:
        """A whole frame arrived. Blocks only where the source can wait."""
        seq = self._account.receive()
        if seq is None:
            return  # we hung up; what still comes was not received
        if frame.arrived - self.notes.last_picture > AT_A_GLANCE_S:
            self._look_for_gap(frame.arrived)
        self.notes.arrived(frame.arrived)
        if not self.settings.every_frame:
            self._measures.arrived(frame.arrived, self.notes.arrivals.interval)
        if frame.keyframe:
            self.notes.keyframes += 1
            self._measures.keyframe(frame.arrived)
        self._decode(frame, seq)

    def _look_for_gap(self, arrived: float) -> None:
        if self.settings.every_frame:
            return
        grace = self.grace
        if self._session_frames:
            # Within a session a usual interval is no gap, whatever grace is given.
            grace = max(grace, self.notes.arrivals.threshold(self.settings.stall_after))
        elif self._epoch_began >= self.notes.opened_at:
            return  # the session began one already
        if self._out_of_sight(arrived, grace):
            self.start_epoch("stream_gap")

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        """Frames arrived that the rung left out; or, ``behind``, that too many waited to be decoded."""
        if behind or self._decoded_rung is Rung.PAUSED:
            self._measures.keyframe_missed()
        self._account.arrive_as(Ending.SKIPPED_BACKLOG if behind else Ending.SKIPPED_RUNG, count)
        if not behind:
            # Also of a moment between two frames that came here: the hole is there all the same.
            self._decoded_rung = max(self._decoded_rung, self.rung)
        self.notes.arrived(self._clock.monotonic())

    def broken(self, count: int = 1) -> None:
        """Frames arrived of which parts were missing."""
        self._account.arrive_as(Ending.FAILED_ARRIVE, count)
        self.notes.arrived(self._clock.monotonic())
        self.notes.broken += count

    def lost(self, packets: int) -> None:
        """Packets are missing; of which frames, ``broken`` says."""
        self.notes.lost_packets += packets

    def _decode(self, frame: EncodedFrame, seq: int) -> None:
        began = self._clock.monotonic()
        captured, shown = self._times(frame, began)
        decoder = self._follow_rung()
        if decoder is None or not decoder.wants(frame):
            # Joined in the middle of a group of pictures: nothing can be made of it before the next keyframe.
            self.notes.unready += 1
            self._account.end(Ending.SKIPPED_KEYFRAME)
            return
        left_out = self._left_out(captured, began)
        if left_out is not None:
            self._account.end(left_out)
            return
        if self._may_wait(frame):
            self._put_off(frame, decoder, seq, captured, began)
            return
        if not self._account.enter(seq, captured, shown, frame.arrived, began):
            return
        with self._decoding:
            self._decoded_seq = seq
            pictures = self._pictures(lambda: decoder.decode(frame, seq))
        self._good = bool(pictures)
        decoded = self._clock.monotonic()
        took, lag = decoded - began, frame.arrived - captured
        self._measures.decoded(took, lag)
        self.notes.decoded(took, lag=lag, waited=began - frame.arrived)
        for picture in pictures:
            self.notes.picture(decoded, picture.width, picture.height)
            self._keep(picture, decoded)

    def _may_wait(self, frame: EncodedFrame) -> bool:
        """Whether it need not be decoded before a detector asks for it: no other frame needs it, and nobody
        doubts that it shows something."""
        return (
            frame.keyframe
            and self._decoded_rung >= Rung.KEYFRAMES
            and isinstance(
                frame.data, (bytes, bytearray, memoryview)
            )  # a demuxer's packet is tied to its thread
            and self._good
            and self._session_frames > 0
            and not (self.settings.every_frame or self.notes.wants_picture)
        )

    def _put_off(self, frame: EncodedFrame, decoder: Decoder, seq: int, captured: float, now: float) -> None:
        """Keep a keyframe as it came: of those that nobody will ask for, none is decoded."""
        if decoder.holds_back:
            self._flush(decoder)
        self.notes.undecoded(now)
        account, (width, height) = self._account, self._size
        kept = Kept(
            seq, self.epoch, captured, captured, now, None, width, height, frame.arrived, now,
            undecoded=Undecoded(frame, decoder),
        )  # fmt: skip
        with account.lock:
            useless = self._useless(kept.epoch, captured, now)
            if useless is not None:
                account.count(useless)
                return
            account.keep(kept)
        self._ring()

    def _flush(self, decoder: Decoder) -> None:
        """What the decoder holds back comes out."""
        began = self._clock.monotonic()
        with self._decoding:
            pictures = self._pictures(decoder.flush)
        for picture in pictures:
            self._keep(picture, began)

    def _follow_rung(self) -> Decoder | None:
        """The decoder; told to wait for a keyframe where the frames between them were left out until now."""
        before, self._decoded_rung = self._decoded_rung, self.rung
        if before >= Rung.KEYFRAMES > self._decoded_rung and self._decoder is not None:
            self._decoder.await_keyframe()
        return self._decoder

    def _left_out(self, captured: float, now: float) -> Ending | None:
        """Why a frame that no other frame needs is not decoded. A session's first picture always is: it shows
        that there is one."""
        if self._decoded_rung < Rung.KEYFRAMES or not self._session_frames:
            return None
        if now - captured > self.settings.max_age:
            return Ending.EXPIRED_DECODE  # we are behind, and decoding it would only make us later
        if self._turns.too_early(now):
            return Ending.SKIPPED_RATE  # by the time its turn has come, the next one will be fresher
        return None

    def _times(self, frame: EncodedFrame, now: float) -> tuple[float, float]:
        """When the frame was captured, and where it lies on the scene's own time."""
        if self.settings.every_frame:
            if self._clip_began is None:
                self._clip_began = now - frame.pts
            return now, self._clip_began + frame.pts
        if self._last_pts is not None:
            ahead = self._capture.ahead(frame.pts, frame.arrived)
            self.notes.timed(frame.pts - self._last_pts, ahead, now)
        self._last_pts = frame.pts
        captured = self._captured = self._capture.captured(frame.pts, frame.arrived, frame.sender_time)
        return captured, captured

    def _pictures(self, decode: Callable[[], list[DecodedFrame]]) -> list[DecodedFrame]:
        """What the decoder gives; what it says is lost ends here as failed."""
        try:
            return decode()
        except DecodeFailed as failed:
            self.notes.broken += len(failed.seqs)
            for seq in failed.seqs:
                self._account.lose(seq)
            return failed.frames

    def _keep(self, picture: DecodedFrame, decoded_at: float) -> None:
        began_anew = self._changed_size(picture)
        look = self._motion.look(picture.image)
        account = self._account
        with account.lock:
            left = account.leave(picture.seq)
            if left is None:
                return
            seq, arrival = left
            self._session_frames += 1
            if began_anew:
                arrival.epoch = int(self._row["epoch"])
            if self.settings.every_frame:
                account.room.wait_for(self._has_room)
                arrival.captured = decoded_at = self._clock.monotonic()
            useless = self._useless(arrival.epoch, arrival.captured, decoded_at)
            if useless is not None:
                account.count(useless)
                return
            if self._motion.still(look, decoded_at):
                account.count(Ending.SKIPPED_MOTION)
                self.notes.still(decoded_at, picture.image, answered=self._motion.answered)
                return
            account.keep(
                Kept(
                    seq,
                    arrival.epoch,
                    arrival.captured,
                    arrival.shown,
                    decoded_at,
                    picture.image,
                    picture.width,
                    picture.height,
                    arrival.arrived,
                    arrival.began,
                    look=look,
                )
            )
        self._ring()

    def _useless(self, epoch: int, captured: float, now: float) -> Ending | None:
        """Why a picture is not for the detector, whatever it shows. With the lock held."""
        if self._account.closed or epoch != self._row["epoch"]:
            return Ending.ORPHANED_WAIT
        if self._account.leaving or captured <= self._seen_until:
            return Ending.SUPERSEDED
        return Ending.EXPIRED_DECODE if now - captured > self.settings.max_age else None

    def _changed_size(self, picture: DecodedFrame) -> bool:
        """What was tracked in a picture of another size lies elsewhere now."""
        before, self._size = self._size, (picture.width, picture.height)
        if before in ((0, 0), self._size) or self.settings.every_frame:
            return False
        self.start_epoch("resolution_changed")
        return True

    def _has_room(self) -> bool:
        return self._account.closed or (self._account.has_room() and not self._held_up())

    # ---- the detector asks for the newest

    def take(self, ticket: int, target: npt.NDArray[np.uint8], *, aside: bool = False) -> bool:
        """Convert the newest picture into ``target`` (u8 [H,W,3] RGB); False when there is none to give.

        Until ``finish`` is called with the same ticket the frame is in flight. ``aside``: somebody else wants
        the picture, too; see ``picture``.
        """
        now = self._clock.monotonic()
        kept = self._account.take(ticket, lambda kept: now - kept.captured <= self.settings.max_age)
        if kept is None:
            return False
        kept.chosen_at, kept.aside = now, aside
        waited = now - kept.decoded_at
        self._measures.stage(Stage.WAIT, waited)
        if kept.undecoded is not None:
            ending = self._decode_chosen(kept, kept.undecoded)
            if ending is not None:
                self.give_back(ticket, ending)
                return False
            now = kept.decoded_at
        self._study(kept, now)
        self._motion.offered(now)
        self._turns.taken(now, keyframes_only=self._decoded_rung >= Rung.KEYFRAMES)
        self.notes.chosen(now, kept.image, waited)
        return self._convert(ticket, kept, target)

    def _study(self, kept: Kept, now: float) -> None:
        """Say whether this frame is one of those by which the detector is judged."""
        if self.settings.study_every and now >= self._study_due:
            kept.studied, self._study_due = True, now + self.settings.study_every
            kept.asked = self._observer.asks(self.index, kept.captured)

    def _decode_chosen(self, kept: Kept, undecoded: Undecoded) -> Ending | None:
        """Decode a keyframe that was put off until now; returns how it ended, if it did."""
        kept.undecoded, kept.began = None, self._clock.monotonic()
        with self._decoding:
            if kept.seq < self._decoded_seq:
                return Ending.SUPERSEDED  # others are predicted from what was decoded since
            self._account.decodes_chosen()
            try:
                picture = undecoded.decoder.decode_alone(undecoded.frame, kept.seq)
            except DecodeFailed:
                self._good = False  # the next ones are looked at when they come
                self.notes.broken += 1
                return Ending.FAILED_DECODE
        now = kept.chosen_at = kept.decoded_at = self._clock.monotonic()
        took, lag = now - kept.began, kept.arrived - kept.captured
        self._measures.decoded(took, lag)
        self.notes.decoded(took, lag=lag, waited=0.0)
        self.notes.sized(now, picture.width, picture.height)
        kept.image, kept.width, kept.height = picture.image, picture.width, picture.height
        if self._changed_size(picture):
            kept.epoch = self.epoch
        return self._not_wanted(kept, now)

    def _not_wanted(self, kept: Kept, now: float) -> Ending | None:
        """Why a picture that was chosen before it was decoded is not for the detector after all."""
        kept.look = self._motion.look(kept.image)
        with self._account.lock:
            self._session_frames += 1
            useless = self._useless(kept.epoch, kept.captured, now)
        if useless is None and self._motion.still(kept.look, now):
            self.notes.still(now, kept.image, answered=self._motion.answered)
            return Ending.SKIPPED_MOTION
        return useless

    def _convert(self, ticket: int, kept: Kept, target: npt.NDArray[np.uint8]) -> bool:
        kept.placement = fit((kept.height, kept.width), (target.shape[0], target.shape[1]))
        try:
            self._converter.into(kept.image, target, kept.placement)
        except ConvertFailed as failed:
            self.give_back(ticket, Ending.FAILED_CONVERT)
            self._trouble(f"a picture could not be converted: {failed}")
            return False
        self._let_picture_go(kept)
        kept.converted_at = self._clock.monotonic()
        self._measures.stage(Stage.CONVERT, kept.converted_at - kept.chosen_at)
        if kept.converted_at > kept.captured + self.settings.max_age:
            self.give_back(ticket, Ending.EXPIRED_CONVERT)
            return False
        return True

    def show(self, target: npt.NDArray[np.uint8]) -> bool:
        """Convert the newest picture that is kept into ``target``, for somebody who only wants to look; False
        where there is none. No frame's way is touched. May decode: not to be called where others wait."""
        with self._account.lock:
            kept = self._account.newest()
        if kept is None:
            return False
        image, undecoded = kept.image, kept.undecoded
        try:
            if image is None and undecoded is not None:
                image = self._looked_into(undecoded, kept.seq)
            if image is None:
                return False
            placement = fit((image.height, image.width), (target.shape[0], target.shape[1]))
            Converter().into(image, target, placement)
        except (ConvertFailed, DecodeFailed):
            return False
        return True

    def _looked_into(self, undecoded: Undecoded, seq: int) -> Any:
        """The picture of a keyframe that was put off, and stays so; None where it is too late for it."""
        with self._decoding:
            if seq < self._decoded_seq:
                return None
            return undecoded.decoder.decode_alone(undecoded.frame, seq).image

    def picture(self, ticket: int) -> Any:
        """The source picture (an ``av.VideoFrame``) of a frame that was taken with ``aside``; once."""
        kept = self._account.taken(ticket)
        if kept is None or not kept.aside:
            return None
        image, kept.aside = kept.image, False
        self._let_picture_go(kept)
        return image

    def _let_picture_go(self, kept: Kept) -> None:
        """Unless somebody still wants it: who keeps pictures or frames for review, tries a candidate, or
        looks at the camera."""
        for_review = kept.asked is not None and kept.asked.picture
        if not (self._keeps_pictures or kept.aside or for_review or self.looked_at):
            kept.image = None

    def studies(self, ticket: int) -> bool:
        """Whether the frame taken with this ticket is one by which the detector is judged."""
        kept = self._account.taken(ticket)
        return kept is not None and kept.studied

    def deadline(self, ticket: int) -> float:
        """When the frame taken with this ticket is too old to be looked at, in monotonic seconds."""
        kept = self._account.taken(ticket)
        return -math.inf if kept is None else kept.captured + self.settings.max_age

    # ---- detections come back

    def finish(self, ticket: int, done: Done) -> None:
        """The detector is done with a frame: track, and let the result leave if it is still wanted."""
        account = self._account
        with account.lock:
            kept = account.finish(ticket)
            if kept is None:
                return
            ending = self._ended_there(kept, done)
            if ending is not None:
                account.count(ending)
                self._motion.look_again()
                return
            # Taken together with the epoch: a session that opens right now brings a tracker of its own.
            tracker = self._tracker
        try:
            output = self._track(tracker, kept, done)
        except Exception as err:  # a tracker of a library met numbers it cannot take
            account.end(Ending.FAILED_TRACK)
            self._motion.look_again()
            self._trouble(f"tracking failed: {type(err).__name__}: {err}")
            return
        if output.age > self.settings.max_age:
            account.end(Ending.EXPIRED_EMIT)
            self._motion.look_again()
        else:
            self._emit(kept, output)
        if kept.studied:  # no result waits for those who judge it
            self._observer.found(self.index, found_of(kept, output, done))

    def _ended_there(self, kept: Kept, done: Done) -> Ending | None:
        """How a frame ended at the detector; None where its result is still wanted. With the lock held."""
        if done.failed is not None:
            return Ending.FAILED_INFER
        if self._account.closed or kept.epoch != self._row["epoch"]:
            return Ending.ORPHANED_INFER
        if done.expired or self._clock.monotonic() - kept.captured > self.settings.max_age:
            return Ending.EXPIRED_INFER
        return None

    def _track(self, tracker: Tracker, kept: Kept, done: Done) -> Output:
        began = self._clock.monotonic()
        assert kept.placement is not None
        boxes = np.frombuffer(done.xyxy, np.float32).reshape(-1, 4)
        confidence = np.frombuffer(done.confidence, np.float32)
        class_id = np.frombuffer(done.class_id, np.int32)
        xyxy = to_source(boxes, kept.placement, (kept.height, kept.width))
        ids = tracker.update(xyxy, confidence, class_id, kept.shown)
        with self._account.lock:
            if tracker is self._tracker:
                self._open_tracks.seen(ids, kept.shown)
        tracked = self._clock.monotonic()
        self._measures.stage(Stage.TRACK, tracked - began)
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
            times=self._frame_times(kept, done, began, tracked),
        )

    def _frame_times(self, kept: Kept, done: Done, returned: float, tracked: float) -> FrameTimes | None:
        """Of every n-th result, where frames are traced."""
        self._trace_due += self.settings.trace
        if self._trace_due < 1.0:
            return None
        self._trace_due -= 1.0
        return FrameTimes(
            captured=kept.captured,
            arrived=kept.arrived,
            decode_began=kept.began,
            decoded=kept.decoded_at,
            chosen=kept.chosen_at,
            converted=kept.converted_at,
            infer_began=done.times[0],
            inferred=done.times[1],
            boxes=done.times[2],
            returned=returned,
            tracked=tracked,
        )

    def _emit(self, kept: Kept, output: Output) -> None:
        account = self._account
        if self.settings.every_frame:
            with account.lock:
                account.unacknowledged += 1
        began = self._clock.monotonic()
        self._observer.result(output, kept.image, kept.shown)
        with account.lock:
            account.count(Ending.ANALYSED)
            self._measures.age(output.age)
        self.notes.emitted(output.age, began)
        self._motion.analysed(kept.look)
        self._measures.stage(Stage.EMIT, self._clock.monotonic() - began)

    # ---- frames that will not be analysed

    def give_back(self, ticket: int, ending: Ending) -> None:
        """A frame that was taken ends here: its detector died (orphaned), or it could not be converted."""
        self._account.give_back(ticket, ending)
        if ending is not Ending.SKIPPED_MOTION:
            self._motion.look_again()

    def expire(self) -> None:
        """End kept pictures that grew too old while nobody asked for them. Called about twice a second."""
        self._account.expire(self._clock.monotonic() - self.settings.max_age)

    def acknowledge(self, results: int) -> None:
        """Sinks have taken so many results of an ``every_frame`` source."""
        self._account.acknowledge(results)

    @property
    def idle(self) -> bool:
        """Whether every received frame has its outcome."""
        return self._account.idle

    def close(self) -> None:
        """End everything in flight as orphaned, and open tracks; whoever waits for room is let go."""
        self._account.close()
        with self._account.lock:
            cut = self._open_tracks.end()
        if cut:
            now, camera = self._clock.monotonic(), self.settings.name
            self._observer.fact(
                TracksEnded(at=now, camera=camera, epoch=self.epoch, track_ids=cut, reason="closed")
            )

    # ---- another process takes over

    def leave(self) -> None:
        """Receive nothing more. What the detector has comes back as before; see ``settled``."""
        self._account.leave_to_another()

    @property
    def settled(self) -> bool:
        """Whether everything that the detector had has come back."""
        return not self._account.at_the_detector

    def left(self) -> dict[str, Any]:
        """The last word: what the next one needs to know, to be pickled. Nothing is counted here after it."""
        known = {
            "tracker": self._tracker,
            "open_tracks": self._open_tracks,
            "notes": self.notes,
            "motion": self._motion,
            "size": self._size,
            "epoch_began": self._epoch_began,
            "trace_due": self._trace_due,
            "captured": self._captured,
            "not_before": float(self._row["not_before"]),
            "slack": self._turns.slack,
            "lag": float(self._row["lag"]),
        }
        self._account.left()
        return known

    def go_on(self, known: dict[str, Any]) -> None:
        """Begin where another process was, before anything is received here."""
        self._tracker.go_on(known["tracker"])
        self._open_tracks, self._motion = known["open_tracks"], known["motion"]
        self._size, self._epoch_began = known["size"], known["epoch_began"]
        self._trace_due = known["trace_due"]
        self._turns.go_on(known["not_before"], known["slack"])
        self._measures.go_on(known["lag"])
        interval = float(self._row["interval"])
        # Two sessions tell the same moment not quite alike.
        self._seen_until = known["captured"] + min(interval, AT_A_GLANCE_S) / 2

    def join(self, understudy: Understudy) -> None:
        """Take over a session that has already given a picture, in the middle."""
        assert understudy.decoder is not None
        self._decoder, self._capture = understudy.decoder, understudy.capture
        self._last_pts = understudy.last_pts
        self._session_frames, self._good = 1, True
        self._decoded_rung = self.rung
        with self._account.lock:
            self._row["sessions"] += 1
            self._row["state"] = CameraState.LIVE

    def _trouble(self, message: str) -> None:
        now = self._clock.monotonic()
        if now - self._told_trouble < TROUBLE_EVERY_S:
            return
        self._told_trouble = now
        trouble = Trouble(at=now, where="pipeline", message=message, camera=self.settings.name)
        self._observer.fact(trouble)


def found_of(kept: Kept, output: Output, done: Done) -> Found:
    """Of a frame that is studied, all boxes."""
    sure = np.frombuffer(output.xyxy, np.float32).reshape(-1, 4)
    confidence, class_id = np.frombuffer(done.confidence, np.float32), np.frombuffer(done.class_id, np.int32)
    weak = done.weak
    if weak is not None and weak.confidence:
        assert kept.placement is not None
        boxes = np.frombuffer(weak.xyxy, np.float32).reshape(-1, 4)
        boxes = to_source(boxes, kept.placement, (kept.height, kept.width)).astype(np.float32, copy=False)
        found = np.concatenate([sure, boxes])
        confidence = np.concatenate([confidence, np.frombuffer(weak.confidence, np.float32)])
        class_id = np.concatenate([class_id, np.frombuffer(weak.class_id, np.int32)])
    else:
        found = sure
    return Found(
        captured=kept.captured,
        width=kept.width,
        height=kept.height,
        xyxy=found,
        confidence=confidence,
        class_id=class_id,
        sure=len(sure),
        weak_known=weak is not None,
        epoch=kept.epoch,
        seq=kept.seq,
        names=done.names,
        track_id=np.frombuffer(output.track_id, np.int64),
        asked=kept.asked,
        image=kept.image if kept.asked is not None and kept.asked.picture else None,
        detector=done.detector,
        process=done.process,
    )
