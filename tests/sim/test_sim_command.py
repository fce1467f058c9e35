"""The command, as a process."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from patience import PATIENCE_S
from vedette.errors import WorkerError
from vedette.sim.child import sim_process

SMALL = ("--port", "0", "--size", "64x48", "--fps", "5", "--keyframe-every", "500ms")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cache for all tests of this file, none of them the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "sim-command-cache"))


async def refused(*options: str) -> tuple[int | None, str]:
    """Exit code and standard error of a command that should not start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vedette.sim", *SMALL, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, output.decode()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, None])
async def test_it_serves_until_told_to_stop_and_exits_0(connect, tmp_path: Path, stop) -> None:
    log = tmp_path / "sent.npy"
    async with sim_process(*SMALL, "--cameras", "20", "--sent-log", str(log)) as sim:
        assert sim.lines[:3] == (sim.url(0), "…", sim.url(19))
        assert sim.lines[3].startswith("ready: 20 cameras, 64x48, 5 fps")
        reader = await connect(sim, 19)
        await reader.play()
        await reader.frames(2)
        assert np.load(log, mmap_mode="r")[19].any()
        if stop is None:
            sim.process.stdin.close()
        else:
            sim.process.send_signal(stop)
        assert await asyncio.wait_for(sim.process.wait(), PATIENCE_S) == 0


async def test_it_prints_a_config_without_the_password() -> None:
    credentials = ("--user", "viewer", "--password", "hunter2")
    async with sim_process(*SMALL, "--cameras", "3", "--print-config", *credentials) as sim:
        text = "\n".join(sim.lines)
        assert "hunter2" not in text
        cameras = yaml.safe_load(text)["cameras"]
        assert list(cameras) == ["cam0", "cam1", "cam2"]
        host = f"127.0.0.1:{sim.port}"
        assert cameras["cam2"]["url"] == f"rtsp://${{CAM_USER}}:${{CAM_PASSWORD}}@{host}/cam2"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--size", "big"), 2, "--size big"),
        (("--keyframe-every", "often"), 2, "--keyframe-every often"),
        (("--auth", "none"), 2, "--auth none"),
        (("--fps", "0"), 2, "fps must be"),
        (("--clip", "/nowhere.mp4"), 4, "/nowhere.mp4"),
        (("--sent-log", "/nowhere/at/all.npy"), 2, "sent log /nowhere/at/all.npy"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_line(
    options: tuple[str, ...], code: int, message: str
) -> None:
    status, said = await refused(*options)
    assert status == code
    assert message in said
    assert said.count("\n") == 1


async def test_a_child_that_cannot_start_is_an_error() -> None:
    with pytest.raises(WorkerError, match="exit code 4"):
        async with sim_process("--clip", "/nowhere.mp4"):
            pass
