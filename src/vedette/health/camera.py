"""One camera's health: looks four times a second at what its pipeline noted down, and does what the policies
say. On the event loop of its worker, never on the frame's way."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from vedette.causes import Blame, Cause
from vedette.clock import Clock
from vedette.facts import (
    AnyFact,
    Blind,
    Degraded,
    EndReason,
    Happened,
    Recovered,
    Sees,
    StoodStill,
)
from vedette.frame import Rung, StreamInfo
from vedette.health import stream
from vedette.health.conditions import Ended as PictureBetter
from vedette.health.conditions import PictureHealth, PictureState
from vedette.health.notes import UNANSWERED_S, Notes
from vedette.health.observed import (
    Action,
    Ended,
    Forgive,
    HangUp,
    LetGo,
    Limits,
    Observation,
    Opened,
    PictureCame,
    SayBlind,
    SayDegraded,
    SayHappened,
    SayRecovered,
    SaySees,
    Snapshot,
    TimestampStep,
)
from vedette.health.picture import Features, Look, LookFailed
from vedette.health.view import INFRARED_BELOW, light, likeness, ready
from vedette.ingest.lane import Lane
from vedette.ingest.live import LiveSource
from vedette.ingest.rtsp.evidence import LinkEvidence
from vedette.pipeline import Pipeline
from vedette.workers.protocol import Seen

__all__ = ["CameraHealth"]

PROBE_AT = 0.6
"""Share of a stall's threshold after which the other side is asked for a sign of life: so that the answer, or
its absence, is there when the stall is told."""

KEYFRAMES_MISSED = 2.5
"""Where only keyframes are decoded, a silence of so many intervals between them is one too many."""

STOOD_STILL_S = 2.0
"""Looks are four a second. After so long without one, the stretch is on record."""

OWN_PATIENCE_S = 2.0
"""What a source waits beyond our own limit before it ends a stalled session by itself, should we hang."""


class CameraHealth:
    """``source``: what reads the camera, None where it is a file and nothing is expected of it.

    ``tell`` hears of facts; the pipeline starts an epoch when the camera was moved.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        lane: Lane,
        source: LiveSource | None,
        *,
        clock: Clock,
        tell: Callable[[AnyFact], None],
        detector_since: Callable[[], float | None] = lambda: None,
        detector_works: Callable[[], bool] = lambda: False,
        swamped: Callable[[], bool] = lambda: False,
    ) -> None:
        """``detector_since``: since when there has been a detector, None while there is none: the node knows
        that, and says so."""
        settings = pipeline.settings
        self._pipeline, self._lane, self._source = pipeline, lane, source
        self._notes: Notes = pipeline.notes
        self._clock, self._tell, self._camera = clock, tell, settings.name
        self._stall_after = settings.stall_after
        self._answer_within = max(UNANSWERED_S, 3.0 / settings.max_fps if settings.max_fps else 0.0)
        self._limits = Limits(
            hang_up_after=settings.hang_up_after,
            first_frame_within=max(settings.connect_timeout, settings.hang_up_after),
            late_after=settings.late_after,
        )
        self._stream = stream.began(clock.monotonic(), self._limits)
        self._pictures, self._picture = PictureHealth(), PictureState()
        self._look = Look()
        self._seen: Seen | None = None
        self._before: dict[str, float] = {}
        self._probed_at = 0.0
        self._looked_at = 0.0
        self._keyframes_at = -math.inf
        """When it was seen last that nothing but keyframes is decoded."""
        self._let_go_at = -math.inf
        """When it was seen last that nothing at all is."""
        self._detector_since, self._detector_works = detector_since, detector_works
        self._swamped = swamped
        self._looking = threading.Lock()
        """Pictures may be judged on several threads of a pool: one at a time."""

    def left(self) -> dict[str, Any]:
        """What the next process that has this camera needs to know, to be pickled."""
        return {
            "stream": self._stream,
            "pictures": (self._pictures, self._picture),
            "before": {**self._before, "left_out": 0.0},
            "moments": (self._probed_at, self._looked_at, self._keyframes_at, self._let_go_at),
        }

    def go_on(self, known: dict[str, Any], *, joined: StreamInfo | None) -> None:
        """Begin where another process was. ``joined``: the stream of the session there is; None where one has
        to be opened."""
        self._pictures, self._picture = known["pictures"]
        self._before = known["before"]
        self._probed_at, self._looked_at, self._keyframes_at, self._let_go_at = known["moments"]
        if joined is None:
            return
        self._stream = known["stream"]
        if self._stream.opened_at is None or self._stream.hung_up:
            # The other process had just lost its session, or given it up; this one's is another.
            self._notes.opened(self._clock.monotonic(), joined)

    # ---- the stream

    def look(self) -> None:
        """Called four times a second."""
        notes = self._notes
        while notes.events:
            kind, at, what = notes.events.popleft()
            if self._source is None and kind == "ended" and what.reason is EndReason.ENDED:
                continue  # a file that is over has missed nothing
            self._step(self._observed(kind, at, what), at)
        now = self._clock.monotonic()
        self._mind_the_time(now)
        if self._source is None:
            # A file has nobody who could be late: what matters is that pictures come.
            return
        threshold = notes.arrivals.threshold(self._stall_after)
        self._source.stall_after = max(self._limits.hang_up_after, 2 * threshold) + OWN_PATIENCE_S
        self._probe(now, threshold)
        rung = self._pipeline.rung
        if rung >= Rung.KEYFRAMES:
            self._keyframes_at = now
        if rung is Rung.PAUSED:
            self._let_go_at = now
        self._step(LetGo() if rung is Rung.PAUSED else self._snapshot(now, threshold), now)

    def _mind_the_time(self, now: float) -> None:
        """Nobody is condemned for what we did not look at ourselves; but nobody saw it, either."""
        before, self._looked_at = self._looked_at, now
        stood_still = before and now - before > STOOD_STILL_S and self._stream.seen_at is not None
        if stood_still and self._source is not None:
            detail = f"The process that reads it did nothing for {now - before:.1f} s."
            self._tell(StoodStill(at=now, camera=self._camera, since=before, detail=detail))

    def _picture_threshold(self, now: float) -> float:
        """Seconds without a picture that are too many."""
        usual = self._notes.pictures.threshold(self._stall_after)
        keyframe = KEYFRAMES_MISSED * self._pipeline.keyframe_every or self._limits.keyframe_within
        # Of a camera of which every frame was decoded until a moment ago, what is usual is no measure; nor is
        # it while it waits for the keyframe from which every frame can be decoded again.
        return max(usual, keyframe) if now - self._keyframes_at < keyframe else usual

    def _unanswered(self, now: float) -> float:
        """Seconds without a result although there is a detector, and pictures for it."""
        since, notes = self._detector_since(), self._notes
        if since is None or now - notes.last_picture > self._picture_threshold(now):
            return 0.0
        if notes.last_picture <= notes.last_answer:
            return 0.0  # where pictures are few, it is they that are missing
        return now - max(notes.unanswered_since, notes.opened_at, self._let_go_at, since)

    def _observed(self, kind: str, at: float, what: Any) -> Observation:
        notes = self._notes
        if kind == "opened":
            return Opened(what.codec)
        if kind == "stepped":
            return TimestampStep(what)
        if kind == "picture":
            return PictureCame(at, *what)
        return Ended(
            reason=what.reason,
            detail=what.detail,
            blame=what.blame,
            last_arrival=notes.last_arrival,
            last_picture=notes.last_picture,
        )

    def _snapshot(self, now: float, threshold: float) -> Snapshot:
        notes, since = self._notes, self._since
        decodes, taken, results = since("decodes"), since("taken"), since("results")
        return Snapshot(
            last_arrival=notes.last_arrival,
            last_picture=notes.last_picture,
            threshold=threshold,
            picture_threshold=self._picture_threshold(now),
            received=int(since("received")),
            failed=int(since("broken")),
            unready=int(since("unready")),
            behind=int(since("left_out", self._lane.left_out)),
            given=int(decodes),
            backlog=self._lane.backlog,
            lag=_mean(since("lag_s"), decodes),
            queued=_mean(since("queued_s"), decodes),
            decode=_mean(since("decode_s"), decodes),
            wait=_mean(since("wait_s"), taken),
            age=_mean(since("age_s"), results),
            expired=int(since("expired", self._pipeline.expired)),
            unanswered=self._unanswered(now),
            answer_threshold=notes.answers.threshold(self._answer_within),
            rate=notes.arrivals.rate(now),
            ratio=notes.arrivals.ratio(now),
            lost_packets=int(since("lost_packets")),
            swamped=self._swamped(),
            detector_works=self._detector_works(),
            keyframes=int(since("whole_keyframes", self._notes.keyframes)),
            keyframes_only=self._pipeline.rung is Rung.KEYFRAMES,
            width=notes.size[0],
            height=notes.size[1],
            link=self._evidence() if now - notes.last_arrival > PROBE_AT * threshold else None,
        )

    def _since(self, name: str, total: float | None = None) -> float:
        """How much was added to one of the notes' sums since the last look."""
        total = float(getattr(self._notes, name)) if total is None else float(total)
        before, self._before[name] = self._before.get(name, 0.0), total
        return total - before

    def _probe(self, now: float, threshold: float) -> None:
        """Once in each silence."""
        quiet_since = self._notes.last_arrival
        assert self._source is not None
        if quiet_since and now - quiet_since > PROBE_AT * threshold and self._probed_at < quiet_since:
            self._probed_at = now
            self._source.probe()

    def _evidence(self) -> LinkEvidence | None:
        return self._source.evidence() if self._source is not None else None

    def _step(self, seen: Observation, now: float) -> None:
        outage = self._stream.outage
        since = outage.since if outage else self._stream.began
        self._stream, actions = stream.step(self._stream, seen, now)
        for action in actions:
            self._perform(action, now, since)

    def _cut_since(self, since: float) -> int:
        cuts = self._notes.cuts
        cut = 0
        while cuts:
            at, count = cuts.popleft()
            cut += count if at >= since else 0
        return cut

    def _perform(self, action: Action, now: float, since_when: float) -> None:
        camera = self._camera
        match action:
            case SayBlind(since, cause, blame, detail):
                self._notes.wants_picture = True
                self._tell(Blind(at=now, camera=camera, since=since, cause=cause, blame=blame, detail=detail))
            case SaySees(at):
                cut = self._cut_since(since_when)
                self._tell(Sees(at=at, camera=camera, epoch=self._pipeline.epoch, tracks_cut=cut))
            case SayDegraded(since, cause, blame, detail):
                self._tell(
                    Degraded(at=now, camera=camera, since=since, cause=cause, blame=blame, detail=detail)
                )
            case SayRecovered(cause):
                self._tell(Recovered(at=now, camera=camera, cause=cause))
            case SayHappened(cause, blame, detail):
                self._tell(Happened(at=now, camera=camera, cause=cause, blame=blame, detail=detail))
            case HangUp(reason, detail, blame):
                if self._source is not None:
                    self._source.hang_up(reason, detail, blame)
            case Forgive():
                self._notes.arrivals.forgive()
                self._notes.pictures.forgive()

    # ---- the picture

    def look_at_picture(self) -> None:
        """Judge the picture that the detector took last, or would have but for want of motion, if one is due:
        about once a second."""
        if self._notes.to_look_at is not None and self._looking.acquire(blocking=False):
            try:
                self._judge_picture()
            finally:
                self._looking.release()

    def take_seen(self) -> Seen | None:
        """What the newest picture that was judged looks like; None where that was told before."""
        seen, self._seen = self._seen, None
        return seen

    def _judge_picture(self) -> None:
        image, self._notes.to_look_at = self._notes.to_look_at, None
        if image is None:
            return
        try:
            features = self._look.features(image, int(self._since("keyframes")))
        except LookFailed:
            return  # the next one may be of another kind
        now = self._clock.monotonic()
        self._seen = _seen(features, self._picture)
        self._picture, changes = self._pictures.step(self._picture, features, now)
        for change in changes:
            if isinstance(change, PictureBetter):
                self._tell(Recovered(at=now, camera=self._camera, cause=change.cause))
                continue
            self._tell(
                Degraded(
                    at=now,
                    camera=self._camera,
                    since=change.since,
                    cause=change.cause,
                    blame=Blame.CAMERA,
                    detail=change.detail,
                )
            )
            if change.cause is Cause.MOVED:
                # Where things stood in the old view says nothing about where they stand in the new one.
                self._pipeline.start_epoch("camera_moved")


def _seen(features: Features, known: PictureState) -> Seen:
    reference = known.references[light(features)]
    return Seen(
        luma=features.luma,
        contrast=features.contrast,
        sharpness=features.sharpness,
        likeness=likeness(features, reference) if reference is not None and ready(reference) else math.nan,
        infrared=features.colour < INFRARED_BELOW,
    )


def _mean(total: float, count: float) -> float:
    return total / count if count else 0.0
