"""The words of stream health: what is observed, what is remembered, what is to be done. All values."""

from __future__ import annotations

import math

import msgspec

from vedette.causes import Blame, Cause
from vedette.facts import EndReason
from vedette.health.lasting import Lasting
from vedette.ingest.rtsp.evidence import LinkEvidence

__all__ = [
    "Action",
    "Closed",
    "Ended",
    "Forgive",
    "HangUp",
    "LetGo",
    "Limits",
    "Observation",
    "Opened",
    "Outage",
    "PictureCame",
    "SayBlind",
    "SayDegraded",
    "SayHappened",
    "SayRecovered",
    "SaySees",
    "Snapshot",
    "State",
    "TimestampStep",
]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, and what may be set of the policy."""

    hang_up_after: float = 5.0
    """Of a stall; at least two thresholds."""
    first_frame_within: float = 10.0
    """Of a session that opened."""
    keyframe_within: float = 12.0
    """Of a session that opened and sends frames: longer than almost any camera's keyframes are apart."""
    late_after: float = 1.0
    """Lag, or age of results, beyond which a camera is late."""


# ---- observations


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A look at a camera. Counts are those since the look before, times monotonic seconds, 0.0 = never.

    ``last_arrival``: of a frame, whatever became of it. ``last_picture``: when the newest usable picture came
    out of the decoder. ``threshold``, ``picture_threshold``: silences that are too long
    (:class:`vedette.health.arrivals.Arrivals` of frames and of pictures). ``received``: all that arrived,
    of which ``failed`` gave no picture, ``unready`` waited for a keyframe, ``behind`` found our backlog full,
    and ``given`` went into the decoder. ``lost_packets`` never came. ``backlog``: frames that lie before the
    decoder now. Means in seconds over the frames of the stretch: ``lag``, ``queued``, ``decode``, ``wait``,
    ``age`` (of results; 0.0 = none came).
    """

    last_arrival: float = 0.0
    last_picture: float = 0.0
    threshold: float = 1.0
    picture_threshold: float = 1.0
    received: int = 0
    failed: int = 0
    unready: int = 0
    behind: int = 0
    given: int = 0
    backlog: int = 0
    lag: float = 0.0
    queued: float = 0.0
    decode: float = 0.0
    wait: float = 0.0
    age: float = 0.0
    expired: int = 0
    unanswered: float = 0.0
    """Seconds since the last result, where a detector is there and pictures come."""
    answer_threshold: float = 10.0
    """So long may results be missing (:class:`vedette.health.arrivals.Arrivals` of results)."""
    rate: float = 0.0
    ratio: float = 1.0
    """The rate as a share of the usual one."""
    lost_packets: int = 0
    keyframes: int = 0
    """That arrived whole, whether they were wanted or not."""
    width: int = 0
    height: int = 0
    link: LinkEvidence | None = None
    swamped: bool = False
    """Whether the process that reads it has no rest: what comes lies unread."""
    detector_works: bool = False
    """Whether it looked at any pictures lately, of whatever camera."""
    keyframes_only: bool = False
    """Whether nothing else of the stream is decoded."""

    @property
    def wanted(self) -> int:
        """Of the frames received those that were to become pictures; others are left out on purpose."""
        return self.given + self.failed if self.keyframes_only else self.received


class Opened(msgspec.Struct, frozen=True):
    """A session's stream is understood; frames follow."""

    codec: str


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A session, or an attempt at one, is over. ``blame`` None: what the reason suggests."""

    reason: EndReason
    detail: str = ""
    blame: Blame | None = None
    last_arrival: float = 0.0
    last_picture: float = 0.0
    """As in :class:`Snapshot`: more exact than the last look's."""


class PictureCame(msgspec.Struct, frozen=True):
    """A usable picture, told without waiting for the next look. Need not be told of each."""

    at: float
    width: int
    height: int


class TimestampStep(msgspec.Struct, frozen=True):
    """The stream's clock ran ahead of the arrivals by so many seconds from one frame to the next, or back."""

    seconds: float


class LetGo(msgspec.Struct, frozen=True):
    """In place of a look: nothing of the stream is decoded for the time being, because the machine cannot do
    all and others matter more. Its session stays open."""


class Closed(msgspec.Struct, frozen=True):
    """We closed the camera: paused, removed, changed, finished. Nothing is said of it any more."""


Observation = Snapshot | Opened | Ended | PictureCame | TimestampStep | LetGo | Closed

# ---- actions


class SayBlind(msgspec.Struct, frozen=True):
    since: float
    cause: Cause
    blame: Blame
    detail: str


class SaySees(msgspec.Struct, frozen=True):
    at: float


class SayDegraded(msgspec.Struct, frozen=True):
    since: float
    cause: Cause
    blame: Blame
    detail: str


class SayRecovered(msgspec.Struct, frozen=True):
    cause: Cause


class SayHappened(msgspec.Struct, frozen=True):
    cause: Cause
    blame: Blame
    detail: str


class HangUp(msgspec.Struct, frozen=True):
    """Close the session and connect again; it ended for ``reason``, and that was ``blame``'s doing."""

    reason: EndReason
    detail: str
    blame: Blame


class Forgive(msgspec.Struct, frozen=True):
    """We were late: :meth:`vedette.health.arrivals.Arrivals.forgive`, of frames and of pictures."""


Action = SayBlind | SaySees | SayDegraded | SayRecovered | SayHappened | HangUp | Forgive

# ---- what is remembered


class Outage(msgspec.Struct, frozen=True):
    """What was last said of a camera that is blind."""

    since: float
    cause: Cause
    told: frozenset[tuple[Cause, Blame]]


class Tally(msgspec.Struct, frozen=True):
    """Counts of a session over several looks."""

    received: int = 0
    failed: int = 0
    unready: int = 0
    behind: int = 0
    given: int = 0
    lost_packets: int = 0
    keyframes: int = 0

    def and_those_of(self, shot: Snapshot) -> Tally:
        return Tally(
            received=self.received + shot.received,
            failed=self.failed + shot.failed,
            unready=self.unready + shot.unready,
            behind=self.behind + shot.behind,
            given=self.given + shot.given,
            lost_packets=self.lost_packets + shot.lost_packets,
            keyframes=self.keyframes + shot.keyframes,
        )


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Of one camera. Make one with :func:`vedette.health.stream.began`."""

    began: float
    limits: Limits
    opened_at: float | None = None
    """None: there is no session."""
    ever_opened: bool = False
    seen_at: float | None = None
    """When it was said to see; None until then, and while it is blind."""
    usable_until: float = 0.0
    """No blindness begins before: pictures came, and were said to."""
    outage: Outage | None = None
    hung_up: bool = False
    closed: bool = False
    last_look: float | None = None
    excused_at: float = -math.inf
    last_arrival: float = 0.0
    last_picture: float = 0.0
    picture_threshold: float = 1.0
    tally: Tally = Tally()
    """Since the last usable picture."""
    backlog_since: float | None = None
    damage: float = 0.0
    """Share of the frames that came lately which were damaged."""
    wanted_at: float | None = None
    """When frames that were to become pictures came last, as far as damage goes."""
    damage_tally: Tally = Tally()
    """Since the stream was last whole: pictures may come meanwhile."""
    damaged: Lasting = Lasting()
    unanswered: bool = False
    """Pictures come, and no detector answers."""
    codec: str = ""
    size: tuple[int, int] = (0, 0)
    slow: Lasting = Lasting()
    late: Lasting = Lasting()
    steps: tuple[float, ...] = ()
    """When the stream's clock stepped lately."""
    stepping: bool = False

    def usable(self) -> float:
        """Until when pictures came, as far as is known while a session is open or just ended.

        Where a picture is made of few frames, on purpose, the camera was seen until its last frame came.
        """
        if self.seen_at is None:
            return self.began if self.outage is None else self.outage.since
        counts = self.tally
        troubled = counts.failed or counts.unready or counts.behind
        if troubled and self.last_arrival - self.last_picture > self.picture_threshold:
            return max(self.last_picture, self.usable_until)
        return max(self.last_arrival, self.last_picture, self.usable_until)
