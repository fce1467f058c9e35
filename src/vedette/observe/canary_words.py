"""What became of a canary, in words: for the log, and for ``vedette model status``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vedette.facts import CanaryEnded, CanaryStarted
from vedette.observe.views import CanaryView

__all__ = ["agreed_words", "canary_words", "log_canary"]

ENDED = {
    "time": "its time was over",
    "stopped": "was stopped",
    "set": "is the detector of all cameras since",
    "not_set": "was to be the detector of all cameras, and could not",
    "not_started": "could not be used",
    "died": "died",
    "hung": "hung, and was killed",
    "failed": "failed on one frame after the other",
    "found_nothing": "found nothing",
    "suspected": "is suspected to do worse than before",
    "load": "was too much for the node",
    "node_stopped": "the node was stopped",
}
_IN_ORDER = ("time", "stopped", "set", "node_stopped")


def canary_words(canary: CanaryView) -> str:
    """A line, and those that it is to be judged by."""
    name, cameras = Path(canary.model).name, ", ".join(canary.cameras)
    match canary.state:
        case "examined":
            return f"canary:  {name} is held to labelled pictures, for {cameras}"
        case "starting":
            return f"canary:  {name} is being loaded, for {cameras}"
        case "ended":
            after = f" after {_lasting(canary.ran_s)}" if canary.ran_s else ""
            detail = f": {canary.detail}" if canary.detail else ""
            said = f"canary:  {name} {ENDED.get(canary.why or '', canary.why)}{after}{detail}"
        case _:
            said = f"canary:  {name} detects for {cameras} since {_lasting(canary.ran_s)}{_goes_on(canary)}"
    return "\n".join((said, *filter(None, (_found(canary), _took(canary), agreed_words(canary)))))


def _found(canary: CanaryView) -> str:
    if not canary.frames:
        return ""
    found = f"{canary.boxes} boxes in {canary.frames} frames of {', '.join(canary.cameras)}"
    if not canary.before_frames:
        return found
    before = f"{canary.before_boxes} in the {canary.before_frames} frames before, by {_beside(canary)}"
    return f"{found}; {before}"


def _took(canary: CanaryView) -> str:
    own, others = canary.took_ms, canary.beside_took_ms
    if not own.p50:
        return ""
    took = f"a frame takes it {own.p50:.0f} ms, {own.p95:.0f} ms at most in 95%"
    if not others.p50:
        return took
    return f"{took}; {_beside(canary)} meanwhile {others.p50:.0f} ms and {others.p95:.0f} ms"


def agreed_words(canary: CanaryView) -> str:
    """How far it agreed when it was shown frames; empty where it was not."""
    if (agreed := canary.agreed) is None:
        return ""
    interval = f"{agreed.value:.3f} ({agreed.lower:.3f}…{agreed.upper:.3f})"
    return f"when it was shown frames before, it agreed {interval} with {_beside(canary)}, in {agreed.frames}"


def _beside(canary: CanaryView) -> str:
    return canary.beside or "the detector at work"


def _goes_on(canary: CanaryView) -> str:
    if canary.state == "taking_over":
        return "; it is being made the detector of all cameras"
    if canary.state == "returning":
        return "; it gives them back"
    after = "for all cameras after that" if canary.then == "set" else "and goes back after that"
    return f", for {_lasting(canary.left_s)} more, {after}"


def _lasting(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def log_canary(fact: CanaryStarted | CanaryEnded, log: Any) -> None:
    """A line of the log."""
    told = {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in ("at", "cameras")}
    said = log.error if isinstance(fact, CanaryEnded) and fact.why not in _IN_ORDER else log.info
    what = "canary started" if isinstance(fact, CanaryStarted) else "canary ended"
    said(what, cameras=", ".join(fact.cameras), **told)
