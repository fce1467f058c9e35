"""A node at one moment, as plain values: what the table shows and the report is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CameraView", "Frames", "NodeView", "Percentiles", "SinkView"]


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
class CameraView:
    """One camera. ``fps_in``, ``fps_analysed``: frames a second; lately in the table, in all in the report.

    ``state``: connecting, live, waiting or finished. ``objects``: how many of each class are in the newest
    result. ``last_end_reason``: why the last session ended, None before the first end. ``epoch`` is -1
    before the first session.
    """

    name: str
    state: str = "connecting"
    frames: Frames = Frames()
    age_ms: Percentiles = Percentiles()
    fps_in: float = 0.0
    fps_analysed: float = 0.0
    objects: Mapping[str, int] = field(default_factory=dict)
    epoch: int = -1
    sessions: int = 0
    last_end_reason: str | None = None
    blind: str | None = None
    """Why it is not seen now, a :class:`vedette.causes.Cause`; None while it is."""
    blame: str | None = None
    degraded: tuple[str, ...] = ()
    """What is wrong with its pictures now."""
    gaps: int = 0
    """How often it was blind, since the start."""
    blind_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds it was blind, by cause."""


@dataclass(frozen=True, slots=True)
class SinkView:
    """Results that a sink wrote, and that it could not take."""

    name: str
    written: int = 0
    dropped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class NodeView:
    """The whole node. ``uptime_s``: since it was started. ``cpu_percent``: of one core, all processes.

    ``stages_ms``: by stage (decode, convert, wait, infer, track, emit). ``pss_mb``: memory of all processes,
    each shared page counted once.
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

    @property
    def frames(self) -> Frames:
        """Of all cameras together."""
        return sum((camera.frames for camera in self.cameras), Frames())
