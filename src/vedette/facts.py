"""Small frozen values that say something happened. The pipeline emits them; observers consume them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from vedette.causes import Blame, Cause, Kind

__all__ = [
    "Alerted",
    "AnyFact",
    "Blind",
    "CameraAdded",
    "CameraFinished",
    "CameraPaused",
    "CameraRemoved",
    "CameraRestarted",
    "CameraResumed",
    "CanaryEnded",
    "CanaryStarted",
    "ConditionsKnown",
    "ConditionsUnseen",
    "Degraded",
    "DriftLearnt",
    "DriftReset",
    "EndReason",
    "EpochStarted",
    "Fact",
    "Figure",
    "Gap",
    "GapChanged",
    "GapClosed",
    "GapOpened",
    "Happened",
    "Incident",
    "IncidentClosed",
    "IncidentOpened",
    "Isolated",
    "LossConfirmed",
    "LossOver",
    "LossSuspected",
    "ModelGated",
    "Outcome",
    "PictureChanged",
    "Quarantined",
    "Recovered",
    "Released",
    "ReplacementFailed",
    "ReplacementPostponed",
    "Resized",
    "Sees",
    "SessionEnd",
    "SessionEnded",
    "SessionOpened",
    "ShadowEnded",
    "ShadowReported",
    "ShadowStarted",
    "Stepped",
    "StoodStill",
    "SuspicionOver",
    "TracksEnded",
    "Trouble",
    "ValidationFailed",
    "ValidationPassed",
    "ValidationPostponed",
    "WorkerEnded",
    "WorkerReplaced",
    "WorkerStarted",
]


class EndReason(StrEnum):
    """Why a session ended. Exactly one each."""

    ENDED = "ended"
    """The stream ran out, or the other side closed it in order."""
    REFUSED = "refused"
    """The other side was there and said no (connection refused, 404, 5xx)."""
    UNAUTHORISED = "unauthorised"
    UNREACHABLE = "unreachable"
    """Nothing answered: no route, connect timed out."""
    NAME_UNKNOWN = "name_unknown"
    TLS = "tls"
    """No encrypted connection came about, or the certificate does not hold."""
    CONNECTION_LOST = "connection_lost"
    """The connection broke in the middle."""
    STALLED = "stalled"
    """Connected, and nothing came any more."""
    CORRUPT = "corrupt"
    """What came cannot be read as what it claims to be."""
    UNSUPPORTED = "unsupported"
    """Understood, but not something we can decode (codec, transport)."""
    CLOSED = "closed"
    """Closed by us."""
    WORKER_LOST = "worker_lost"


class Outcome(StrEnum):
    """How a received frame ended. Exactly one each."""

    ANALYSED = "analysed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    FAILED = "failed"
    ORPHANED = "orphaned"


class SessionEnd(msgspec.Struct, frozen=True):
    """The last word of a session: its reason, and a detail for people (credentials taken out).

    ``blame``: whose doing it was, where there is evidence beyond the reason itself; the detail names it.
    """

    reason: EndReason
    detail: str = ""
    blame: Blame | None = None


class Fact(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all facts. ``at``: monotonic seconds."""

    at: float


class SessionOpened(Fact, frozen=True):
    camera: str
    codec: str
    width: int
    height: int


class SessionEnded(Fact, frozen=True):
    """``retry_in``: seconds until the next attempt, or None where there is none."""

    camera: str
    reason: EndReason
    detail: str
    frames: int
    retry_in: float | None


class EpochStarted(Fact, frozen=True):
    """Tracking state of a camera was reset; no track id lives on from before."""

    camera: str
    epoch: int
    reason: str


class TracksEnded(Fact, frozen=True):
    """Tracks that were open when their epoch ended (``stream_gap``, ``camera_moved``…)."""

    camera: str
    epoch: int
    track_ids: list[int]
    reason: str


# What a camera's worker sees of its health. ``at`` is when it became sure, ``since`` when it began.


class Blind(Fact, frozen=True):
    """The camera gives no usable picture since ``since`` (monotonic s). Said again when more is known."""

    camera: str
    since: float
    cause: Cause
    blame: Blame
    detail: str = ""


class Sees(Fact, frozen=True):
    """The first usable picture after the start, or after ``Blind``; captured and arrived by ``at``."""

    camera: str
    epoch: int
    tracks_cut: int = 0


class Degraded(Fact, frozen=True):
    """Something is wrong with the pictures since ``since``. Also for causes that blind (frozen, dark…)."""

    camera: str
    since: float
    cause: Cause
    blame: Blame
    detail: str = ""


class Recovered(Fact, frozen=True):
    """That is over."""

    camera: str
    cause: Cause


class Happened(Fact, frozen=True):
    """Something of kind ``event`` happened to the stream."""

    camera: str
    cause: Cause
    blame: Blame
    detail: str = ""


class StoodStill(Fact, frozen=True):
    """We did nothing for this camera from ``since`` to ``at``, and do again: nobody looked meanwhile."""

    camera: str
    since: float
    detail: str


# What the node makes of it.


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger. ``start``, ``end``: microseconds since 1970, UTC; ``end`` None while it is open.

    Of one camera, rows of kind ``blind`` never overlap. ``frames_missed`` is estimated from the camera's own
    rate; None where that is not known.
    """

    id: str
    camera: str
    kind: Kind
    start: int
    end: int | None = None
    cause: Cause
    blame: Blame
    detail: str = ""
    frames_missed: int | None = None
    tracks_cut: int = 0
    epoch_before: int | None = None
    epoch_after: int | None = None
    incident: str | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Cameras that went within seconds of each other, and what they have in common.

    ``scope``: ``host 10.0.0.5``, ``subnet 10.0.0.0/24`` or ``worker cameras-0``. ``end`` None while any of
    its gaps is open.
    """

    id: str
    scope: str
    start: int
    end: int | None = None
    cause: Cause
    """The one most of its cameras have."""
    cameras: list[str]


class GapOpened(Fact, frozen=True):
    gap: Gap


class GapChanged(Fact, frozen=True):
    """More is known about an open gap."""

    gap: Gap


class GapClosed(Fact, frozen=True):
    gap: Gap


class IncidentOpened(Fact, frozen=True):
    """Also told when more cameras join it."""

    incident: Incident


class IncidentClosed(Fact, frozen=True):
    incident: Incident


class Alerted(Fact, frozen=True):
    """People were told of something, or would have been had anybody been named. ``severity``: info, warning
    or critical. ``resolved``: it is over."""

    severity: str
    title: str
    body: str
    cameras: list[str]
    resolved: bool


class CameraAdded(Fact, frozen=True):
    """A camera is watched from now on: at the start, or added while running."""

    camera: str
    host: str


class CameraRemoved(Fact, frozen=True):
    """Nobody is responsible for this camera any more."""

    camera: str


class CameraPaused(Fact, frozen=True):
    """An operator does not want it watched for now. It stays ours. ``tracks``: that were open."""

    camera: str
    detail: str = ""
    tracks: int = 0


class CameraResumed(Fact, frozen=True):
    camera: str


class CameraRestarted(Fact, frozen=True):
    """An operator has its session opened anew. ``tracks``: that were open."""

    camera: str
    detail: str = ""
    tracks: int = 0


class CameraFinished(Fact, frozen=True):
    """A source that ends (a file) has ended; nothing was missed after that."""

    camera: str
    reason: EndReason
    detail: str


class Trouble(Fact, frozen=True):
    """Something went wrong that ends no session: a detector raised, a sink cannot write."""

    where: str
    message: str
    camera: str | None = None


class Stepped(Fact, frozen=True):
    """The ladder moved cameras from step ``was`` to ``step``: full, fewer, reference, keyframes or paused.

    ``why``: a sentence with the numbers that led to it. Facts that follow say it of each camera.
    """

    cameras: list[str]
    was: str
    step: str
    why: str
    wanted: bool = False
    """It is only what the configuration asks for: nothing is lacking."""


class Resized(Fact, frozen=True):
    """The detector's input has another size now, in pixels."""

    height: int
    width: int
    why: str


class WorkerStarted(Fact, frozen=True):
    worker: str
    pid: int


class WorkerEnded(Fact, frozen=True):
    """``planned`` is False for crashes and kills. ``since``: when it last showed that it worked (monotonic
    seconds). ``tracks``: its cameras, and how many tracks each had open."""

    worker: str
    exit_code: int | None
    planned: bool
    detail: str
    since: float = 0.0
    tracks: dict[str, int] = {}


class Quarantined(Fact, frozen=True):
    """A worker died too often: it is not started again for ``again_in`` seconds. ``why``: how often it died;
    ``detail``: how it ended the last time. ``cameras``: those that nobody reads meanwhile; of a detector,
    none is named."""

    worker: str
    why: str
    again_in: float
    detail: str
    cameras: list[str]


class Released(Fact, frozen=True):
    """A worker that was in quarantine has lived for a while."""

    worker: str


class Isolated(Fact, frozen=True):
    """A camera whose stream brought down who decoded it is read by a worker of its own from now on."""

    camera: str
    worker: str
    why: str


class WorkerReplaced(Fact, frozen=True):
    """As planned: another process took over and nothing was lost. ``reason``: a
    :class:`vedette.supervise.recycle.Reason`; ``took``: seconds until the old one was gone."""

    worker: str
    reason: str
    detail: str
    pid: int
    took: float


class ReplacementPostponed(Fact, frozen=True):
    """It is to be replaced, and cannot be now; it will be when that has changed."""

    worker: str
    reason: str
    why: str


class ReplacementFailed(Fact, frozen=True):
    """The one that was to take over could not; the old one goes on."""

    worker: str
    reason: str
    why: str


# How the detector does on a camera. ``at`` and ``since`` are monotonic seconds, like all others.


class DriftLearnt(Fact, frozen=True):
    """What is usual for a camera is known, in these lights (in words)."""

    camera: str
    lights: list[str]


class DriftReset(Fact, frozen=True):
    """It is learnt anew: ``why`` is model, moved or command."""

    camera: str
    why: str


class ConditionsUnseen(Fact, frozen=True):
    """For a while now it has been a light, or a light at an hour, for which nothing was learnt: whether the
    detector does worse in it, nobody knows."""

    camera: str
    since: float
    light: str
    hour: int


class ConditionsKnown(Fact, frozen=True):
    """That is over."""

    camera: str
    since: float


class LossSuspected(Fact, frozen=True):
    """The detector probably does worse on this camera than it did: worth a look, never a page.

    ``since``: when it most likely began. ``measure``, ``direction``: what says so most (``weak``, ``up``).
    ``usual``: its mean in this light, ``lately``: in the last ten seconds, NaN where that had none.
    ``evidence``: camera-days between two false ones, at which this would just have been told.
    """

    camera: str
    since: float
    measure: str
    direction: str
    usual: float
    lately: float
    light: str
    evidence: float


class PictureChanged(Fact, frozen=True):
    """Its pictures are unlike what they were (``measure``: sharpness, contrast or edges); of what is found in
    them nobody can say so. It may cost nothing. The rest as in :class:`LossSuspected`."""

    camera: str
    since: float
    measure: str
    direction: str
    usual: float
    lately: float
    light: str
    evidence: float


class SuspicionOver(Fact, frozen=True):
    """It has looked as usual again for a while; or what is usual is learnt anew (``reset``)."""

    camera: str
    since: float
    reset: bool


# The detector held to labelled pictures.


class Figure(msgspec.Struct, frozen=True):
    """A share, and the interval it lies in; None where there is nothing to say."""

    value: float | None
    low: float | None = None
    high: float | None = None


class ModelGated(Fact, frozen=True):
    """Another detector was to take over, or as a canary some cameras. ``outcome``: ``passed`` or ``refused``
    on labelled pictures; ``same``, there is nothing to compare; ``forced``, and nobody looked; ``not_held``,
    there is no gate, or it came in by itself: its file took the place of another one, and a worker was
    started anew."""

    model: str
    outcome: str
    why: str


class ValidationPassed(Fact, frozen=True):
    """The detector at work is as good as it should be on ``pictures`` labelled pictures. ``run``: the file
    that was kept of it; ``figures``: ap, ap50, recall…; ``remarks``: what to know when reading them."""

    run: str
    dataset: str
    pictures: int
    model: str
    figures: dict[str, Figure]
    remarks: list[str]


class ValidationFailed(Fact, frozen=True):
    """It is not: ``problems`` says what lies below a floor, or below the baseline."""

    run: str
    dataset: str
    pictures: int
    model: str
    figures: dict[str, Figure]
    problems: list[str]


class ValidationPostponed(Fact, frozen=True):
    """It was to be validated ``since`` (monotonic seconds), and there is no idle capacity: ``why``."""

    since: float
    why: str


# Accuracy, by what people reviewed.


class LossConfirmed(Fact, frozen=True):
    """Reviewed frames say beyond doubt that the detector is below its floor on a camera, or on a whole site.

    ``camera``: empty for a site; ``cameras``: of whom it is. ``measure``: recall or precision, since the
    review that made it sure (``since``, monotonic seconds). ``value``: in the ``frames`` that say so;
    ``lower``, ``upper``: the interval that holds at ``level`` however often it is looked at. ``known``: it
    was told before, and the node was restarted since.
    """

    camera: str
    site: str
    cameras: list[str]
    measure: str
    model: str
    since: float
    value: float
    lower: float
    upper: float
    floor: float
    level: float
    frames: int
    known: bool = False


class LossOver(Fact, frozen=True):
    """``why``: what was reviewed since is at the floor ``again``, another ``model`` detects, somebody changed
    the ``floor``, or the camera is ``gone``."""

    camera: str
    site: str
    measure: str
    why: str


# A candidate is shown what the detector at work sees.


class ShadowStarted(Fact, frozen=True):
    """``model``: its file, or ``package.module:Class``. ``detector``: what it says it is. ``share``: of the
    analysed frames. ``lasts``: seconds."""

    model: str
    detector: str
    share: float
    lasts: float


class ShadowReported(Fact, frozen=True):
    """How far it agrees by now. ``frames``: that both have seen; ``both``, ``only_running``,
    ``only_candidate``: boxes. ``agreement``: 0…1, from ``lower`` to ``upper`` with 95%; None while neither
    has found anything. ``took_ms``: that it has a frame, nine of ten less. ``left_out``: frames drawn that it
    was not shown, by why."""

    model: str
    frames: int
    both: int
    only_running: int
    only_candidate: int
    agreement: float | None
    lower: float | None
    upper: float | None
    took_ms: float
    failed: int
    left_out: dict[str, int]


class ShadowEnded(Fact, frozen=True):
    """``why``: a :class:`vedette.supervise.shadow.Ended`. Its figures were reported just before, if it had
    started at all. ``lasted``: seconds since it was ready; 0.0 = it never was."""

    model: str
    why: str
    detail: str
    lasted: float = 0.0


# A canary detects for some cameras.


class CanaryStarted(Fact, frozen=True):
    """Another model detects for these cameras from now on, for ``lasts`` seconds. ``model``, ``detector``: as
    in ShadowStarted. ``then``: ``back``, or ``set`` where it is to detect for all."""

    model: str
    detector: str
    cameras: list[str]
    lasts: float
    then: str


class CanaryEnded(Fact, frozen=True):
    """The detector has these cameras again, or never lost them. ``why``: a
    :class:`vedette.supervise.canary.Ended`; ``set`` means that it is the detector itself by now, and
    ``detail`` is what labelled pictures said of it. ``frames``, ``boxes``: of its results. ``lasted``:
    seconds for which it had them; 0.0 = it never did."""

    model: str
    cameras: list[str]
    why: str
    detail: str
    frames: int
    boxes: int
    lasted: float = 0.0


AnyFact = (
    SessionOpened
    | SessionEnded
    | EpochStarted
    | TracksEnded
    | Blind
    | Sees
    | Degraded
    | Recovered
    | Happened
    | StoodStill
    | GapOpened
    | GapChanged
    | GapClosed
    | IncidentOpened
    | IncidentClosed
    | Alerted
    | CameraAdded
    | CameraRemoved
    | CameraPaused
    | CameraResumed
    | CameraRestarted
    | CameraFinished
    | Trouble
    | Stepped
    | Resized
    | WorkerStarted
    | WorkerEnded
    | Quarantined
    | Released
    | Isolated
    | WorkerReplaced
    | ReplacementFailed
    | ReplacementPostponed
    | DriftLearnt
    | DriftReset
    | ConditionsUnseen
    | ConditionsKnown
    | LossSuspected
    | PictureChanged
    | SuspicionOver
    | ModelGated
    | ValidationPassed
    | ValidationFailed
    | ValidationPostponed
    | LossConfirmed
    | LossOver
    | ShadowStarted
    | ShadowReported
    | ShadowEnded
    | CanaryStarted
    | CanaryEnded
)
