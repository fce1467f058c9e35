"""Frames for review, where the node keeps them: rows, pictures, and of how many frames they are a part."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from patience import PATIENCE_S
from review_frames import accepted, noise
from vedette.facts import Trouble
from vedette.quality.drift.decisions import Stage
from vedette.quality.drift.monitor import Status
from vedette.quality.keeping import (
    JOBS_AT_MOST,
    PICTURES_AT_MOST,
    SWEEP_EVERY_S,
    WRITE_COUNTS_EVERY_S,
    ReviewKeeper,
)
from vedette.quality.review.rows import State
from vedette.quality.review.sampler import Orders
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store
from vedette.quality.settings import ReviewSettings
from vedette.roster import Roster
from vedette.settings import CameraSettings
from vedette.supervise.child import Child
from vedette.testing import ManualClock
from vedette.workers.protocol import Conditions, Drawn, Pictured, Review, Seen, Studied

MODEL = "ab" * 32
WALL = 1_700_000_400.0
WORKER = 4711


class World:
    """A node that keeps frames, and a worker that sends them."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.clock = ManualClock(wall_offset=WALL - 1000.0)
        self.told: list[Any] = []
        self.keeper = ReviewKeeper(
            ReviewSettings(**settings), folder=folder, every=1.0, tell=self.told.append, clock=self.clock
        )
        self.number = 0
        self.model = MODEL

    def studies(self, frames: int = 1, *, chance: float = 0.1, luma: float = 120.0) -> None:
        for _ in range(frames):
            self.clock.advance(1.0)
            seen = Seen(luma, 40.0, 1.0, 0.9, False)
            self.keeper.studied("gate", Studied(0, self.clock.now, b"", b"", b"", True, seen, chance))

    def draws(self, reason: str = "", *, worker: int = WORKER, camera: str = "gate") -> Drawn:
        self.clock.advance(1.0)
        self.number += 1
        drawn = Drawn(
            index=0,
            number=self.number,
            at=self.clock.wall(),
            width=64,
            height=48,
            xyxy=np.array([[1, 2, 30, 40], [5, 5, 9, 9], [9, 9, 5, 5]], np.float32).tobytes(),
            confidence=np.array([0.9, 0.2, 0.3], np.float32).tobytes(),
            track_id=np.array([7, -1, -1], np.int64).tobytes(),
            labels=["person", "car", "car"],
            reason=reason,
            probability=0.0 if reason else 0.1,
        )
        self.keeper.drawn(worker, camera, self.model, drawn)
        return drawn

    def keeps(self, reason: str = "", **more: Any) -> Drawn:
        drawn = self.draws(reason, **more)
        self.pictures(drawn)
        self.keeper.turn()
        return drawn

    def pictures(self, drawn: Drawn, worker: int = WORKER) -> None:
        self.keeper.pictured(worker, Pictured(drawn.number), jpeg())

    def store(self) -> Store:
        return Store.open(self.folder, readonly=True)

    def troubles(self) -> list[str]:
        return [fact.message for fact in self.told if isinstance(fact, Trouble)]


def jpeg(size: tuple[int, int] = (64, 48)) -> int:
    fd = os.memfd_create("picture")
    with os.fdopen(fd, "w+b", closefd=False) as file:
        Image.fromarray(noise(1, size[1], size[0])).save(file, "JPEG")
    return fd


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_frame_is_kept_with_what_was_found_and_the_model_that_found_it(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    world.studies(3)
    drawn = world.keeps()
    with world.store() as store:
        [item] = store.items()
        assert Image.open(io.BytesIO(store.picture(item.id))).size == (64, 48)
    assert (item.camera, item.reason, item.probability, item.state) == ("gate", None, 0.1, State.WAITING)
    assert item.captured_at == pytest.approx(drawn.at, abs=1e-6)
    assert item.model == MODEL
    assert item.light == "colour, luma 110 to 160"
    assert [(each.label, each.track_id) for each in item.predictions] == [("person", 7), ("car", None)]
    assert world.keeper.frames["gate"]["uniform", "kept"] == 1
    assert not world.told


def test_a_frame_is_of_the_model_that_looked_at_it_whoever_detects_by_now(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    held = world.draws("weak_boxes")
    world.model = "cd" * 32
    world.keeps()
    world.pictures(held)
    world.keeper.turn()
    with world.store() as store:
        assert [item.model for item in store.items()] == [MODEL, "cd" * 32]


def test_periods_are_of_all_frames_that_might_have_been_kept(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    world.studies(300)
    world.keeps()
    world.keeps("weak_boxes")
    world.studies(400)
    world.clock.advance(WRITE_COUNTS_EVERY_S)
    world.keeper.turn()
    with world.store() as store:
        periods = store.periods(since=0, until=2e9)
        assert len(store.items(uniform=False)) == 1
    assert [each.start for each in periods] == [WALL, WALL + 600]
    assert sum(each.frames for each in periods) == 701, "a targeted frame was told as one that was left"
    assert sum(each.kept for each in periods) == 1
    assert sum(each.expected for each in periods) == pytest.approx(70.1)


def test_counts_are_on_the_disk_when_a_frame_is(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    world.studies(30)
    world.keeps()
    with world.store() as store:  # nobody has closed anything
        [period] = store.periods(since=0, until=2e9)
    assert (period.frames, period.kept) == (31, 1)


def test_of_a_worker_that_dies_drawn_frames_are_known_to_have_been_drawn(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    world.draws()
    world.draws("suspected_loss")
    other = world.draws(worker=1)
    world.keeper.worker_gone(WORKER)
    world.pictures(other, worker=1)
    world.keeper.turn()
    with world.store() as store:
        assert store.counts() == {State.DROPPED: 1, State.WAITING: 1}
        [period] = store.periods(since=0, until=2e9)
    assert (period.frames, period.kept) == (2, 2)
    assert world.keeper.frames["gate"] == {
        ("uniform", "failed"): 1,
        ("suspected_loss", "failed"): 1,
        ("uniform", "kept"): 1,
    }
    assert "ended before its picture was made" in world.troubles()[0]


def test_a_disk_that_hangs_costs_frames_and_no_memory(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    for _ in range(JOBS_AT_MOST + 5):  # and the thread does not get to any of them
        world.draws("weak_boxes")
    world.keeper.worker_gone(WORKER)
    assert world.keeper.frames["gate"] == {("weak_boxes", "failed"): 5}
    world.keeper.turn()
    assert world.keeper.frames["gate"] == {("weak_boxes", "failed"): JOBS_AT_MOST + 5}


def test_a_picture_of_a_frame_that_nobody_knows_is_let_go(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    before = open_files()
    world.keeper.pictured(WORKER, Pictured(99), jpeg())
    world.keeper.turn()
    assert open_files() == before


def test_a_disk_that_hangs_costs_frames_and_not_memory(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    before = open_files()
    for _ in range(PICTURES_AT_MOST + 5):
        world.pictures(world.draws())
    assert open_files() == before + PICTURES_AT_MOST
    world.keeper.turn()
    with world.store() as store:
        assert store.counts() == {State.DROPPED: 5, State.WAITING: PICTURES_AT_MOST}
    assert "too slow" in world.troubles()[0]


def test_a_folder_that_cannot_be_written_is_told_once_and_frames_are_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    world = World(tmp_path / "file" / "review")
    before = open_files()
    for _ in range(5):
        world.studies(60)
        world.keeps()
    assert len(world.troubles()) == 1
    assert "review" in world.troubles()[0]
    assert world.keeper.frames["gate"] == {("uniform", "failed"): 5}
    assert open_files() == before
    # It is mended: what was counted meanwhile is not lost.
    (tmp_path / "file").unlink()
    world.studies(60)
    world.keeps()
    with world.store() as store:
        periods = store.periods(since=0, until=2e9)
    assert sum(each.frames for each in periods) == 6 * 61
    assert sum(each.kept for each in periods) == 1, "those that failed were not kept"


def test_a_budget_that_is_spent_is_told_and_the_frame_is_known(tmp_path: Path) -> None:
    world = World(tmp_path / "review", budget="1MB")
    store = Store.open(tmp_path / "review")
    for _ in range(40):
        drawn = world.draws()
        world.keeper.pictured(WORKER, Pictured(drawn.number), jpeg((600, 400)))
        world.keeper.turn()
        for item in store.items(states=[State.WAITING]):
            store.review(item.id, accepted(item))
        if world.troubles():
            break
    assert world.keeper.frames["gate"]["uniform", "no_room"] == 1
    assert "budget of 1 MB is spent" in world.troubles()[0]
    assert store.counts()[State.DROPPED] == 1
    store.close()


def test_files_that_a_crash_left_are_let_go_while_the_node_runs(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    world.keeps()
    left = tmp_path / "review" / "pictures" / "2023-11-14" / "gate_left.jpg"
    left.write_bytes(b"half")
    os.utime(left, (WALL, WALL))
    world.keeper.turn()
    assert left.exists(), "somebody may be writing it"
    world.clock.advance(SWEEP_EVERY_S + 1)
    world.keeper.turn()
    assert not left.exists()
    with world.store() as store:
        [item] = store.items()
        assert store.picture(item.id)


def test_it_runs_on_a_thread_of_its_own_and_writes_what_came_at_the_end(tmp_path: Path) -> None:
    world = World(tmp_path / "review")
    world.keeper.start()
    world.pictures(world.draws())
    world.studies(5)
    world.keeper.close(PATIENCE_S)
    with world.store() as store:
        assert len(store.items()) == 1
        [period] = store.periods(since=0, until=2e9)
    assert period.frames == 6


# ---- what workers are told


class Told(Child):
    """A camera worker without a process."""

    def __init__(self, number: int) -> None:
        super().__init__("camera", f"cameras-{number}", number + 1)
        self.ready, self.messages = True, list[Any]()
        self.process = 100 + number

    @property
    def pid(self) -> int:
        return self.process

    def send(self, message: Any, fds: Any = ()) -> bool:
        self.messages.append(message)
        return True

    def orders(self) -> list[Orders]:
        return [
            msgspec.msgpack.decode(each.orders, type=Orders)
            for each in self.messages
            if isinstance(each, Review)
        ]

    def conditions(self) -> list[Conditions]:
        return [each for each in self.messages if isinstance(each, Conditions)]


def roster(count: int, workers: int) -> Roster:
    cameras = {
        f"cam{number}": CameraSettings(name=f"cam{number}", url="rtsp://127.0.0.1/a", study_every=1.0)
        for number in range(count)
    }
    return Roster(cameras, range(workers))


def status(stage: Stage) -> Status:
    return Status(stage, "m", 1.0, 3, (3,), True, 0.0, 0, 0)


def test_workers_are_told_once_and_again_when_something_changes(tmp_path: Path) -> None:
    world = World(tmp_path, node_per_hour=4.0, targeted_node_per_hour=10.0)
    workers, cameras = [Told(0), Told(1)], roster(10, 2)
    for _ in range(3):
        world.keeper.instruct(workers, cameras, ["person"], b"spec", {}, at_once=True)
    for worker in workers:
        [orders] = worker.orders()
        assert orders.per_hour == pytest.approx(0.4), "they share what the node may keep"
        assert orders.worker_per_hour == pytest.approx(5.0)
        assert orders.expected == 600.0
        assert orders.names == ["person"]
        assert orders.model
        assert orders.by_reason["suspected_loss"] == 12.0
    assert workers[0].orders()[0].seed == workers[1].orders()[0].seed
    cameras.named("cam0").removed = True
    world.keeper.instruct(workers, cameras, ["person"], b"spec", {}, at_once=True)
    assert workers[0].orders()[-1].per_hour == pytest.approx(4 / 9)


def test_workers_are_told_how_drift_judges_their_cameras(tmp_path: Path) -> None:
    world = World(tmp_path)
    workers, cameras = [Told(0), Told(1)], roster(4, 2)
    known = {
        "cam0": status(Stage.SUSPECTED),
        "cam1": status(Stage.UNSEEN),
        "cam2": status(Stage.LEARNING),
    }
    world.keeper.instruct(workers, cameras, [], b"spec", {}, at_once=True)
    world.keeper.instruct(workers, cameras, [], b"spec", known)
    assert workers[0].conditions() == [Conditions([], [])], "once a second is enough"
    world.clock.advance(1.0)
    world.keeper.instruct(workers, cameras, [], b"spec", known)
    assert workers[0].conditions()[-1] == Conditions([0], [])
    assert workers[1].conditions()[-1] == Conditions([], [1])
    # It moves: whoever has it now is told.
    cameras.named("cam0").worker = 1
    world.clock.advance(1.0)
    world.keeper.instruct(workers, cameras, [], b"spec", known)
    assert workers[0].conditions()[-1] == Conditions([], [])
    assert workers[1].conditions()[-1] == Conditions([0], [1])


def test_a_new_process_is_told_everything(tmp_path: Path) -> None:
    world = World(tmp_path)
    worker, cameras = Told(0), roster(1, 1)
    world.keeper.instruct([worker], cameras, [], b"spec", {}, at_once=True)
    world.keeper.worker_gone(worker.process)
    worker.process = 200
    world.keeper.instruct([worker], cameras, [], b"spec", {}, at_once=True)
    assert len(worker.orders()) == len(worker.conditions()) == 2


def test_reasons_are_those_of_the_settings() -> None:
    settings = ReviewSettings(targeted={"weak_boxes": 6})
    assert settings.targeted[Reason.WEAK_BOXES] == 6.0
    assert settings.targeted[Reason.SUSPECTED_LOSS] == 12.0
