"""What became of a canary, as plain values: for those who look at a node, and for the report."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from vedette.histogram import percentiles
from vedette.observe.views import AgreedView, CanaryView, Percentiles
from vedette.supervise.canary import Canary, State, Trial

__all__ = ["canary_report", "canary_view"]


def canary_view(canary: Canary, busy: float) -> CanaryView | None:
    """From any thread. ``busy``: share of the last second; None where there never was one."""
    trial = canary.trial
    if trial is None:
        return None
    until = trial.ended or time.monotonic()
    ran = max(0.0, until - trial.started) if trial.started else 0.0
    ended = trial.state is State.ENDED
    agreed, (beside_took, took) = trial.agreed, _took(canary, trial)
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
        beside=trial.beside.describe,
        before_frames=trial.before.frames,
        before_boxes=trial.before.boxes,
        took_ms=took,
        beside_took_ms=beside_took,
        agreed=None
        if agreed is None
        else AgreedView(agreed.frames, agreed.value, agreed.lower, agreed.upper),
    )


def _took(canary: Canary, trial: Trial) -> tuple[Percentiles, Percentiles]:
    """Of the detector, and of the canary, while it had its cameras."""
    times = trial.took
    if times is None:
        return Percentiles(), Percentiles()
    counts = (canary.times() if times.after is None else times.after) - times.before
    return _percentiles(counts[0]), _percentiles(counts[1])


def _percentiles(counts: npt.NDArray[np.uint64]) -> Percentiles:
    p50, p95, p99 = (1000 * each for each in percentiles(counts, 0.5, 0.95, 0.99))
    return Percentiles(p50, p95, p99)


def canary_report(canary: CanaryView) -> dict[str, Any]:
    """The part of the report; its keys are a contract (docs/configuration.md)."""
    found = {
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
        "beside": canary.beside,
        "before": {"frames": canary.before_frames, "boxes": canary.before_boxes},
        "took_ms": _rounded(canary.took_ms),
        "beside_took_ms": _rounded(canary.beside_took_ms),
    }
    if canary.agreed is not None:
        found["agreed"] = {name: round(each, 4) for name, each in asdict(canary.agreed).items()}
    return found


def _rounded(took: Percentiles) -> dict[str, float]:
    return {name: round(getattr(took, name), 2) for name in ("p50", "p95", "p99")}
