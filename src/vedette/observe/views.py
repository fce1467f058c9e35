"""A node at one moment, as plain values: what the table shows and the report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage

__all__ = [
    "AccuracyView",
    "AgreedView",
    "AlertView",
    "CameraView",
    "CanaryView",
    "DriftView",
    "Frames",
    "Histograms",
    "LiveView",
    "NodeView",
    "Percentiles",
    "ShadowFigures",
    "ShadowView",
    "SinkView",
    "ValidationView",
    "WorkerView",
]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of durations, in milliseconds. All 0 while nothing was measured."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(frozen=True, slots=True)
class Frames:
    """A camera's frames since the start. ``received`` is the sum of all others."""

    received: int = 0
    analysed: int = 0
    superseded: int = 0
    expired: int = 0
    skipped: int = 0
    failed: int = 0
    orphaned: int = 0
    in_flight: int = 0

    def __add__(self, other: Frames) -> Frames:
        return Frames(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class DriftView:
    """``stage``: learning, watching, unseen, changed or suspected. ``learnt``: 0…1. ``light``: in words.
    ``evidence``: camera-days between two false suspicions at which one would be told now.

    ``since``: Unix seconds; of a suspicion, when the loss most likely began. ``suspicions``: since the start.
    ``measure``, ``direction``, ``usual``, ``lately``: what a suspicion rests on, and what it was when it was
    told; None where that window had none. ``lights``: hours of data of each known light, in words;
    ``unknown``: those of lights that are not known yet. ``missing_s``: seconds of watching until learning is
    over.
    """

    stage: str
    learnt: float
    light: str
    evidence: float
    since: float = 0.0
    suspicions: int = 0
    measure: str = ""
    direction: str = ""
    usual: float | None = None
    lately: float | None = None
    lights: Mapping[str, float] = field(default_factory=dict)
    unknown: Mapping[str, float] = field(default_factory=dict)
    missing_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AccuracyView:
    """By the last reviewed frames of a camera, or of a whole ``site`` (``camera`` is empty then).

    ``measure``: precision or recall. ``value``, ``lower``, ``upper``: 0…1, None while there are too few
    ``frames``. ``floor``: what it must not fall below, None where nobody said. ``lost``: reviews say for sure
    that it does, since ``since`` (Unix seconds).
    """

    measure: str
    camera: str = ""
    site: str = ""
    frames: int = 0
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    floor: float | None = None
    lost: bool = False
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class AlertView:
    """Something people are to know of, and that is not over. ``rule``: which rule of the alerts it comes
    from; ``severity``: info, warning or critical. ``since``: Unix seconds. ``text``: as messages have it.
    ``camera``, ``site``, ``worker``: what it is about; empty where it is about none of that kind, or several.
    ``cameras``: all that it is about."""

    rule: str
    severity: str
    since: float
    text: str
    camera: str = ""
    site: str = ""
    worker: str = ""
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraView:
    """One camera. ``fps_in``, ``fps_analysed``: frames a second; lately in the table, in all in the report.

    ``state``: connecting, live, waiting, paused, finished or removed. ``objects``: how many of each class are
    in the newest result; None while nothing is seen of it, or nothing was analysed yet. ``last_end_reason``:
    why the last session ended, None before the first end. ``epoch`` is -1 before the first session.
    """

    name: str
    state: str = "connecting"
    frames: Frames = Frames()
    age_ms: Percentiles = Percentiles()
    fps_in: float = 0.0
    fps_analysed: float = 0.0
    objects: Mapping[str, int] | None = None
    epoch: int = -1
    sessions: int = 0
    last_end_reason: str | None = None
    blind: str | None = None
    """Why it is not seen now, a :class:`vedette.causes.Cause`; None while it is."""
    blame: str | None = None
    degraded: tuple[str, ...] = ()
    """What is wrong with its pictures now."""
    drift: DriftView | None = None
    """How the detector does on it; None where that is not watched, or nothing was seen yet."""
    accuracy: tuple[AccuracyView, ...] = ()
    """By what people reviewed of it; empty where nobody did."""
    review: Mapping[tuple[str, str], int] | None = None
    """Frames for review by stream (``uniform``, or a reason) and what became of them: kept, no_room, failed.
    None where no frames are kept."""
    gaps: int = 0
    """How often it was blind, since the start."""
    blind_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds it was blind, by cause."""
    endings: Mapping[str, int] = field(default_factory=dict)
    """Frames by where and how they ended (:class:`vedette.endings.Ending`); only those that occurred."""
    step: str = "full"
    """The ladder's: full, fewer, reference, keyframes or paused."""
    decodes: str = "all"
    """What is decoded of its stream now: all, reference, keyframes or paused."""
    lag_ms: float = 0.0
    """From capture to arrival, smoothed."""
    backlog: int = 0
    """Frames that wait to be decoded."""
    kept: int = 0
    """Decoded frames that wait to be chosen."""
    width: int = 0
    height: int = 0
    priority: float = 1.0
    stages_ms: Mapping[str, Percentiles] = field(default_factory=dict)
    """By stage, since the start; only where details were asked for."""
    canary: str = ""
    """The model that detects for it now as a canary; empty where the node's detector does."""
    site: str = ""
    """Where it stands, by its settings."""
    since: float | None = None
    """Since when it is blind for that reason, or degraded: Unix seconds; None while it is neither. Paused:
    since when somebody wants that, which may be before the node started."""
    doing: str = ""
    """What the node is doing about it, in words for people; empty where there is nothing to do."""
    detail: str = ""
    """What is known of why it is blind beyond ``blind``, or of how its clip ended, in words; may be empty."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One of the node's processes. ``kind``: camera, inference; or canary, shadow, for those of candidates.

    ``busy``: share of the last second in which its own loop (the detector's thread of an inference worker)
    had no rest. ``waited``: the part of it in which it got no core. ``late_ms``: the most that a turn of its
    loop was late. ``outbox``: messages that the node has not taken. ``cameras``: how many it reads; or, as a
    canary, detects for.
    ``usage``: what it has and costs, None before it was read for the first time; ``peak``: the most it had.
    ``post``: the name of the first one that had its work. ``replacements`` of those that had it, as planned,
    by reason; ``deaths`` of those nobody had planned. ``quarantined``: it died so often that it is not
    started for a while. ``leaks``: what it leaks for sure, by measure, an hour: bytes, or how many.

    Of candidates: ``model``, and ``beside`` which detector it is tried. ``ran_s``: seconds since it had its
    cameras, or was shown frames; 0.0 while it is loaded.
    """

    name: str
    kind: str
    pid: int | None = None
    busy: float = 0.0
    waited: float = 0.0
    late_ms: float = 0.0
    outbox: int = 0
    cameras: int = 0
    usage: ProcessUsage | None = None
    peak: Peak = field(default_factory=Peak)
    post: str = ""
    replacements: Mapping[str, int] = field(default_factory=dict)
    deaths: int = 0
    quarantined: bool = False
    leaks: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    beside: str = ""
    ran_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SinkView:
    """Results that a sink wrote, and that it could not take. ``expired``: those of live cameras that had
    grown too old by the time the sink was free. ``waiting``: for it now."""

    name: str
    written: int = 0
    dropped: int = 0
    failed: int = 0
    expired: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class ValidationView:
    """What was last said of the detector at work on labelled pictures. ``at``: Unix seconds. ``figures``: ap,
    ap50, ap75, recall, precision, each with the interval it lies in; None where there is nothing to say.
    ``problems``: why it did not pass; empty where it did."""

    at: float
    dataset: str
    pictures: int
    model: str
    figures: Mapping[str, tuple[float | None, float | None, float | None]]
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class ShadowFigures:
    """What a candidate came to, on one camera or on all.

    ``frames``: that both have seen. ``both``, ``only_running``, ``only_candidate``: boxes. ``agreement``: 2 ×
    both / (2 × both + the others), from ``lower`` to ``upper`` with 95%, over so many ``stretches`` of ten
    seconds with something in them; None while neither has found anything. ``took_ms``: that the candidate had
    a frame; ``took_s``: in all. ``failed``: frames on which it failed. ``left_out``: frames drawn that it was
    not shown: ``busy`` (no room), ``load`` (the node had enough to do), ``ended`` (not analysed after all),
    ``superseded`` (a newer one took its place).
    """

    frames: int = 0
    both: int = 0
    only_running: int = 0
    only_candidate: int = 0
    agreement: float | None = None
    lower: float | None = None
    upper: float | None = None
    stretches: int = 0
    took_ms: Percentiles = Percentiles()
    took_s: float = 0.0
    failed: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShadowView:
    """The candidate that is shown frames, or was last. ``state``: starting, looking, waiting (the node has
    enough to do: ``detail`` says what) or ended (``why``: a :class:`vedette.supervise.shadow.Ended`).
    ``ran_s``: since it was ready, or from then until it ended; ``waited_s`` of that. ``left_s``: until its
    time is over. ``cpu_s``: of its process, as last read. ``beside``: the detector it is compared with."""

    model: str
    detector: str
    state: str
    why: str | None
    detail: str
    share: float
    ran_s: float
    waited_s: float
    left_s: float
    cpu_s: float
    in_all: ShadowFigures
    cameras: Mapping[str, ShadowFigures]
    sha256: str = ""
    """Of the file that it was loaded from, which may be another by now."""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class AgreedView:
    """How far a candidate agreed with the detector at work when it was shown ``frames``: ``value``, from
    ``lower`` to ``upper`` with 95%."""

    frames: int
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class CanaryView:
    """The candidate that detects for some cameras, or was last. ``state``: examined (it is held to labelled
    pictures), starting, detecting, taking_over (it is being made the detector of all), returning (it gives
    its cameras back) or ended (``why``: a :class:`vedette.supervise.canary.Ended`). ``ran_s``: since it had
    its cameras, or from then until it ended; ``left_s``: until its time is over. ``then``: back or set.
    ``frames``, ``boxes``: results, and what was in them. ``busy``: share of the last second in which it
    looked at frames.

    ``beside``: the detector that had these cameras before, and has the others. What to compare it with:
    ``before_frames``, ``before_boxes``, results of that one, of the same cameras, while this one was loaded;
    ``took_ms`` that frames are in the canary's network, ``beside_took_ms`` in that one's at the same time.
    ``agreed``: when this very model was shown frames beside that one; None where it was not."""

    model: str
    detector: str
    cameras: tuple[str, ...]
    state: str
    why: str | None
    detail: str
    then: str
    ran_s: float
    left_s: float
    frames: int
    boxes: int
    busy: float
    sha256: str = ""
    """Of the file that it was loaded from, which may be another by now."""
    beside: str = ""
    before_frames: int = 0
    before_boxes: int = 0
    took_ms: Percentiles = Percentiles()
    beside_took_ms: Percentiles = Percentiles()
    agreed: AgreedView | None = None


@dataclass(frozen=True, slots=True)
class LiveView:
    """Live pictures, since the start. ``cameras``: that somebody looks at now. ``made``: pictures that came
    from workers. ``dropped``: those of them that were left out, by why: ``slow`` (a viewer took its pictures
    more slowly than they came; counted for each such viewer), ``no_room`` (too large, or too many)."""

    cameras: int = 0
    made: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodeView:
    """The whole node. ``uptime_s``: since it was started. ``cpu_percent``: of one core, all processes.

    ``stages_ms``: by stage (lag, decode, wait, convert, infer, postprocess, track, emit), and ``stages_s``:
    the sum of the time that frames spent in each, since the start; ``stages_lately_ms``: over the last
    ``lately_s`` only. ``pss_mb``: memory of all processes,
    each shared page counted once. ``queued``: batches that wait for the detector. ``input_size``: of the
    detector now, (height, width) in pixels. ``cpu_busy``: share of the machine's cores in use, by anybody.
    ``usage``: of the node's own process, which is that of whoever started it from Python; ``peak``: the most
    it had. ``machine``: what is left. Both None before they were read for the first time.
    """

    cameras: tuple[CameraView, ...] = ()
    uptime_s: float = 0.0
    analysed_per_s: float = 0.0
    cpu_percent: float = 0.0
    cpu_s: float = 0.0
    pss_mb: float = 0.0
    pss_peak_mb: float = 0.0
    detector: str = ""
    stages_ms: Mapping[str, Percentiles] = field(default_factory=dict)
    sinks: tuple[SinkView, ...] = ()
    workers: tuple[WorkerView, ...] = ()
    stages_s: Mapping[str, float] = field(default_factory=dict)
    queued: int = 0
    batches: int = 0
    input_size: tuple[int, int] = (0, 0)
    cpu_busy: float = 0.0
    max_age_s: float = 1.0
    usage: ProcessUsage | None = None
    peak: Peak = field(default_factory=Peak)
    machine: MachineUsage | None = None
    validation: ValidationView | None = None
    """None where the detector at work was not held to labelled pictures yet."""
    sites: tuple[AccuracyView, ...] = ()
    """Accuracy of whole sites, by what people reviewed."""
    drift: bool = False
    """Whether the detector is watched for drift at all."""
    precision: str = ""
    """In which the detector computes; empty where that is not known."""
    shadow: ShadowView | None = None
    """None where no candidate was ever shown frames."""
    canary: CanaryView | None = None
    """None where none ever detected for some cameras."""
    alerts: tuple[AlertView, ...] = ()
    """What people are to know of now, the most severe first."""
    live: LiveView = field(default_factory=LiveView)
    stages_lately_ms: Mapping[str, Percentiles] = field(default_factory=dict)
    lately_s: float = 0.0

    @property
    def frames(self) -> Frames:
        """Of all cameras together."""
        return sum((camera.frames for camera in self.cameras), Frames())


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """Counts since the start, in the buckets of :mod:`vedette.histogram`.

    ``stages``: u8 [stages, BUCKETS] of the whole node, in the order of ``stage_names``. ``ages``: u4
    [cameras, BUCKETS], and ``camera_stages``: u4 [cameras, stages, COARSE_BUCKETS], in the order of
    ``cameras``.
    """

    stage_names: tuple[str, ...]
    cameras: tuple[str, ...]
    stages: npt.NDArray[np.uint64] | npt.NDArray[np.uint32]
    ages: npt.NDArray[np.uint32]
    camera_stages: npt.NDArray[np.uint32]

    @classmethod
    def none(cls, stage_names: tuple[str, ...]) -> Histograms:
        """Of a node that has not begun."""

        def zeros(*shape: int) -> Any:
            return np.zeros(shape, np.uint32)

        stages = len(stage_names)
        return cls(stage_names, (), zeros(stages, 1), zeros(0, 1), zeros(0, stages, 1))
