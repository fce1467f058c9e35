"""What a run came to: the JSON report, and a summary for people."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from vedette.errors import ConfigError
from vedette.observe.table import line, render
from vedette.observe.views import CameraView, NodeView, Percentiles

__all__ = ["STAGES", "build_report", "summary", "write_report"]

STAGES = ("decode", "convert", "wait", "infer", "track", "emit")


def build_report(view: NodeView) -> dict[str, Any]:
    """The report as plain values; its keys are a contract (docs/configuration.md)."""
    return {
        "duration_s": round(view.uptime_s, 3),
        "cameras": {camera.name: _camera(camera) for camera in view.cameras},
        "stages_ms": {stage: _stage(view.stages_ms.get(stage, Percentiles())) for stage in STAGES},
        "node": {
            "analysed_per_s": round(view.analysed_per_s, 2),
            "cpu_s": round(view.cpu_s, 2),
            "pss_peak_mb": round(view.pss_peak_mb, 1),
        },
    }


def _camera(camera: CameraView) -> dict[str, Any]:
    return {
        "frames": asdict(camera.frames),
        "age_ms": {name: round(value, 2) for name, value in asdict(camera.age_ms).items()},
        "fps_in": round(camera.fps_in, 2),
        "fps_analysed": round(camera.fps_analysed, 2),
        "sessions": camera.sessions,
        "epoch": max(0, camera.epoch),
        "last_end_reason": camera.last_end_reason,
        "gaps": camera.gaps,
        "blind_s": {cause: round(seconds, 3) for cause, seconds in camera.blind_s.items()},
    }


def _stage(stage: Percentiles) -> dict[str, float]:
    return {"p50": round(stage.p50, 3), "p95": round(stage.p95, 3), "p99": round(stage.p99, 3)}


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write it whole or not at all: whoever reads ``path`` never sees half a report.

    Raises ConfigError when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(report, file, indent=2, ensure_ascii=False, allow_nan=False)
                file.write("\n")
            Path(name).chmod(0o644)  # mkstemp makes it private
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{path}: the report cannot be written: {error.strerror or error}") from error


def summary(view: NodeView, *, width: int = 100) -> RenderableType:
    """The end of a run for people: each camera, where the time went, and one line of totals."""
    stages = "  ".join(
        f"{name} {view.stages_ms[name].p50:.1f}/{view.stages_ms[name].p99:.1f}"
        for name in STAGES
        if name in view.stages_ms
    )
    parts: list[RenderableType] = [render(view, width=width, rows=100), Text("")]
    if stages:
        parts.append(Text(f"stages p50/p99 ms: {stages}", style="dim"))
    return Group(*parts, Text(line(view)))
