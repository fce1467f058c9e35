"""The other commands, as people type them: `vedette demo`, `vedette check`, mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from integration.harness import CALM, Cameras, adds_up, fake
from patience import PATIENCE_S
from servers import free_port


def vedette(*arguments: str | Path, seconds: float = 2 * PATIENCE_S) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vedette.cli", *map(str, arguments)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )


def write(folder: Path, config: object) -> Path:
    path = folder / "cameras.yaml"
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return path


def test_the_demo_runs_without_a_terminal_and_sums_up(tmp_path: Path) -> None:
    for seconds in (12, 90):  # a busy machine may need the first ones to load what looks at the pictures
        done = vedette(
            *("demo", "--cameras", "3", "--for", f"{seconds}s", "--report", tmp_path / "report.json")
        )
        assert "Traceback" not in done.stderr
        report = json.loads((tmp_path / "report.json").read_text())
        assert len(report["cameras"]) == 3
        if all(camera["frames"]["analysed"] for camera in report["cameras"].values()):
            break
    assert done.returncode == 0, done.stderr
    for name, camera in report["cameras"].items():
        assert camera["frames"]["analysed"] > 0
        assert adds_up(camera["frames"], in_flight=0)
        assert name in done.stdout + done.stderr
    assert "analysed" in done.stdout + done.stderr


def test_check_is_content_with_what_works(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": {"gate": {"url": cameras.url(0)}}, "detector": fake(), "defaults": CALM}
    done = vedette("check", write(tmp_path, config))
    assert done.returncode == 0, done.stderr
    assert "gate" in done.stdout
    assert "160" in done.stdout


def test_check_tells_of_a_camera_that_cannot_be_read(cameras: Cameras, tmp_path: Path) -> None:
    section = {"gate": {"url": cameras.url(0)}, "yard": {"url": f"rtsp://127.0.0.1:{free_port()}/x"}}
    path = write(tmp_path, {"cameras": section, "detector": fake(), "defaults": CALM})
    done = vedette("check", path)
    assert done.returncode == 4
    assert "yard" in done.stdout
    assert "refused" in done.stdout
    assert vedette("check", path, "--no-connect").returncode == 0


def test_check_tells_of_a_detector_that_cannot_be_used(tmp_path: Path) -> None:
    config = {"cameras": {"gate": {"url": "rtsp://127.0.0.1:9/x"}}, "detector": {"python": "nowhere:X"}}
    done = vedette("check", write(tmp_path, config), "--no-connect")
    assert done.returncode == 3
    assert "nowhere" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cameras: {gate: {url: 'rtsp://127.0.0.1/x', max_fsp: 3}}", "max_fps"),
        ("cameras: {gate: {url: 'rtsp://127.0.0.1/x', max_fps: fast}}", "cameras.gate.max_fps"),
        ("cameras: {gate: {url: nowhere.mp4}}", "cameras.gate.url: no such file"),
        ("cameras: {gate: {url: 'rtsp://${NO_SUCH_VARIABLE}/x'}}", "NO_SUCH_VARIABLE"),
        ("cameras: {}", "cameras"),
        ("cameras: [", "cameras.yaml"),
        ("", "cameras.yaml"),
    ],
)
def test_a_mistake_in_the_configuration_ends_with_2_and_names_file_and_key(
    command: str, text: str, says: str, tmp_path: Path
) -> None:
    done = vedette(command, write(tmp_path, text))
    assert done.returncode == 2
    assert "cameras.yaml" in done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_configuration_and_a_wrong_option_end_with_2(tmp_path: Path) -> None:
    done = vedette("run", tmp_path / "none.yaml")
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
    config = write(tmp_path, "cameras: {gate: {url: 'rtsp://127.0.0.1/x'}}")
    assert vedette("run", config, "--for", "soon").returncode == 2
    assert vedette("run", config, "--fast").returncode == 2


def test_a_report_that_cannot_be_written_is_said(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": {"gate": {"url": cameras.url(0)}}, "detector": fake()}
    (tmp_path / "file").write_text("")
    report = tmp_path / "file" / "report.json"
    done = vedette("run", write(tmp_path, config), "--for", "1s", "--report", report)
    assert done.returncode == 2
    assert "report" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
