"""Worker processes are killed and stopped; the node goes on, and no frame is unaccounted for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

import vedette
from integration.harness import (
    CALM,
    Cameras,
    Run,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    gone,
    has_one_session,
    track_ids,
    wait_until,
    workers_of,
)
from vedette.ingest.lane import BACKLOG_AT_MOST
from vedette.track.tracker import PAUSE_S


class Watched:
    """A node in this process whose results are collected and whose numbers are looked at all the time."""

    def __init__(self, config: vedette.Config) -> None:
        self.results: list[dict[str, Any]] = []
        self.wrong: list[object] = []
        self.most_in_flight = 0
        self.node = vedette.run(config, on_result=self._note)
        self._over = threading.Event()
        self._auditor = threading.Thread(target=self._audit)

    def _note(self, result: vedette.Result) -> None:
        tracks = [{"track_id": int(i)} for i in result.boxes.track_id if i >= 0]
        self.results.append(
            {
                "camera": result.camera,
                "epoch": result.epoch,
                "seq": result.seq,
                "captured_at": result.captured_at,
                "detections": tracks,
            }
        )

    def _audit(self) -> None:
        while not self._over.wait(0.02):
            for camera in self.node.view().cameras:
                frames = asdict(camera.frames)
                self.most_in_flight = max(self.most_in_flight, frames["in_flight"])
                if not adds_up(frames) or frames["in_flight"] < 0:
                    self.wrong.append((camera.name, frames))

    def __enter__(self) -> Watched:
        self._auditor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._auditor.join()
        self.node.stop()

    def of(self, camera: str) -> list[dict[str, Any]]:
        return [result for result in self.results if result["camera"] == camera]

    def until_more(self, cameras: Any, results: int = 5) -> None:
        """Wait until each camera has so many results more than now."""
        before = {name: len(self.of(name)) for name in cameras}
        wait_until(
            lambda: all(len(self.of(name)) >= before[name] + results for name in before),
            f"{results} more results of each camera",
        )

    def workers(self, kind: str) -> list[psutil.Process]:
        return workers_of(psutil.Process().pid, kind)

    def camera(self, name: str) -> Any:
        return next(camera for camera in self.node.view().cameras if camera.name == name)


@pytest.fixture
def watched(cameras: Cameras) -> Iterator[Watched]:
    """Four cameras in two workers, a detector that takes 5 ms."""
    config = vedette.Config(cameras=cameras.section(), detector=fake(seconds=0.005), defaults=CALM, workers=2)
    with Watched(config) as watched:
        watched.until_more(cameras.section())
        yield watched


def test_the_detector_is_killed_again_and_again_and_tracks_live_on(
    watched: Watched, cameras: Cameras
) -> None:
    for _ in range(3):
        (inference,) = watched.workers("inference")
        inference.kill()
        assert gone([inference])
        watched.until_more(cameras.section())
    watched.node.stop()
    assert not watched.wrong
    # A machine that is busy takes long for a frame, and then so many wait to be decoded.
    assert watched.most_in_flight <= 4 + BACKLOG_AT_MOST
    for name in cameras.section():
        results = watched.of(name)
        assert_in_order(results)
        assert set(track_ids(results)) == {0}
        stamps = [each["captured_at"] for each in results]
        paused = max(after - before for before, after in pairwise(stamps))
        # Ten seconds later anybody may stand in the same place, and no tracker tells.
        assert len(track_ids(results)[0]) == 1 or paused > PAUSE_S, "the track was cut"
    for camera in watched.node.report()["cameras"].values():
        assert adds_up(camera["frames"], in_flight=0)
        assert (camera["sessions"], camera["epoch"]) == (1, 0)


def test_no_descriptor_is_lost_when_a_detector_is_replaced(watched: Watched, cameras: Cameras) -> None:
    def replace() -> None:
        (inference,) = watched.workers("inference")
        inference.kill()
        assert gone([inference])
        watched.until_more(cameras.section(), 2)

    def descriptors() -> list[int]:
        return [process.num_fds() for process in (psutil.Process(), *watched.workers("camera"))]

    replace()
    # Who looks at the node opens files for a moment: the fewest are those that stay.
    before = [min(counts) for counts in zip(*(descriptors() for _ in range(20)), strict=True)]
    replace()
    wait_until(
        lambda: all(now <= then for now, then in zip(descriptors(), before, strict=True)),
        lambda: f"as few as {before}; there are {descriptors()}",
    )


def test_a_camera_worker_is_killed_and_only_its_own_cameras_begin_anew(
    watched: Watched, cameras: Cameras
) -> None:
    victim, other = watched.workers("camera")
    victim.kill()
    assert gone([victim])
    wait_until(lambda: sum(c.epoch for c in watched.node.view().cameras) == 2, "two cameras began anew")
    watched.until_more(cameras.section())
    fresh = {c.name for c in watched.node.view().cameras if c.epoch == 1}
    assert fresh in ({"cam0", "cam2"}, {"cam1", "cam3"})
    assert other.is_running()
    watched.node.stop()
    assert not watched.wrong
    for name, camera in watched.node.report()["cameras"].items():
        assert adds_up(camera["frames"], in_flight=0)
        if name in fresh:
            assert (camera["sessions"], camera["epoch"], camera["last_end_reason"]) == (2, 1, "worker_lost")
        else:
            assert has_one_session(camera)
        assert_in_order(watched.of(name))
        assert_no_track_id_in_two_epochs(watched.of(name))
        assert len(track_ids(watched.of(name))) == camera["sessions"]


def test_a_detector_that_is_stopped_is_replaced(cameras: Cameras) -> None:
    config = vedette.Config(
        cameras=cameras.section(), detector=fake(seconds=0.2), defaults=CALM, max_age="2s"
    )
    with Watched(config) as watched:
        watched.until_more(cameras.section(), 2)
        (inference,) = watched.workers("inference")
        inference.send_signal(signal.SIGSTOP)
        assert gone([inference])
        watched.until_more(cameras.section(), 2)
        assert not watched.wrong
        assert all(camera.epoch == 0 for camera in watched.node.view().cameras)


def test_a_detector_that_hangs_is_replaced_and_the_run_goes_on(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": cameras.section(), "detector": fake(timeout="1s", hangs_after=12)}
    with Run(tmp_path, config) as run:
        lost = "the detector was replaced twice"
        run.until(lambda run: len(run.saw("worker lost", worker="inference-0")) >= 2, lost)
        results = len(run.results)
        run.until(lambda run: len(run.results) > results, "there were results again")
        assert run.interrupt() == 0
        for lost_one in run.saw("worker lost", worker="inference-0"):
            assert "detector.timeout (1 s)" in lost_one["detail"]
        for camera in run.report["cameras"].values():
            assert adds_up(camera["frames"], in_flight=0)
            assert camera["epoch"] == 0
        assert sum(camera["frames"]["orphaned"] for camera in run.report["cameras"].values()) >= 2


def test_when_the_node_is_killed_its_workers_go_too(cameras: Cameras, tmp_path: Path) -> None:
    with Run(tmp_path, {"cameras": cameras.section(), "detector": fake(), "workers": 2}) as run:
        run.until_all_analysed(cameras.section())
        workers = run.descendants()
        assert len(workers) == 3
        run.process.kill()
        run.wait()
        assert gone(workers)
