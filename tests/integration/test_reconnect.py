"""Cameras that go away and come back."""

from __future__ import annotations

import signal
from pathlib import Path

from integration.conftest import publish_clip
from integration.harness import (
    Cameras,
    Run,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    track_ids,
)
from servers import MediaMTX


def until_epoch(run: Run, camera: str, epoch: int) -> None:
    what = f"{camera} was analysed in epoch {epoch}"
    run.until(lambda run: any(each["epoch"] == epoch for each in run.results_of(camera)), what)


def check(run: Run, camera: str, sessions: int) -> None:
    report = run.report["cameras"][camera]
    assert (report["sessions"], report["epoch"]) == (sessions, sessions - 1)
    assert adds_up(report["frames"], in_flight=0)
    results = run.results_of(camera)
    assert_in_order(results)
    assert_no_track_id_in_two_epochs(results)
    assert set(track_ids(results)) == set(range(sessions))


def test_cameras_come_back_with_a_new_epoch_after_their_server_was_away(
    cameras: Cameras, tmp_path: Path
) -> None:
    with Cameras(2) as fickle:
        section = {**fickle.section("fickle"), "steady": {"url": cameras.url(0)}}
        config = {"cameras": section, "detector": fake(), "defaults": {"track_grace": 0}}
        with Run(tmp_path, config) as run:
            run.until_all_analysed(section)
            for epoch in (1, 2):
                fickle.stop()
                ended = len(run.saw("session ended"))
                run.until(lambda run, ended=ended: len(run.saw("session ended")) > ended, "it was noticed")
                fickle.start()
                until_epoch(run, "fickle0", epoch)
                until_epoch(run, "fickle1", epoch)
            assert run.interrupt() == 0
    check(run, "fickle0", 3)
    check(run, "fickle1", 3)
    check(run, "steady", 1)


def test_a_camera_of_mediamtx_comes_back_when_its_publisher_does(clips: Path, tmp_path: Path) -> None:
    with MediaMTX(tmp_path) as server:
        publisher = publish_clip(server, "gate", clips)
        with Run(
            tmp_path / "run", {"cameras": {"gate": {"url": server.url("gate")}}, "detector": fake()}
        ) as run:
            run.until_all_analysed(["gate"])
            publisher.kill()
            publisher.wait()
            run.until(lambda run: run.saw("session ended", camera="gate"), "the end was noticed")
            publish_clip(server, "gate", clips)
            until_epoch(run, "gate", 1)
            assert run.interrupt() == 0
    check(run, "gate", 2)


def test_a_camera_that_hangs_is_stalled_and_comes_back(clips: Path, tmp_path: Path) -> None:

    with MediaMTX(tmp_path) as server:
        publisher = publish_clip(server, "gate", clips)
        limits = {"stall_after": "1s", "hang_up_after": "1s", "track_grace": 0}
        section = {"gate": {"url": server.url("gate"), **limits}}
        with Run(tmp_path / "run", {"cameras": section, "detector": fake()}) as run:
            # By then it is known how its frames usually come.
            run.until_all_analysed(["gate"], results=120)
            publisher.send_signal(signal.SIGSTOP)
            run.until(lambda run: run.saw("session ended", camera="gate"), "the stall was noticed")
            assert run.saw("session ended", camera="gate")[0]["reason"] == "stalled"
            publisher.send_signal(signal.SIGCONT)
            run.until(lambda run: any(each["epoch"] > 0 for each in run.results), "it came back")
            assert run.interrupt() == 0
    report = run.report["cameras"]["gate"]
    assert report["sessions"] > 1
    assert adds_up(report["frames"], in_flight=0)
    assert_in_order(run.results)
    assert_no_track_id_in_two_epochs(run.results)
