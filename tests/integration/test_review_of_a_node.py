"""A node keeps frames for review: with their pictures and true probabilities, whatever becomes of workers."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

import vedette
from integration.changing import Node, config
from integration.harness import SMALL, Cameras, gone, wait_until, workers_of
from vedette.facts import Trouble
from vedette.quality.drift.decisions import Stage
from vedette.quality.review.rows import Item, State
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store

NAMES = ("cam0", "cam1")
EVERY = {"every": "200ms"}
ALL = {"per_hour": 18_000, "node_per_hour": 36_000}
"""Each frame that is studied: five a second."""


def with_review(cameras: Cameras, folder: Path, **more: Any) -> vedette.Config:
    return config(cameras, 2, **{"ledger": str(folder / "vedette.db"), "drift": EVERY, "review": ALL} | more)


def store(folder: Path) -> Store:
    return Store.open(folder / "review-node", readonly=True)


def items(folder: Path, camera: str | None = None) -> list[Item]:
    with store(folder) as opened:
        return opened.items(camera=camera)


def kept(node: Node, name: str, stream: str = "uniform") -> int:
    return (node.view(name).review or {}).get((stream, "kept"), 0)


def until_kept(node: Node, *names: str, more: int = 4) -> None:
    before = {name: kept(node, name) for name in names}
    wait_until(
        lambda: all(kept(node, name) >= before[name] + more for name in names),
        lambda: f"{more} more frames of {names}; they have {[kept(node, name) for name in names]}",
    )


def check_periods(folder: Path) -> None:
    """Each frame was drawn with certainty, so there is a row for each, and no other."""
    with store(folder) as opened:
        rows, periods = opened.items(), opened.periods(since=0, until=2e10)
    for name in NAMES:
        mine = [each for each in rows if each.camera == name]
        assert len({each.captured_at for each in mine}) == len(mine)
        assert {each.probability for each in mine} == {1.0}
        counted = [each for each in periods if each.camera == name]
        assert sum(each.frames for each in counted) == sum(each.kept for each in counted) == len(mine)
        assert sum(each.expected for each in counted) == len(mine)


def test_frames_are_kept_with_what_was_found_also_when_their_cameras_move(
    cameras: Cameras, tmp_path: Path
) -> None:
    with Node(with_review(cameras, tmp_path)) as node:
        until_kept(node, *NAMES)
        for worker in ("cameras-0", "cameras-1"):
            node.node.recycle(worker)
        until_kept(node, *NAMES)
        node.stop()
        report = node.node.report()["cameras"]["cam0"]["review"]
    rows = items(tmp_path, "cam0")
    assert report == {"uniform": {"kept": len(rows)}}
    check_periods(tmp_path)
    for item in rows:
        assert (item.width, item.height) == SMALL
        assert [(each.label, round(each.score, 3)) for each in item.predictions] == [("thing", 0.9)]
    assert len({item.model for item in rows}) == 1
    assert len(rows[0].model) == 64
    assert rows[-1].light.startswith(("colour", "infrared"))
    assert any(each.track_id is not None for each in rows[-1].predictions)
    with store(tmp_path) as opened:
        assert Image.open(io.BytesIO(opened.picture(rows[0].id))).size == SMALL
        assert (opened.pictures.stat().st_mode & 0o777) == 0o700


def test_a_worker_that_is_killed_takes_no_count_with_it(cameras: Cameras, tmp_path: Path) -> None:
    with Node(with_review(cameras, tmp_path, drift={**EVERY, "enabled": False})) as node:
        until_kept(node, *NAMES)
        killed = workers_of(os.getpid(), "camera")
        for process in killed:
            process.kill()
        assert gone(killed)
        until_kept(node, *NAMES)
        node.node.stop()
    check_periods(tmp_path)
    states = {item.state for item in items(tmp_path)}
    assert State.WAITING in states
    assert states <= {State.WAITING, State.DROPPED}
    with store(tmp_path) as opened:
        files = {path.relative_to(opened.pictures).as_posix() for path in opened.pictures.rglob("*.*")}
    assert files == {item.file for item in items(tmp_path) if item.bytes}, "no picture is left behind"


def test_a_camera_that_drift_suspects_gives_frames_for_that_reason(cameras: Cameras, tmp_path: Path) -> None:
    with Node(with_review(cameras, tmp_path, review={"per_hour": 0})) as node:
        drift = node.node._node.quality.drift
        assert drift is not None
        wait_until(lambda: set(drift.status) == set(NAMES), "both cameras are watched")

        def suspected() -> int:
            # What was found so far is no loss; the status is all that is pretended here.
            drift.status = {"cam0": replace(drift.status["cam0"], stage=Stage.SUSPECTED)}
            return kept(node, "cam0", "suspected_loss")

        wait_until(suspected, "a frame of cam0 is kept")
        assert node.node.report()["cameras"]["cam0"]["review"] == {"suspected_loss": {"kept": 1}}
        node.stop()
    [item] = items(tmp_path)
    assert (item.camera, item.reason, item.probability) == ("cam0", Reason.SUSPECTED_LOSS, None)
    with store(tmp_path) as opened:
        periods = opened.periods(since=0, until=2e10)
    assert {each.camera for each in periods} == set(NAMES)
    assert all(each.frames > 0 and each.kept == 0 for each in periods)


def test_it_can_be_switched_off(cameras: Cameras, tmp_path: Path) -> None:
    with Node(with_review(cameras, tmp_path, review=False)) as node:
        node.until_more(*NAMES)
        assert node.node._node.quality.review is None
        assert "review" not in node.node.report()["cameras"]["cam0"]
        node.stop()
    assert not (tmp_path / "review-node").exists()


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_frames(
    cameras: Cameras, tmp_path: Path
) -> None:
    (tmp_path / "review-node").write_text("not a folder")
    with Node(with_review(cameras, tmp_path)) as node:
        node.until_more(*NAMES)

        def failed() -> int:
            return (node.view("cam0").review or {}).get(("uniform", "failed"), 0)

        wait_until(failed, "frames are counted that could not be kept")
        node.until_more(*NAMES)
        troubles = [fact for fact in node.facts if isinstance(fact, Trouble)]
        assert [each.where for each in troubles] == ["review"]
        assert "review-node" in troubles[0].message
