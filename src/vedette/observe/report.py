"""What a run came to: the JSON report, and a summary for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from vedette.errors import ConfigError, redact
from vedette.observe.bottleneck import Bottleneck, find_bottleneck
from vedette.observe.canary import canary_report
from vedette.observe.gauges import Gauges
from vedette.observe.shadow import shadow_report
from vedette.observe.spent import where_the_time_went
from vedette.observe.table import line, render
from vedette.observe.views import (
    AccuracyView,
    CameraView,
    DriftView,
    NodeView,
    Percentiles,
    ValidationView,
    WorkerView,
)
from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage
from vedette.whole_files import write_whole
from vedette.workers.table import STAGES

__all__ = ["STAGES", "build_report", "summary", "write_report"]


def build_report(view: NodeView, bottleneck: Bottleneck | None = None) -> dict[str, Any]:
    """The report as plain values; its keys are a contract (docs/configuration.md). ``bottleneck``: what was
    found over the whole run; by default what this view says."""
    sites: dict[str, dict[str, Any]] = {}
    for each in view.sites:
        sites.setdefault(each.site, {})[each.measure] = _accuracy(each)
    return {
        "duration_s": round(view.uptime_s, 3),
        "cameras": {camera.name: _camera(camera) for camera in view.cameras},
        "stages_ms": {stage: _stage(view.stages_ms.get(stage, Percentiles())) for stage in STAGES},
        "stages_s": {stage: round(view.stages_s.get(stage, 0.0), 3) for stage in STAGES},
        "node": _node(view, find_bottleneck(view) if bottleneck is None else bottleneck),
        **({"sites": sites} if sites else {}),
    }


def _node(view: NodeView, bottleneck: Bottleneck) -> dict[str, Any]:
    found = {
        "analysed_per_s": round(view.analysed_per_s, 2),
        "cpu_s": round(view.cpu_s, 2),
        "cpu_busy": round(view.cpu_busy, 3),
        "pss_peak_mb": round(view.pss_peak_mb, 1),
        "detector": view.detector,
        "precision": view.precision,
        "input_size": list(view.input_size),
        "bottleneck": {"stage": bottleneck.stage, "sentence": bottleneck.sentence},
        "workers": [_worker(worker) for worker in view.workers],
        "sinks": [
            {
                "name": redact(sink.name),
                "written": sink.written,
                "dropped": sink.dropped,
                "expired": sink.expired,
                "failed": sink.failed,
            }
            for sink in view.sinks
        ],
    }
    if view.usage is not None:
        found["usage"] = _usage(view.usage, view.peak)
    if view.machine is not None:
        found["machine"] = _machine(view.machine)
    if view.validation is not None:
        found["validation"] = _validation(view.validation)
    if view.shadow is not None:
        found["shadow"] = shadow_report(view.shadow)
    if view.canary is not None:
        found["canary"] = canary_report(view.canary)
    return found


def _validation(validation: ValidationView) -> dict[str, Any]:
    names = ("value", "low", "high")
    return {
        "at": datetime.fromtimestamp(validation.at, UTC).isoformat(timespec="seconds"),
        "dataset": validation.dataset,
        "pictures": validation.pictures,
        "model": validation.model,
        "passed": validation.passed,
        "problems": list(validation.problems),
        "figures": {
            name: {
                end: None if share is None else round(share, 4)
                for end, share in zip(names, shares, strict=True)
            }
            for name, shares in validation.figures.items()
        },
    }


def _in_a_line(validation: ValidationView) -> str:
    """``held to 80 labelled pictures of yard: AP50 0.712 (0.655 … 0.761), recall 0.690 (…)``"""
    told = []
    for name, word in (("ap50", "AP50"), ("recall", "recall")):
        value, low, high = validation.figures.get(name, (None, None, None))
        if value is not None:
            told.append(word + f" {value:.3f}" + ("" if low is None else f" ({low:.3f} … {high:.3f})"))
    said = f"held to {validation.pictures} labelled pictures of {validation.dataset}: {', '.join(told)}"
    return said if validation.passed else f"{said}; {'; '.join(validation.problems)}"


def _worker(worker: WorkerView) -> dict[str, Any]:
    found = {
        "name": worker.name,
        "kind": worker.kind,
        "cameras": worker.cameras,
        "busy": round(worker.busy, 3),
        "waited": round(worker.waited, 3),
        "late_ms": round(worker.late_ms, 2),
        "outbox": worker.outbox,
        "replacements": dict(worker.replacements),
        "deaths": worker.deaths,
    }
    if worker.model:
        found |= {"model": worker.model, "beside": worker.beside, "ran_s": round(worker.ran_s, 1)}
    if worker.quarantined:
        found["quarantined"] = True
    if worker.leaks:
        found["leaks_an_hour"] = {measure: round(amount, 1) for measure, amount in worker.leaks.items()}
    if worker.usage is not None:
        found["usage"] = _usage(worker.usage, worker.peak)
    return found


def _usage(usage: ProcessUsage, peak: Peak) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("pss", "uss", "gpu"):
        now, most = getattr(usage, name), getattr(peak, name)
        if most is not None:
            found[f"{name}_mb"] = round((now or 0) / 1e6, 1)
            found[f"{name}_peak_mb"] = round(most / 1e6, 1)
    for name in ("fds", "threads"):
        found[name], found[f"{name}_peak"] = getattr(usage, name), getattr(peak, name)
    return found | {"cpu_s": {group: round(seconds, 2) for group, seconds in usage.cpu_s.items()}}


def _machine(machine: MachineUsage) -> dict[str, Any]:
    found = {"memory_available_mb": round(machine.memory_available / 1e6, 1), "cores": machine.cores}
    if machine.disk_free is not None:
        found["disk_free_mb"] = round(machine.disk_free / 1e6, 1)
    return found


def _camera(camera: CameraView) -> dict[str, Any]:
    found = {
        "frames": asdict(camera.frames),
        "endings": dict(camera.endings),
        "age_ms": {name: round(value, 2) for name, value in asdict(camera.age_ms).items()},
        "lag_ms": round(camera.lag_ms, 2),
        "fps_in": round(camera.fps_in, 2),
        "fps_analysed": round(camera.fps_analysed, 2),
        "step": camera.step,
        "decodes": camera.decodes,
        "sessions": camera.sessions,
        "epoch": max(0, camera.epoch),
        "last_end_reason": camera.last_end_reason,
        "gaps": camera.gaps,
        "blind_s": {cause: round(seconds, 3) for cause, seconds in camera.blind_s.items()},
    }
    if camera.drift is not None:
        found["drift"] = _drift(camera.drift)
    if camera.accuracy:
        found["accuracy"] = {each.measure: _accuracy(each) for each in camera.accuracy}
    if camera.review is not None:
        review: dict[str, dict[str, int]] = {}
        for (stream, outcome), count in sorted(camera.review.items()):
            review.setdefault(stream, {})[outcome] = count
        found["review"] = review
    if camera.stages_ms:
        found["stages_ms"] = _stages(camera.stages_ms)
    return found


def _drift(drift: DriftView) -> dict[str, Any]:
    found: dict[str, Any] = {
        "stage": drift.stage,
        "since": round(drift.since, 3),
        "learnt": round(drift.learnt, 3),
        "light": drift.light,
        "evidence": round(drift.evidence, 2),
        "suspicions": drift.suspicions,
        "lights": {light: round(hours, 2) for light, hours in drift.lights.items()},
    }
    if drift.unknown:
        found["unknown_lights"] = {light: round(hours, 2) for light, hours in drift.unknown.items()}
    if drift.missing_s:
        found["missing_s"] = round(drift.missing_s)
    if drift.measure:
        found |= {"measure": drift.measure, "direction": drift.direction}
        found |= {"usual": _rounded(drift.usual), "lately": _rounded(drift.lately)}
    return found


def _accuracy(known: AccuracyView) -> dict[str, Any]:
    found: dict[str, Any] = {"frames": known.frames}
    found |= {name: _rounded(getattr(known, name)) for name in ("value", "lower", "upper")}
    if known.floor is not None:
        found |= {"floor": known.floor, "lost": known.lost}
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _stages(stages: Mapping[str, Percentiles]) -> dict[str, dict[str, float]]:
    return {stage: _stage(stages[stage]) for stage in STAGES if stage in stages}


def _stage(stage: Percentiles) -> dict[str, float]:
    return {"p50": round(stage.p50, 3), "p95": round(stage.p95, 3), "p99": round(stage.p99, 3)}


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write it whole or not at all: whoever reads ``path`` never sees half a report.

    Raises ConfigError when it cannot be written.
    """
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        write_whole(path, f"{text}\n".encode())
    except OSError as error:
        raise ConfigError(f"{path}: the report cannot be written: {error.strerror or error}") from error


def summary(
    view: NodeView,
    bottleneck: Bottleneck | None = None,
    *,
    gauges: Gauges | None = None,
    width: int = 100,
) -> RenderableType:
    """The end of a run for people: each camera, where the time went, and one line of totals. ``bottleneck``
    and ``gauges``: of the whole run; by default what this view says."""
    found = find_bottleneck(view) if bottleneck is None else bottleneck
    parts: list[RenderableType] = [render(view, found, width=width, rows=100, closing=True), Text("")]
    parts += [where_the_time_went(view, found, gauges=gauges, width=width), Text("")]
    if view.validation is not None:
        parts.append(
            Text(f"detector {_in_a_line(view.validation)}", style="" if view.validation.passed else "red")
        )
    return Group(*parts, Text(line(view)))
