"""Somebody asks a running node how its detector does, and has it learnt anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.harness import Cameras, Run, fake, wait_until
from patience import PATIENCE_S


def drift(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A node that is busy may not answer within five seconds: then it is asked again."""
    found: list[subprocess.CompletedProcess[str]] = []

    def answered() -> bool:
        done = subprocess.run(
            [sys.executable, "-m", "vedette.cli", "drift", *arguments],
            env={**os.environ, **environment(folder)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        found[:] = [done]
        return "does not answer" not in done.stderr

    wait_until(answered, "the node answers")
    return found[0]


def environment(folder: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("run")
    found.chmod(0o700)
    return found


@pytest.fixture(scope="module")
def run(cameras: Cameras, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    config = {
        "cameras": dict(list(cameras.section().items())[:2]),
        "detector": fake(),
        "ledger": {"url": "site.db", "node": "yard"},
        "drift": {"learn": "10h", "every": "200ms"},
    }
    with Run(tmp_path_factory.mktemp("node"), config, env=environment(folder)) as run:
        run.until_all_analysed(config["cameras"], results=5)
        yield run


def stages(folder: Path) -> dict[str, str]:
    found = json.loads(drift(folder, "status", "yard", "--json").stdout)
    return {name: each["stage"] if each else "" for name, each in found.items()}


def test_it_is_said_how_the_detector_does_on_each_camera(run: Run, folder: Path) -> None:
    wait_until(lambda: set(stages(folder).values()) == {"learning"}, "both are being learnt")
    said = drift(folder, "status")
    assert said.returncode == 0, said.stderr
    assert "yard (" in said.stdout
    for part in ("cam0", "cam1", "learning 0%", "of watching", "usual → lately"):
        assert part in said.stdout
    assert "\x1b" not in said.stdout


def test_cameras_are_learnt_anew_and_the_log_says_so(run: Run, folder: Path) -> None:
    wait_until(lambda: set(stages(folder).values()) == {"learning"}, "both are being learnt")
    done = drift(folder, "learn", "cam1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cam1 is learnt anew from now on")
    wait_until(lambda: "drift reset" in run.stderr, "the log says it")
    assert drift(folder, "learn", "--all").stdout.startswith("all cameras are learnt anew")
    kept = drift(folder, "learn", "cam0", "cam1", "--keep", "--node", "yard")
    assert kept.stdout.startswith("cam0, cam1: lights and hours that are not known yet")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["learn", "roof"], 7, "there is no camera roof; there are cam0, cam1"),
        (["learn"], 2, "name cameras, or say --all"),
        (["learn", "cam0", "--all"], 2, "name cameras, or say --all"),
        (["learn", "cam0,roof"], 2, "is no camera's name"),
        (["status", "nowhere"], 7, "no node nowhere is running"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    run: Run, folder: Path, arguments: list[str], code: int, said: str
) -> None:
    found = drift(folder, *arguments)
    assert found.returncode == code
    assert said in " ".join(found.stderr.replace("│", " ").split())
    assert "Traceback" not in found.stderr


def test_where_drift_is_off_that_is_said(cameras: Cameras, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    config = {
        "cameras": dict(list(cameras.section().items())[:1]),
        "detector": fake(),
        "ledger": False,
        "drift": {"enabled": False},
    }
    with Run(tmp_path, config, env=environment(folder)) as run:
        run.until_all_analysed(config["cameras"], results=1)
        for arguments, code in ((["status"], 2), (["learn", "--all"], 7)):
            found = drift(folder, *arguments)
            assert (found.returncode, "drift.enabled is false" in found.stderr) == (code, True)
