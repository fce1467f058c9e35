"""What became of a canary, as plain values: for those who look at a node, and for the report."""

from __future__ import annotations

import time
from typing import Any

from vedette.observe.views import CanaryView
from vedette.supervise.canary import Canary, State

__all__ = ["canary_report", "canary_view"]


def canary_view(canary: Canary, busy: float) -> CanaryView | None:
    """From any thread. ``busy``: share of the last second; None where there never was one."""
    trial = canary.trial
    if trial is None:
        return None
    until = trial.ended or time.monotonic()
    ran = max(0.0, until - trial.started) if trial.started else 0.0
    ended = trial.state is State.ENDED
    return CanaryView(
        model=trial.model,
        detector=trial.detector,
        cameras=tuple(trial.cameras.values()),
        state=trial.state.value,
        why=trial.why.value if trial.why else None,
        detail=trial.detail,
        then=trial.then,
        ran_s=ran,
        left_s=0.0 if ended else max(0.0, trial.lasts - ran),
        frames=trial.since.frames,
        boxes=trial.since.boxes,
        busy=0.0 if ended else busy,
        sha256=trial.made_of,
    )


def canary_report(canary: CanaryView) -> dict[str, Any]:
    """The part of the report; its keys are a contract (docs/configuration.md)."""
    return {
        "model": canary.model,
        "detector": canary.detector,
        "sha256": canary.sha256,
        "cameras": list(canary.cameras),
        "state": canary.state,
        "why": canary.why,
        "detail": canary.detail,
        "then": canary.then,
        "ran_s": round(canary.ran_s, 1),
        "frames": canary.frames,
        "boxes": canary.boxes,
    }
