"""A run is asked to stop: it does, soon, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from integration.harness import Cameras, Run, adds_up, fake, gone
from patience import NEVER_S


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_nothing_left_behind(
    number: signal.Signals, cameras: Cameras, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    shared_before = set(os.listdir("/dev/shm"))
    config = {"cameras": cameras.section(), "detector": fake(seconds=0.02), "workers": 2}
    with Run(tmp_path / "run", config, env={"TMPDIR": str(scratch)}) as run:
        run.until_all_analysed(cameras.section())
        children = run.descendants()
        assert run.interrupt(number) == 0
        assert gone(children), [each.cmdline() for each in children if each.is_running()]
    assert set(os.listdir("/dev/shm")) <= shared_before
    # The folder for nodes' sockets stays, for the next one.
    assert [path for path in scratch.rglob("*") if path.name != f"vedette-{os.getuid()}"] == []
    for camera in run.report["cameras"].values():
        assert adds_up(camera["frames"], in_flight=0)
    assert len(run.results) == sum(c["frames"]["analysed"] for c in run.report["cameras"].values())
    assert "Traceback" not in run.stderr


def test_a_signal_while_everything_starts_stops_it_too(cameras: Cameras, tmp_path: Path) -> None:
    with Run(tmp_path, {"cameras": cameras.section(), "detector": fake()}) as run:
        run.until(lambda run: len(run.descendants()) >= 2, "workers were started")
        children = run.descendants()
        assert run.interrupt(signal.SIGTERM) in (0, 1)  # 1: no camera gave a frame by then
        assert gone(children)
        assert set(run.report["cameras"]) == {"cam0", "cam1", "cam2", "cam3"}


def test_a_detector_that_hangs_does_not_hold_up_the_end(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": cameras.section(), "detector": fake(hangs_after=8)}
    with Run(tmp_path, config) as run:
        run.until(lambda run: run.results, "there was a result")
        children = run.descendants()
        assert run.interrupt() == 0
        assert gone(children)
        for camera in run.report["cameras"].values():
            assert adds_up(camera["frames"], in_flight=0)


def test_a_camera_that_says_nothing_does_not_hold_up_the_end(cameras: Cameras, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        section = {
            "cam0": {"url": cameras.url(0)},
            "silent": {"url": f"rtsp://127.0.0.1:{port}/x"},
            "silent_http": {"url": f"http://127.0.0.1:{port}/x"},
            "silent_udp": {"url": f"rtsp://127.0.0.1:{port}/x", "transport": "udp"},
        }
        defaults = {"connect_timeout": NEVER_S}
        with Run(tmp_path, {"cameras": section, "defaults": defaults, "detector": fake()}) as run:
            run.until_all_analysed(["cam0"])
            children = run.descendants()
            assert run.interrupt() == 0
            assert gone(children)
            assert run.report["cameras"]["cam0"]["frames"]["analysed"] >= 3
