"""What a node looks like, read from its table."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from patience import NEVER_S
from vedette.causes import Blame, Cause, Kind
from vedette.config import Config
from vedette.facts import EndReason, Gap, Sees
from vedette.node import Node
from vedette.observe.views import CameraView
from vedette.observe.watch import Watch
from vedette.results import Boxes, Result
from vedette.workers.table import REASONS, CameraState, Stage, Table

URL = "rtsp://127.0.0.1:8554/"


def nothing(*_: Any) -> None:
    pass


@pytest.fixture
def node() -> Node:
    """Two cameras; not started, so nothing runs."""
    cameras = {"gate": {"url": URL + "gate"}, "yard": {"url": URL + "yard"}}
    return Node(Config(cameras=cameras), deliver=nothing, tell=nothing)


@pytest.fixture
def table(node: Node) -> Iterator[Table]:
    """As it is two seconds after a start."""
    node.table = Table.create(2, 1)
    node.started_at = time.monotonic() - 2
    yield node.table
    os.close(node.table.fd)


def test_before_the_start_every_camera_is_there_and_nothing_is_measured(node: Node) -> None:
    watch = Watch(node)
    for view in (watch.now(), watch.in_all()):
        assert view.cameras == (CameraView("gate"), CameraView("yard"))
        assert view.uptime_s == 0
        assert view.analysed_per_s == 0


def test_a_camera_is_shown_as_its_row_says(node: Node, table: Table) -> None:
    row = table.rows[1]
    row["received"], row["analysed"], row["superseded"], row["orphaned"] = 10, 4, 3, 1
    row["state"], row["epoch"], row["sessions"] = CameraState.WAITING, 2, 3
    row["last_end"] = REASONS.index(EndReason.STALLED)
    gate, yard = Watch(node).in_all().cameras
    assert (yard.name, yard.state, yard.epoch, yard.sessions) == ("yard", "waiting", 2, 3)
    assert yard.last_end_reason == "stalled"
    frames = yard.frames
    assert (frames.received, frames.analysed, frames.superseded, frames.orphaned) == (10, 4, 3, 1)
    assert frames.in_flight == 2
    assert gate.frames.received == 0
    assert gate.last_end_reason is None


def test_rates_in_all_are_since_the_start(node: Node, table: Table) -> None:
    table.rows["received"] = [50, 0]
    table.rows["analysed"] = [20, 0]
    view = Watch(node).in_all()
    assert view.uptime_s >= 2
    assert 0 < view.cameras[0].fps_in <= 25
    # Each figure has its own moment while it runs; afterwards all have the same.
    node.stopped_at = node.started_at + 2
    view = Watch(node).in_all()
    assert view.cameras[0].fps_in == pytest.approx(25)
    assert view.cameras[0].fps_analysed == pytest.approx(10)
    assert view.analysed_per_s == pytest.approx(10)


def test_rates_now_are_of_the_last_second(node: Node, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table.rows["received"] = [1_000_000, 0]
    watch = Watch(node)
    before = time.monotonic()
    assert watch.now().cameras[0].fps_in == 0, "one look is no rate"
    table.rows["received"] += 30
    with monkeypatch.context() as patched:
        # It is right after for however long the machine stands still.
        patched.setattr("vedette.observe.watch.RATE_OVER_S", NEVER_S)
        assert watch.now().cameras[0].fps_in == 0, "nor is one right after"
    time.sleep(1.05)
    fps = watch.now().cameras[0].fps_in
    assert 30 / (time.monotonic() - before) <= fps <= 30


def test_ages_and_stages_are_percentiles_in_milliseconds(node: Node, table: Table) -> None:
    for _ in range(99):
        table.record_age(0, 0.010)
    table.record_age(0, 0.200)
    table.record_stage(0, 0, Stage.INFER, 0.005)
    table.record_stage(1, 0, Stage.DECODE, 0.002)
    view = Watch(node).in_all()
    age = view.cameras[0].age_ms
    assert age.p50 == pytest.approx(10, rel=0.02)
    assert age.p99 == pytest.approx(10, rel=0.02)
    assert age.max == pytest.approx(200)
    assert view.stages_ms["infer"].p50 == pytest.approx(5, rel=0.02)
    assert view.stages_ms["decode"].p50 == pytest.approx(2, rel=0.02)
    assert view.stages_ms["track"].p50 == 0


def test_no_percentile_is_longer_than_the_longest(node: Node, table: Table) -> None:
    table.record_age(0, 0.0301)
    age = Watch(node).in_all().cameras[0].age_ms
    assert age.p50 <= age.p95 <= age.p99 <= age.max == pytest.approx(30.1)


def seen(camera: str, *names: str) -> Result:
    n = len(names)
    boxes = Boxes(
        np.zeros((n, 4), np.float32), np.ones(n, np.float32), np.zeros(n, np.int32), names,
        np.full(n, -1, np.int64),
    )  # fmt: skip
    return Result(camera, 0, 1, 0.0, 0.0, 0.0, 160, 96, boxes)


def test_the_objects_are_those_of_the_newest_result(node: Node, table: Table) -> None:
    table.rows["state"] = CameraState.LIVE
    watch = Watch(node)
    for names in (("car",), ("person", "person", "dog")):
        watch.saw(seen("yard", *names))
    gate, yard = watch.now().cameras
    assert yard.objects == {"person": 2, "dog": 1}
    assert gate.objects is None, "nothing was looked at yet"
    watch.saw(seen("yard"))
    assert watch.now().cameras[1].objects == {}


def test_of_a_camera_that_is_not_seen_nobody_knows_the_objects(node: Node, table: Table) -> None:
    table.rows["state"] = CameraState.LIVE
    watch = Watch(node)
    watch.saw(seen("yard", "car"))
    node.keeper.blind["yard"] = Gap(
        id="1", camera="yard", kind=Kind.BLIND, start=1, cause=Cause.FROZEN, blame=Blame.CAMERA
    )
    assert watch.now().cameras[1].objects is None
    watch.heard(Sees(at=1.0, camera="yard", epoch=1))
    del node.keeper.blind["yard"]
    assert watch.now().cameras[1].objects is None, "what was counted before says nothing about now"
    watch.saw(seen("yard", "dog"))
    assert watch.now().cameras[1].objects == {"dog": 1}
    for state in (CameraState.PAUSED, CameraState.WAITING, CameraState.CONNECTING):
        table.rows["state"] = state
        assert watch.now().cameras[1].objects is None


def test_time_stands_still_when_the_node_has_stopped(node: Node, table: Table) -> None:
    node.stopped_at = node.started_at + 1.5
    assert Watch(node).in_all().uptime_s == pytest.approx(1.5)


def test_a_camera_was_paused_when_somebody_paused_it_however_often_the_node_was_started_since(
    node: Node, table: Table
) -> None:
    table.rows["state"][1] = CameraState.PAUSED
    entry = node.roster.named("yard")
    entry.paused, entry.paused_at = True, 1000.5
    node.keeper.blind["yard"] = Gap(
        id="1", camera="yard", kind=Kind.BLIND, start=5_000_000_000, cause=Cause.PAUSED,
        blame=Blame.OPERATOR, detail="works on the roof",
    )  # fmt: skip
    yard = Watch(node).now().cameras[1]
    assert (yard.since, yard.detail) == (1000.5, "works on the roof")


def test_looking_while_a_node_is_being_built_is_no_error(node: Node) -> None:
    node.started_at = time.monotonic()  # the table is made a moment later, in another thread
    watch = Watch(node)
    assert [camera.name for camera in watch.now().cameras] == ["gate", "yard"]
    assert [camera.name for camera in watch.in_all().cameras] == ["gate", "yard"]
