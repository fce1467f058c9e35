"""The report: its keys are a contract, and it is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vedette.errors import ConfigError
from vedette.observe.report import build_report, write_report
from vedette.observe.views import CameraView, Frames, NodeView, Percentiles


def test_the_report_has_exactly_the_documented_keys() -> None:
    camera = CameraView(
        "gate_north",
        "live",
        Frames(100, 60, 30, 1, 2, 3, 3, 1),
        Percentiles(12.3456, 20.0, 30.0, 44.0),
        25.004,
        15.001,
        {"person": 3},
        1,
        2,
        "stalled",
        gaps=2,
        blind_s={"stalled": 1.23456},
    )
    view = NodeView(
        (camera,), 4.0, 15.0, 130.0, 5.126, 120.0, 133.33, "", {"infer": Percentiles(1, 2, 3.00049, 4)}
    )
    zero = {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    assert build_report(view) == {
        "duration_s": 4.0,
        "cameras": {
            "gate_north": {
                "frames": {
                    "received": 100,
                    "analysed": 60,
                    "superseded": 30,
                    "expired": 1,
                    "skipped": 2,
                    "failed": 3,
                    "orphaned": 3,
                    "in_flight": 1,
                },
                "age_ms": {"p50": 12.35, "p95": 20.0, "p99": 30.0, "max": 44.0},
                "fps_in": 25.0,
                "fps_analysed": 15.0,
                "sessions": 2,
                "epoch": 1,
                "last_end_reason": "stalled",
                "gaps": 2,
                "blind_s": {"stalled": 1.235},
            }
        },
        "stages_ms": {
            "decode": zero,
            "convert": zero,
            "wait": zero,
            "infer": {"p50": 1, "p95": 2, "p99": 3.0},
            "track": zero,
            "emit": zero,
        },
        "node": {"analysed_per_s": 15.0, "cpu_s": 5.13, "pss_peak_mb": 133.3},
    }


def test_writing_replaces_the_old_report_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    for seconds in (1.0, 2.0):
        write_report(build_report(NodeView(uptime_s=seconds)), path)
    assert json.loads(path.read_text())["duration_s"] == 2.0
    assert list(path.parent.iterdir()) == [path]


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="the report cannot be written"):
        write_report({}, tmp_path / "file" / "report.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="the report cannot be written"):
        write_report({}, tmp_path / "folder")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_frames_of_cameras_add_up() -> None:
    view = NodeView(cameras=(CameraView("a", frames=Frames(3, 2, 1)), CameraView("b", frames=Frames(5, 5))))
    assert view.frames == Frames(8, 7, 1)
