"""How a camera is, why, and what is being done about it, in words: those of the alerts and of ``vedette top``
where these have them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vedette.alerts.phrases import CAUSES
from vedette.causes import LINK, PICTURE, Cause
from vedette.observe.views import CameraView
from vedette.top.words import Health, health, plain

__all__ = ["HEALTH_WORDS", "cause_of", "doing", "health_word", "reason", "why"]

HEALTH_WORDS = ("blind", "degraded", "starting", "seen", "paused", "finished", "removed")
"""The worst first."""

_WORDS = MappingProxyType(
    {Health.FINE: "seen", Health.SOON: "starting", Health.POOR: "degraded", Health.BLIND: "blind"}
)
_DONE_BY_US: Mapping[str, str] = MappingProxyType(
    {
        Cause.DECODE_BEHIND: "only keyframes are decoded until it keeps up again",
        Cause.DETECTOR_LOST: "a detector is being started",
        Cause.WORKER_LOST: "another worker process is being started for it",
        Cause.HANDED_OVER: "it is being opened anew in another worker process",
        Cause.OVERLOADED: "it comes back as soon as the machine has room for it",
        Cause.THINNED: "more is done for it again as soon as the machine has room",
        Cause.STARTING: "its first picture is waited for",
        Cause.LATE: "results that are too old are left out",
        Cause.MOVED: "what it looks like now is being learnt",
    }
)
_SLOWLY = (Cause.UNAUTHORISED, Cause.UNSUPPORTED)
"""Time does not mend it, and trying often may lock an account: see :mod:`vedette.ingest.reconnect`."""


def health_word(camera: CameraView) -> str:
    """One of :data:`HEALTH_WORDS`."""
    how = health(camera)
    if how is not Health.OFF:
        return _WORDS[how]
    if camera.state in ("absent", "removed"):
        return "removed"
    return "finished" if camera.state == "finished" else "paused"


def cause_of(camera: CameraView) -> str | None:
    """The one that matters most now; None where there is none."""
    if camera.blind is not None:
        return camera.blind
    if camera.state == "waiting":
        return camera.last_end_reason
    return camera.degraded[0] if camera.degraded else None


def reason(cause: str) -> str:
    """A cause in words."""
    return CAUSES.get(cause) or plain(cause)


def why(camera: CameraView, detail: str = "") -> str:
    """Why it is not seen, or not seen well; empty where all is well. ``detail``: what the ledger adds."""
    cause = cause_of(camera)
    if cause is None:
        return ""
    said = "paused" if cause == "paused" else reason(cause)
    if camera.blind is None and len(camera.degraded) > 1:
        said = ", ".join(reason(each) for each in camera.degraded)
    return f"{said}: {detail}" if detail else said


def doing(camera: CameraView) -> str:
    """What the node does about it; empty where there is nothing to be done."""
    if said := getattr(camera, "doing", ""):  # the node knows best: when it tries again, for one
        return str(said)
    cause = cause_of(camera)
    if cause is None or cause == "paused":
        return "nothing, until somebody resumes it" if cause == "paused" else ""
    if cause in _DONE_BY_US:
        return _DONE_BY_US[cause]
    if cause in PICTURE:
        return "it is looked at on and on; the picture itself nobody here can mend"
    if camera.blind is None and camera.state != "waiting":
        return ""
    if camera.state == "connecting":
        return "it is being connected"
    if camera.state == "waiting":
        pace = "now and then" if cause in _SLOWLY else "again in a moment"
        return f"it is connected {pace}"
    return "if nothing usable comes, it is connected anew" if cause in LINK else ""
