"""The words of the ladder: steps that a camera can be on, what is seen of the load, and what is to be done.

All values; :mod:`vedette.ladder.policy` decides, the node performs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vedette.frame import Rung

__all__ = ["Action", "CameraLoad", "Load", "Move", "Resize", "Step"]


class Step(IntEnum):
    """From everything to nothing. Each includes the ones before it."""

    FULL = 0
    FEWER = 1
    """Analysed at most half as often as it was."""
    REFERENCE = 2
    """Only frames that others are predicted from are decoded."""
    KEYFRAMES = 3
    PAUSED = 4

    @property
    def rung(self) -> Rung:
        """The most that is decoded on this step."""
        return _RUNGS[self]


_RUNGS = {
    Step.FULL: Rung.ALL,
    Step.FEWER: Rung.ALL,
    Step.REFERENCE: Rung.REFERENCE,
    Step.KEYFRAMES: Rung.KEYFRAMES,
    Step.PAUSED: Rung.PAUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLoad:
    """A live camera as it was in the last second or so. Rates are per second, times seconds.

    ``fps_in``: frames that arrived. ``analysed``: results. ``superseded``: pictures that a newer one took the
    place of before the detector was free. ``decode``: time in the decoder per frame. ``lag``: from capture to
    arrival. ``backlog``: frames that wait to be decoded. ``left_out``: frames a second that the backlog had
    no room for. ``decoded``: frames that went into the decoder, None = not known. ``keyframe_every``: time
    between keyframes, 0 = not known. ``max_fps``: what the configuration allows, None = no limit. ``rung``:
    the most it lets be decoded.
    """

    name: str
    worker: int = 0
    weight: float = 1.0
    fps_in: float = 0.0
    analysed: float = 0.0
    superseded: float = 0.0
    decode: float = 0.0
    lag: float = 0.0
    backlog: int = 0
    left_out: float = 0.0
    decoded: float | None = None
    keyframe_every: float = 0.0
    max_fps: float | None = None
    rung: Rung = Rung.ALL
    live: bool = True
    """Whether its session is open. One that is away is not thinned, and counts for nobody's priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The node in the last second or so.

    ``cameras``: those that are live (and those the ladder has paused). ``busy``: by camera worker, the share
    of the time in which its loop had no rest: it ran, or waited for a core. ``waited``: that second part by
    itself. ``late``: by camera worker, seconds that a turn of its loop was late at most. ``cpu``: share of
    the machine's cores in use, by anybody. ``age``: 95th percentile of the results' ages in seconds without
    their lag (a slow network is no reason to do less), 0.0 = no results. ``expired``: share of the frames
    received that grew too old with us. ``detector``: share of the time in which the detector ran. ``sizes``:
    how many smaller inputs it can have; ``size``: the one it has, 0 = full. ``max_age``: seconds.
    """

    cameras: tuple[CameraLoad, ...]
    busy: tuple[float, ...] = ()
    waited: tuple[float, ...] = ()
    late: tuple[float, ...] = ()
    cpu: float = 0.0
    age: float = 0.0
    expired: float = 0.0
    detector: float = 0.0
    sizes: int = 0
    size: int = 0
    max_age: float = 1.0


@dataclass(frozen=True, slots=True)
class Move:
    """Put these cameras on this step; all of them were on ``was``. ``limit``: by camera, at most so many
    frames a second are to be analysed; those that are not in it have no limit but their own. ``why``: a
    sentence with the numbers. Where only limits change, ``step`` is ``was``."""

    cameras: tuple[str, ...]
    was: Step
    step: Step
    why: str
    limit: dict[str, float]


@dataclass(frozen=True, slots=True)
class Resize:
    """Let the detector's input be this size (0 = full)."""

    size: int
    why: str


Action = Move | Resize
