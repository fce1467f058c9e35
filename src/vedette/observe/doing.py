"""What a node is doing about a camera that it does not see as it should, in a few words, as far as the node
knows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vedette.causes import Blame, Cause
from vedette.facts import AnyFact, SessionEnded
from vedette.workers.table import CameraState

__all__ = ["Doing", "Retries", "doing", "lasting"]


class Retries:
    """When each camera's next attempt is due. ``take`` is given every fact."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def take(self, fact: AnyFact) -> None:
        if isinstance(fact, SessionEnded):
            self._due[fact.camera] = math.inf if fact.retry_in is None else fact.at + fact.retry_in

    def after(self, camera: str, now: float) -> float | None:
        """Seconds until then; None where it is not known, or past."""
        due = self._due.get(camera, -math.inf)
        return due - now if now <= due < math.inf else None


@dataclass(frozen=True, slots=True)
class Doing:
    """Of one camera. ``blame``: for ``cause``. ``retry_in``: seconds, None where nobody knows. ``worker``,
    ``detector``: why the process that reads it, or the one that detects, is not at work; empty where it is.
    ``hang_up_after``: seconds without a frame."""

    state: CameraState
    cause: Cause | None = None
    degraded: tuple[Cause, ...] = ()
    retry_in: float | None = None
    worker: str = ""
    detector: str = ""
    hang_up_after: float = 0.0
    blame: Blame | None = None


_SEES_NOTHING = (Cause.FROZEN, Cause.COVERED, Cause.DARK, Cause.WASHED_OUT)
_LESS = (Cause.OVERLOADED, Cause.THINNED)


def doing(of: Doing) -> str:
    """Empty where nothing is to be done, or can be."""
    if of.state in (CameraState.REMOVED, CameraState.FINISHED):
        return ""
    if of.state is CameraState.PAUSED or of.cause is Cause.PAUSED:
        return "waits until it is resumed"
    if of.worker:
        return f"its worker {of.worker}"
    match of.state:
        case CameraState.WAITING:
            return "opens it again" if of.retry_in is None else f"opens it again in {lasting(of.retry_in)}"
        case CameraState.CONNECTING | CameraState.ABSENT:
            return "connects"
    if of.cause is not None:
        return _blind(of, of.cause)
    if any(cause in _LESS for cause in of.degraded):
        return "does more for it again as soon as the machine can"
    return "looks on, and says when it is over" if of.degraded else ""


def _blind(of: Doing, cause: Cause) -> str:
    """There is a session, and nothing is seen."""
    match cause:
        case Cause.STARTING if of.blame is Blame.CAMERA:
            return "waits for a keyframe"
        case Cause.STARTING | Cause.HANDED_OVER | Cause.WORKER_LOST:
            return "waits for its first picture"
        case Cause.NO_KEYFRAME:
            return "waits for a keyframe"
        case Cause.DETECTOR_LOST:
            return f"the detector {of.detector}" if of.detector else "waits for the detector"
        case Cause.STALLED:
            return f"opens it anew if nothing comes for {lasting(of.hang_up_after)}"
        case Cause.DECODE_BEHIND:
            return "leaves frames out to catch up"
    if cause in _LESS:
        return "looks at it again as soon as the machine can"
    return "looks on, and says when it is over" if cause in _SEES_NOTHING else "reads on"


def lasting(seconds: float) -> str:
    """``4 s``, ``9 min``, ``2.5 h``."""
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
