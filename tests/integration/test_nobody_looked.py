"""Stretches in which cameras were well and nobody looked at them: ours to say, and said."""

from __future__ import annotations

import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import vedette
from integration.harness import CALM, Cameras, fake, gone, nobody_read, wait_until, workers_of
from patience import PATIENCE_S
from vedette.causes import Blame, Cause, Kind
from vedette.errors import ConfigError
from vedette.facts import AnyFact, Gap, GapClosed, GapOpened

CLOCK_S = 0.1
"""The ledger's time may be off from the clock's by a little."""


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

    def of_ours(self) -> list[Gap]:
        """Those after the start that are our own doing, but for moments in which the machine stood still."""
        return [gap for gap in self.closed[1:] if gap.blame is Blame.NODE and not nobody_read(gap)]

    def causes(self, camera: str) -> list[Cause]:
        return [gap.cause for gap in self.opened if gap.camera == camera]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def of_gate(cameras: Cameras, **more: Any) -> vedette.Config:
    section = {"gate": {"url": cameras.url(0)}}
    return vedette.Config(cameras=section, defaults=CALM, **{"detector": fake(), **more})


def test_a_detector_that_never_answers_in_time_leaves_cameras_blind(cameras: Cameras, heard: Heard) -> None:
    config = of_gate(cameras, detector=fake(seconds=0.6), max_age="300ms")
    # Not that it is still being loaded, which may be told before.
    told: list[Gap] = []

    def is_told() -> bool:
        told[:] = [gap for gap in heard.opened if "no result in" in gap.detail]
        return bool(told)

    with vedette.run(config, on_result=lambda _: None, on_fact=heard):
        wait_until(is_told, lambda: f"it is told: {heard.opened}")
    # It does look at pictures, too late for all of them.
    assert (told[0].kind, told[0].cause, told[0].blame) == (Kind.BLIND, Cause.OVERLOADED, Blame.NODE)


def test_a_worker_that_stands_still_is_replaced_and_that_is_on_record(cameras: Cameras, heard: Heard) -> None:
    with vedette.run(of_gate(cameras), on_result=lambda _: None, on_fact=heard):
        wait_until(lambda: any(gap.cause is Cause.STARTING for gap in heard.closed), "it sees")
        (worker,) = workers_of(psutil.Process().pid, "camera")
        worker.send_signal(signal.SIGSTOP)
        wait_until(heard.of_ours, "it is on record")
        told = time.time()
        assert gone([worker])
    starting, gap = heard.closed[0], heard.of_ours()[0]
    assert (gap.cause, gap.blame) == (Cause.WORKER_LOST, Blame.NODE)
    assert starting.end is not None
    assert gap.end is not None
    # From the last sign of it on; a worker is given up that was stopped for two seconds.
    assert starting.end <= gap.start < gap.end - 1_000_000
    assert gap.end <= (told + CLOCK_S) * 1e6


def test_opening_a_changed_camera_is_on_record(cameras: Cameras, heard: Heard) -> None:
    with vedette.run(of_gate(cameras), on_result=lambda _: None, on_fact=heard) as node:
        wait_until(lambda: heard.closed, "it sees")
        node.change_camera("gate", url=cameras.url(1))
        wait_until(lambda: [gap.cause for gap in heard.closed].count(Cause.STARTING) == 2, "it sees again")
    assert heard.causes("gate").count(Cause.STARTING) == 2


def test_a_tracker_that_cannot_be_made_changes_nothing(cameras: Cameras, heard: Heard) -> None:
    with vedette.run(of_gate(cameras), on_result=lambda _: None, on_fact=heard) as node:
        wait_until(lambda: heard.closed, "it sees")
        with pytest.raises(ConfigError, match="bogus"):
            node.add_camera(
                "yard", url=cameras.url(1), tracker={"type": "bytetrack", "options": {"bogus": 1}}
            )
        assert node.running
        assert list(node.config.cameras) == ["gate"]


def test_a_node_stops_though_its_ledger_is_locked(cameras: Cameras, heard: Heard, tmp_path: Path) -> None:
    file = tmp_path / "site.db"
    with vedette.run(of_gate(cameras, ledger=str(file)), on_result=lambda _: None, on_fact=heard) as node:
        wait_until(lambda: heard.closed, "it sees")
        other = sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        node.stop()  # though nobody lets go of it meanwhile
        other.execute("ROLLBACK")
        other.close()
