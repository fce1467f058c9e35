"""Stretches in which cameras were well and nobody looked at them: ours to say, and said."""

from __future__ import annotations

import signal
import sqlite3
import time
from pathlib import Path

import psutil
import pytest

import vedette
from integration.harness import Cameras, fake, gone, wait_until, workers_of
from vedette.causes import Blame, Cause
from vedette.errors import ConfigError
from vedette.facts import AnyFact, Gap, GapClosed, GapOpened


class Heard:
    """The gaps of a node as they are told."""

    def __init__(self) -> None:
        self.opened: list[Gap] = []
        self.closed: list[Gap] = []

    def __call__(self, fact: AnyFact) -> None:
        if isinstance(fact, GapOpened):
            self.opened.append(fact.gap)
        elif isinstance(fact, GapClosed):
            self.closed.append(fact.gap)

    def causes(self, camera: str) -> list[Cause]:
        return [gap.cause for gap in self.opened if gap.camera == camera]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_a_detector_that_never_answers_in_time_leaves_cameras_blind(cameras: Cameras, heard: Heard) -> None:
    config = vedette.Config(
        cameras={"gate": {"url": cameras.url(0)}}, detector=fake(seconds=0.6), max_age="300ms"
    )
    with vedette.run(config, on_result=lambda _: None, on_fact=heard):
        wait_until(lambda: Cause.DETECTOR_LOST in heard.causes("gate"), "it is told")
    lost = [gap for gap in heard.opened if gap.cause is Cause.DETECTOR_LOST]
    assert {gap.blame for gap in lost} == {Blame.INFERENCE}


def test_a_worker_that_stands_still_is_replaced_and_that_is_on_record(cameras: Cameras, heard: Heard) -> None:
    config = vedette.Config(cameras={"gate": {"url": cameras.url(0)}}, detector=fake())
    with vedette.run(config, on_result=lambda _: None, on_fact=heard):
        wait_until(lambda: any(gap.cause is Cause.STARTING for gap in heard.closed), "it sees")
        (worker,) = workers_of(psutil.Process().pid, "camera")
        before = time.monotonic()
        worker.send_signal(signal.SIGSTOP)
        wait_until(lambda: any(gap.blame is Blame.NODE for gap in heard.closed[1:]), "it is on record")
        told = time.monotonic()
        assert gone([worker])
    gap = next(gap for gap in heard.closed[1:] if gap.blame is Blame.NODE)
    assert gap.cause is Cause.WORKER_LOST
    assert gap.end is not None
    # From the last sign of it on; a worker is given up that was stopped for two seconds.
    assert 1 < (gap.end - gap.start) / 1e6 < told - before + 2


def test_opening_a_changed_camera_is_on_record(cameras: Cameras, heard: Heard) -> None:
    config = vedette.Config(cameras={"gate": {"url": cameras.url(0)}}, detector=fake())
    with vedette.run(config, on_result=lambda _: None, on_fact=heard) as node:
        wait_until(lambda: heard.closed, "it sees")
        node.change_camera("gate", url=cameras.url(1))
        wait_until(lambda: [gap.cause for gap in heard.closed].count(Cause.STARTING) == 2, "it sees again")
    assert heard.causes("gate").count(Cause.STARTING) == 2


def test_a_tracker_that_cannot_be_made_changes_nothing(cameras: Cameras, heard: Heard) -> None:
    config = vedette.Config(cameras={"gate": {"url": cameras.url(0)}}, detector=fake())
    with vedette.run(config, on_result=lambda _: None, on_fact=heard) as node:
        wait_until(lambda: heard.closed, "it sees")
        with pytest.raises(ConfigError, match="bogus"):
            node.add_camera(
                "yard", url=cameras.url(1), tracker={"type": "bytetrack", "options": {"bogus": 1}}
            )
        assert node.running
        assert list(node.config.cameras) == ["gate"]


def test_a_node_stops_though_its_ledger_is_locked(cameras: Cameras, heard: Heard, tmp_path: Path) -> None:
    file = tmp_path / "site.db"
    config = vedette.Config(cameras={"gate": {"url": cameras.url(0)}}, detector=fake(), ledger=str(file))
    with vedette.run(config, on_result=lambda _: None, on_fact=heard) as node:
        wait_until(lambda: heard.closed, "it sees")
        other = sqlite3.connect(file, timeout=10, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        node.stop()  # though nobody lets go of it meanwhile
        other.execute("ROLLBACK")
        other.close()
