"""What was seen of a chaos run: the faults as they really were, the rows that were told, the results. Values.

All times are monotonic seconds, unless they say otherwise; they are the same in all processes of a machine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vedette.causes import Blame, Cause, Kind
from vedette.sim.faults.kinds import Options

__all__ = ["Results", "Row", "Seen", "Setting", "Struck", "Told"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a camera beforehand, and how much of it the limits depend on. Seconds; ``kbps``: of
    the clip that the camera plays."""

    stall_after: float = 1.0
    hang_up_after: float = 5.0
    late_after: float = 1.0
    connect_timeout: float = 5.0
    fps: float = 25.0
    keyframe_every: float = 2.0
    kbps: float = 500.0


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault of one camera as it really was; one that struck the server is one for each camera. ``ended`` is
    ``began`` where it happened at one moment."""

    id: str
    kind: str
    camera: str
    began: float
    ended: float
    options: Options = field(default_factory=dict)

    @property
    def lasted(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Told:
    """A cause was told of, at the moment at which an observer of the node heard it."""

    at: float
    cause: Cause
    blame: Blame
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger and its story. ``start`` and ``end`` are what the row says; ``end`` None: open.
    ``told``: each cause it was given, in turn; never empty."""

    id: str
    camera: str
    kind: Kind
    start: float
    end: float | None
    told: tuple[Told, ...]

    @property
    def opened(self) -> float:
        """When it was first told of."""
        return self.told[0].at


@dataclass(frozen=True, slots=True)
class Results:
    """Results of one camera in the order in which they came; both of the same length."""

    captured: Sequence[float] = ()
    emitted: Sequence[float] = ()

    def first_captured_from(self, at: float) -> float | None:
        """When the first result of a frame captured at ``at`` or later came."""
        # They leave in the order of their capture.
        place = bisect_left(self.captured, at)
        return self.emitted[place] if place < len(self.emitted) else None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is judged. Of the time from ``since`` (all cameras saw, and were known well) to
    ``until`` (the node was asked to stop). ``settings``: the cameras that are judged, by name."""

    faults: Sequence[Struck]
    rows: Sequence[Row]
    results: Mapping[str, Results]
    settings: Mapping[str, Setting]
    since: float
    until: float
