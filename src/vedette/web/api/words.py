"""How a camera is, and why, in words: those of the alerts and of ``vedette top``
where these have them. Pure."""

from __future__ import annotations

from types import MappingProxyType

from vedette.alerts.phrases import CAUSES
from vedette.observe.views import CameraView
from vedette.top.words import Health, ended_badly, health, plain

__all__ = ["HEALTH_WORDS", "cause_of", "health_word", "reason", "why"]

HEALTH_WORDS = ("blind", "degraded", "starting", "seen", "paused", "finished", "removed")
"""The worst first."""

_WORDS = MappingProxyType(
    {Health.FINE: "seen", Health.SOON: "starting", Health.POOR: "degraded", Health.BLIND: "blind"}
)


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
    if camera.state == "waiting" or ended_badly(camera):
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
