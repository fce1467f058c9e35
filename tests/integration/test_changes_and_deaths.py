"""Cameras are changed while workers die; and what a node that runs cannot change."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.changing import Node, Still, config
from integration.harness import Cameras, fake, gone, wait_until, workers_of
from vedette.errors import WorkerError
from vedette.facts import WorkerEnded


@pytest.fixture
def node(cameras: Cameras) -> Iterator[Node]:
    """cam0 and cam1 of four cameras, one in each of two workers."""
    with Node(config(cameras, 2)) as node:
        yield node


def test_what_a_running_node_cannot_change_stays_as_it_was_started(node: Node, cameras: Cameras) -> None:
    node.until_more("cam0", "cam1")
    started = node.node.config
    other = config(cameras, 3, workers=1)
    found = node.node.reload(other)
    assert (found.added, found.changed) == (("cam2",), ())
    node.until_more("cam2")
    assert node.node.config.workers == started.workers
    # Nor does a detector that is replaced because it died become another one unasked.
    (inference,) = workers_of(os.getpid(), "inference")
    inference.kill()
    assert gone([inference])
    node.until_more("cam0", "cam1", "cam2", results=20)
    assert all(node.of(name)[-1]["detections"] for name in ("cam0", "cam1", "cam2"))
    assert [node.view(name).epoch for name in ("cam0", "cam1")] == [0, 0]
    node.node.stop()
    with pytest.raises(WorkerError, match="not running"):
        node.node.add_camera("cam3", url=cameras.url(3))


def test_another_detector_takes_over_and_is_the_one_that_is_started_again(cameras: Cameras) -> None:
    with Node(config(cameras, 2)) as node:
        node.until_more("cam0", "cam1")
        other = config(cameras, 2, detector={**fake(seconds=0.003, boxes=[]), "confidence": 0.9})
        assert not node.node.reload(other), "the detector's threshold is the detector's"
        assert node.node.config.detector == other.detector
        (inference,) = workers_of(os.getpid(), "inference")
        inference.kill()
        assert gone([inference])
        node.until_more("cam0", "cam1", results=20)
        assert not any(node.of(name)[-1]["detections"] for name in ("cam0", "cam1"))
        assert not node.node.reload(other), "nothing is left to change"
        assert [node.view(name).epoch for name in ("cam0", "cam1")] == [0, 0]


def test_a_worker_dies_in_the_middle_of_changes_and_all_ends_well(node: Node, cameras: Cameras) -> None:
    node.node.reload(config(cameras, 4))
    node.until_more("cam0", "cam1", "cam2", "cam3")
    # cam0 and cam2 have one worker, cam1 and cam3 the other.
    victim, survivor = workers_of(os.getpid(), "camera")
    other = Still(node, "cam1", "cam3")
    victim.send_signal(signal.SIGSTOP)  # so that it hears nothing of what follows
    node.node.pause("cam0", "for a while")
    node.node.remove_camera("cam2")
    victim.kill()
    assert gone([victim])
    wait_until(lambda: [f for f in node.facts if isinstance(f, WorkerEnded)], "it was noticed")
    node.until_state("cam0", "paused")
    node.until_state("cam2", "removed")
    for name in ("cam0", "cam2"):
        wait_until(lambda name=name: node.view(name).frames.in_flight == 0, f"{name}: nothing is in flight")
    node.quiet("cam0", "cam2")
    assert node.view("cam0").blind == "paused"
    # Once more, and what is said while the next one starts counts too.
    for each in workers_of(os.getpid(), "camera"):
        if each not in (victim, survivor):
            each.kill()
            assert gone([each])
    node.node.resume("cam0")
    node.node.add_camera("cam2", url=cameras.url(2))
    node.node.pause("cam2")
    node.until_more("cam0")
    node.until_state("cam2", "paused")
    node.node.resume("cam2")
    node.until_more("cam2")
    other.check()
    node.stop()


def test_a_camera_that_is_added_at_once_goes_on_where_the_record_left_it(
    cameras: Cameras, tmp_path: Path
) -> None:
    """The node may not have opened its ledger yet when the camera is added."""
    url = str(tmp_path / "record.db")
    with Node(config(cameras, 3, ledger=url)) as first:
        first.until_more("cam2")
        first.stop()
    with Node(config(cameras, 1, ledger=url)) as second:
        second.node.add_camera("cam2", url=cameras.url(2))
        second.until_more("cam2")
        second.stop()
    ids = [
        {t["track_id"] for each in node.of("cam2") for t in each["detections"]} for node in (first, second)
    ]
    assert ids[0]
    assert ids[1]
    assert max(ids[0]) < min(ids[1])
    assert first.of("cam2")[-1]["epoch"] < second.of("cam2")[0]["epoch"]
