"""Every setting and every option is documented, or this fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from vedette.alerts.settings import AlertSettings
from vedette.cli import app
from vedette.config import Config, load_config
from vedette.config_problems import models_in
from vedette.observe.report import STAGES, build_report
from vedette.observe.views import CameraView, NodeView, WorkerView
from vedette.sim.command import sim
from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage

DOCS = Path(__file__).parent.parent / "docs"
PAGES = (
    *("ledger.md", "chaos.md", "top.md", "validation.md", "workers.md", "models.md", "drift.md"),
    *("review.md", "dashboard.md"),
)
TEXT = (DOCS / "configuration.md").read_text()


def section(heading: str) -> str:
    match = re.search(rf"^#+ {heading}$(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert match, f"docs/configuration.md has no section {heading!r}"
    return match[1]


def all_models(model: type[BaseModel]) -> set[type[BaseModel]]:
    found = {model}
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= all_models(inner)
    return found


SECTIONS = {
    "Config": "The file",
    "Camera": "Cameras",
    "CameraDefaults": "Cameras",
    "Detector": "Detector",
    "Tracker": "Tracker",
    "JsonlSink": "Sinks",
    "VideoSink": "Sinks",
    "LedgerSettings": "The ledger",
    "Connects": "Connects",
    "RecycleSettings": "Recycling",
    "DriftSettings": "Drift",
    "ValidationSettings": "Validation",
    "ReviewSettings": "Review",
    "FloorSettings": "Review",
    "Floors": "Review",
    "Traces": "Traces",
    "WebSettings": "Web",
}
# Alerts have a page of their own, held complete by tests/alerts.
MODELS = {model for model in all_models(Config) if model not in all_models(AlertSettings)}
FIELDS = sorted((model.__name__, name) for model in MODELS for name in model.model_fields)


def test_the_walk_finds_every_model() -> None:
    assert {model.__name__ for model in MODELS} == set(SECTIONS)


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_every_setting_is_documented(model: str, field: str) -> None:
    assert f"`{field}`" in section(SECTIONS[model])


def options_of(command: object) -> list[str]:
    return [
        option
        for parameter in getattr(command, "params", [])
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--") and option != "--help"
    ]


def all_options() -> list[str]:
    group = typer.main.get_command(app)
    simulator = typer.Typer(add_completion=False)
    simulator.command()(sim)
    commands = [group, *group.commands.values(), typer.main.get_command(simulator)]  # type: ignore[attr-defined]
    return sorted({option for command in commands for option in options_of(command)})


@pytest.mark.parametrize("option", all_options())
def test_every_option_is_documented(option: str) -> None:
    # Commands with a page of their own have their options there.
    pages = [(DOCS / name).read_text() for name in PAGES]
    assert re.search(rf"`(vedette )?{option}\b", "".join([section("Command line"), *pages]))


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "check",
        "demo",
        "sim",
        "gaps",
        "coverage",
        "alerts",
        "chaos",
        "top",
        "recycle",
        "review",
        "model set",
        "model shadow",
        "model canary",
        "model status",
        "validate",
        "accuracy",
        "drift status",
        "drift learn",
    ],
)
def test_every_command_is_documented(command: str) -> None:
    assert f"`vedette {command}" in section("Command line")


def test_every_key_of_the_report_is_documented() -> None:
    report = build_report(NodeView(cameras=(CameraView("gate"),)))
    camera = report["cameras"]["gate"]
    keys = {*report["node"], *camera["frames"], *camera["age_ms"], *STAGES, "duration_s", "stages_ms"}
    keys |= {"sessions", "epoch", "last_end_reason", "fps_in", "fps_analysed", "gaps", "blind_s"}
    for key in keys:
        assert key in section("The report")


def test_every_key_of_what_processes_have_is_documented() -> None:
    usage = ProcessUsage("cameras-0", 7, 1.0, 2, 1, 1, 3, 4)
    machine = MachineUsage(1, disk_free=1)
    worker = WorkerView("cameras-0", "camera", usage=usage, peak=Peak(gpu=1))
    node = build_report(NodeView(workers=(worker,), usage=usage, machine=machine))["node"]
    for key in {*node, *node["machine"], *node["workers"][0], *node["workers"][0]["usage"]}:
        assert re.search(rf"[`.]{key}`", section("The report")), key


def test_the_example_of_the_docs_is_a_valid_configuration(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "last-week.mp4").touch()
    (tmp_path / "my.onnx").touch()
    (tmp_path / "cameras.yaml").write_text(example[1])
    config = load_config(tmp_path / "cameras.yaml", {"CAM_USER": "me", "CAM_PASSWORD": "secret"})
    assert set(config.cameras) == {"gate_north", "yard", "last_week"}
