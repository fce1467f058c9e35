"""The report: its keys are a contract, and it is written whole or not at all."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from vedette.errors import ConfigError
from vedette.observe.bottleneck import Bottleneck
from vedette.observe.report import build_report, summary, write_report
from vedette.observe.views import (
    CameraView,
    Frames,
    NodeView,
    Percentiles,
    SinkView,
    ValidationView,
    WorkerView,
)
from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage
from vedette.workers.table import STAGES

CAMERA = CameraView(
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
    endings={"analysed.emit": 60, "superseded.wait": 30},
    step="keyframes",
    decodes="keyframes",
    lag_ms=4.321,
)
ZERO = {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_the_report_has_exactly_the_documented_keys() -> None:
    view = NodeView(
        (CAMERA,),
        4.0,
        15.0,
        130.0,
        5.126,
        120.0,
        133.33,
        "picodet · openvino",
        {"infer": Percentiles(1, 2, 3.00049, 4)},
        sinks=(SinkView("https://me:secret@hook", 5, 3, 1, 2, 9),),
        workers=(
            WorkerView(
                *("cameras-0", "camera", 77, 0.51239, 0.1, 3.456, 2, 1),
                replacements={"lifetime": 3},
                deaths=1,
                quarantined=True,
                leaks={"memory": 2.00000004e7},
            ),
        ),
        stages_s={"infer": 1.23456},
        input_size=(256, 416),
        cpu_busy=0.65432,
    )
    report = build_report(view, Bottleneck("infer", "The detector: busy 97%."))
    assert report == {
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
                "endings": {"analysed.emit": 60, "superseded.wait": 30},
                "age_ms": {"p50": 12.35, "p95": 20.0, "p99": 30.0, "max": 44.0},
                "lag_ms": 4.32,
                "fps_in": 25.0,
                "fps_analysed": 15.0,
                "step": "keyframes",
                "decodes": "keyframes",
                "sessions": 2,
                "epoch": 1,
                "last_end_reason": "stalled",
                "gaps": 2,
                "blind_s": {"stalled": 1.235},
            }
        },
        "stages_ms": dict.fromkeys(STAGES, ZERO) | {"infer": {"p50": 1, "p95": 2, "p99": 3.0}},
        "stages_s": dict.fromkeys(STAGES, 0.0) | {"infer": 1.235},
        "node": {
            "analysed_per_s": 15.0,
            "cpu_s": 5.13,
            "cpu_busy": 0.654,
            "pss_peak_mb": 133.3,
            "detector": "picodet · openvino",
            "precision": "",
            "input_size": [256, 416],
            "bottleneck": {"stage": "infer", "sentence": "The detector: busy 97%."},
            "workers": [
                {
                    "name": "cameras-0",
                    "kind": "camera",
                    "cameras": 1,
                    "busy": 0.512,
                    "waited": 0.1,
                    "late_ms": 3.46,
                    "outbox": 2,
                    "replacements": {"lifetime": 3},
                    "deaths": 1,
                    "quarantined": True,
                    "leaks_an_hour": {"memory": 20000000.4},
                }
            ],
            "sinks": [
                {"name": "https://***@hook", "written": 5, "dropped": 3, "expired": 2, "failed": 1},
            ],
        },
    }


def test_what_labelled_pictures_say_of_the_detector_is_there_and_in_the_summary() -> None:
    figures = {"ap50": (0.71234, 0.6551, 0.7612), "recall": (0.5, None, None), "ap": (None, None, None)}
    good = ValidationView(1_800_000_000.0, "yard", 80, "m.onnx", figures)
    report = build_report(NodeView((CAMERA,), validation=good))["node"]["validation"]
    assert report == {
        "at": "2027-01-15T08:00:00+00:00",
        "dataset": "yard",
        "pictures": 80,
        "model": "m.onnx",
        "passed": True,
        "problems": [],
        "figures": {
            "ap50": {"value": 0.7123, "low": 0.6551, "high": 0.7612},
            "recall": {"value": 0.5, "low": None, "high": None},
            "ap": {"value": None, "low": None, "high": None},
        },
    }
    assert said(NodeView((CAMERA,), validation=good)) == (
        "detector held to 80 labelled pictures of yard: AP50 0.712 (0.655 … 0.761), recall 0.500"
    )
    bad = replace(good, problems=("recall is 0.500, below 0.600",))
    assert said(NodeView((CAMERA,), validation=bad)).endswith("recall 0.500; recall is 0.500, below 0.600")


def said(view: NodeView) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(summary(view, width=200))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return next(line.strip() for line in lines if line.startswith("detector held"))


def test_what_processes_have_is_there_where_it_was_looked_at() -> None:
    usage = ProcessUsage(
        "cameras-0", 77, 9.0, 120_040_000, 80_000_000, None, 60, 9, {"loop": 1.234, "other": 0}, {"loop": 0.5}
    )
    peak = Peak(130_000_000, 90_000_000, None, 70, 10)
    worker = WorkerView("cameras-0", "camera", usage=usage, peak=peak)
    inference = WorkerView(
        "inference-0", "inference", usage=replace(usage, gpu=None), peak=replace(peak, gpu=2_000_000_000)
    )
    machine = MachineUsage(5_000_000_000, 0.5, 7_000_000_000, 8)
    node = build_report(
        NodeView(workers=(worker, inference), usage=replace(usage, gpu=3_000_000), machine=machine)
    )["node"]
    assert node["workers"][0]["usage"] == {
        "pss_mb": 120.0,
        "pss_peak_mb": 130.0,
        "uss_mb": 80.0,
        "uss_peak_mb": 90.0,
        "fds": 60,
        "fds_peak": 70,
        "threads": 9,
        "threads_peak": 10,
        "cpu_s": {"loop": 1.23, "other": 0},
    }
    assert node["workers"][1]["usage"]["gpu_mb"] == 0
    assert node["workers"][1]["usage"]["gpu_peak_mb"] == 2000
    assert node["usage"]["fds"] == 60
    assert node["machine"] == {"memory_available_mb": 5000, "disk_free_mb": 7000, "cores": 8}
    elsewhere = build_report(NodeView(machine=replace(machine, disk_free=None)))["node"]
    assert "disk_free_mb" not in elsewhere["machine"]
    assert not {"usage", "machine"} & set(build_report(NodeView())["node"])


def test_the_stages_of_a_camera_are_there_where_they_were_asked_for() -> None:
    timed = replace(CAMERA, stages_ms={"decode": Percentiles(1.23456, 2, 3), "lag": Percentiles()})
    cameras = build_report(NodeView((timed, CameraView("yard"))))["cameras"]
    assert cameras["gate_north"]["stages_ms"] == {"lag": ZERO, "decode": {"p50": 1.235, "p95": 2, "p99": 3}}
    assert list(cameras["gate_north"]["stages_ms"]) == ["lag", "decode"], "in the order of a frame's way"
    assert "stages_ms" not in cameras["yard"]


def test_a_report_without_a_verdict_gets_that_of_its_view() -> None:
    node = build_report(NodeView((CAMERA,)))["node"]
    assert node["bottleneck"]["stage"] == "wait"
    assert build_report(NodeView())["node"]["bottleneck"]["stage"] == "none"


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


def test_a_verdict_that_nothing_is_the_bottleneck_is_kept() -> None:
    nothing = Bottleneck("none", "Nothing: all is well.")
    assert build_report(NodeView((CAMERA,)), nothing)["node"]["bottleneck"]["sentence"] == nothing.sentence
