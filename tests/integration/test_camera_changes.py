"""Cameras are added, changed, removed, paused and resumed while a node runs; the others notice nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from integration.changing import GONE, Node, Still, check_ends, config
from integration.harness import Cameras, wait_until
from vedette.causes import Blame, Cause
from vedette.errors import ConfigError
from vedette.facts import CameraAdded, CameraRemoved


@pytest.fixture(scope="module")
def shared(cameras: Cameras) -> Iterator[Node]:
    """One node for all of these: the longer it lives, the more can have gone wrong when it is looked at."""
    with Node(config(cameras, 2)) as node:
        yield node
        node.stop()


@pytest.fixture
def node(shared: Node, cameras: Cameras) -> Node:
    """cam0 and cam1 of four cameras, one in each of two workers."""
    shared.reset(cameras)
    return shared


def test_a_camera_is_added_and_removed_and_added_again_and_goes_on_where_it_was(
    node: Node, cameras: Cameras
) -> None:
    still = Still(node, "cam0", "cam1")
    node.node.add_camera("cam2", url=cameras.url(2), max_fps=10)
    node.until_more("cam2")
    assert "cam2" in node.node.config.cameras
    first = node.view("cam2")
    node.until_gap("cam2", Cause.STARTING, over=True)

    node.node.remove_camera("cam2")
    node.until_state("cam2", "removed")
    assert "cam2" not in node.node.config.cameras
    node.quiet("cam2")
    received = node.view("cam2").frames.received
    assert node.view("cam2").last_end_reason == "closed"
    wait_until(lambda: all(gap.end is not None for gap in node.gaps("cam2")), "nobody is responsible for it")

    node.node.add_camera("cam2", url=cameras.url(2))
    node.until_more("cam2", results=15)
    assert (node.view("cam2").epoch, node.view("cam2").sessions) == (first.epoch + 1, first.sessions + 1)
    assert node.view("cam2").frames.received > received
    # The last ones of before may have been on their way to us for as long as we liked to wait for quiet.
    before = [result for result in node.of("cam2") if result["epoch"] <= first.epoch]
    after = node.of("cam2")[len(before) :]
    assert after[0]["seq"] > before[-1]["seq"]
    assert {result["epoch"] for result in after} == {first.epoch + 1}
    ids = [{t["track_id"] for each in part for t in each["detections"]} for part in (before, after)]
    assert ids[0]
    assert ids[1]
    assert max(ids[0]) < min(ids[1])
    still.check()
    kinds = [
        type(f) for f in node.facts if isinstance(f, (CameraAdded, CameraRemoved)) and f.camera == "cam2"
    ]
    assert kinds == [CameraAdded, CameraRemoved, CameraAdded]


def test_a_change_opens_the_camera_anew_and_no_other(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam1")
    node.until_more("cam0")
    before = node.view("cam0")
    node.node.change_camera("cam0", max_fps=5)
    wait_until(lambda: node.view("cam0").sessions == before.sessions + 1, "it was opened anew")
    node.until_more("cam0")
    assert node.view("cam0").epoch == before.epoch + 1
    assert node.node.config.cameras["cam0"].max_fps == 5
    assert node.node.config.cameras["cam0"].url == cameras.url(0), "the rest of it is as it was"
    seen = len(node.of("cam0"))
    node.until_more("cam0", results=15)
    stamps = [result["captured_at"] for result in node.of("cam0")[seen:]]
    # The first may be late by an interval, the last early by half of one, and either as old as may be.
    assert stamps[-1] - stamps[0] >= (len(stamps) - 1 - 1.5) / 5 - 1.0
    still.check()


def test_a_change_of_its_weight_touches_no_session(node: Node) -> None:
    still = Still(node, "cam0", "cam1")
    node.node.change_camera("cam0", priority="high")
    still.check()


def test_a_camera_that_is_sent_elsewhere_is_blind_until_it_is_sent_back(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam1")
    node.until_more("cam0")
    node.node.change_camera("cam0", url=GONE)
    node.until_gap("cam0", Cause.REFUSED)
    node.quiet("cam0")
    node.node.change_camera("cam0", url=cameras.url(0))
    node.until_more("cam0")
    wait_until(lambda: node.gaps("cam0")[-1].end is not None, "it is over")
    still.check()


def test_a_pause_is_a_gap_that_says_so_and_ends_with_the_resumption(node: Node) -> None:
    still = Still(node, "cam1")
    node.until_more("cam0")
    before = node.view("cam0")
    for _ in range(2):  # a second time says nothing new
        node.node.pause("cam0", "the door is being painted")
    opened = node.until_gap("cam0", Cause.PAUSED)
    assert (opened.blame, opened.end) == (Blame.OPERATOR, None)
    assert "the door is being painted" in opened.detail
    node.until_state("cam0", "paused")
    node.quiet("cam0")
    assert (node.view("cam0").blind, node.view("cam0").blame) == ("paused", "operator")
    assert node.view("cam0").last_end_reason == "closed"
    for _ in range(2):
        node.node.resume("cam0")
    closed = node.until_gap("cam0", Cause.PAUSED, over=True)
    assert closed.id == opened.id
    assert closed.end is not None
    assert closed.end - closed.start > 200_000
    node.until_more("cam0")
    wait_until(lambda: node.view("cam0").blind is None, "it is seen")
    assert len([gap for gap in node.gaps("cam0") if gap.cause is Cause.PAUSED]) == 1
    assert (node.view("cam0").epoch, node.view("cam0").sessions) == (before.epoch + 1, before.sessions + 1)
    still.check()


def test_what_is_changed_in_a_pause_counts_after_it(node: Node, cameras: Cameras) -> None:
    node.until_more("cam0", "cam1")
    node.node.pause("cam0")
    node.until_state("cam0", "paused")
    node.node.change_camera("cam0", url=GONE)
    node.quiet("cam0")
    assert node.view("cam0").state == "paused"
    node.node.resume("cam0")
    node.until_gap("cam0", Cause.REFUSED)
    node.node.pause("cam0")
    node.node.remove_camera("cam0")
    node.node.add_camera("cam0", url=cameras.url(0))
    node.until_more("cam0")


def test_what_cannot_be_is_refused_and_nothing_has_changed(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam0", "cam1")
    before = node.node.config
    change = node.node
    for wrong, says in (
        (lambda: change.add_camera("cam0", url=cameras.url(3)), "there is a camera 'cam0' already"),
        (lambda: change.add_camera("cam2", url="gopher://127.0.0.1/x"), "cameras.cam2.url"),
        (lambda: change.add_camera("cam2", url=cameras.url(2), colour="red"), "colour"),
        (lambda: change.add_camera("Not A Name", url=cameras.url(2)), "a camera's name"),
        (lambda: change.add_camera("cam2"), "url"),
        (lambda: change.add_camera("cam2", url=cameras.url(2), every_frame=True), "every_frame"),
        (lambda: change.change_camera("cam0", max_fps=-1), "max_fps"),
        (lambda: change.change_camera("cam0", url="nothing://u:secret@127.0.0.1/x"), "cameras.cam0.url"),
        (lambda: change.change_camera("cam9", max_fps=1), "cam9"),
        (lambda: change.remove_camera("cam9"), "cam9"),
        (lambda: change.pause("cam9"), "cam9"),
        (lambda: change.resume("cam9"), "cam9"),
    ):
        with pytest.raises(ConfigError) as refused:
            wrong()
        assert says in str(refused.value)
        assert "secret" not in str(refused.value)
        assert change.config == before
    still.check()
    there = [camera.name for camera in change.view().cameras if camera.state != "removed"]
    assert there == ["cam0", "cam1"]
    change.remove_camera("cam0")
    with pytest.raises(ConfigError, match="camera"):
        change.remove_camera("cam1")
    assert list(change.config.cameras) == ["cam1"]
    with pytest.raises(ConfigError, match="cam0"):
        change.pause("cam0")
    Still(node, "cam1").check()


def test_another_configuration_is_applied_and_what_is_the_same_in_both_is_not_touched(
    node: Node, cameras: Cameras
) -> None:
    still = Still(node, "cam1")
    both = config(cameras, 2).with_camera("cam2", {"url": cameras.url(2)}).without_camera("cam0")
    found = node.node.reload(both)
    assert (found.added, found.removed, found.changed) == (("cam2",), ("cam0",), ())
    node.until_more("cam2")
    node.until_state("cam0", "removed")
    assert not node.node.reload(both)
    found = node.node.reload(config(cameras, 2))
    assert (found.added, found.removed, found.changed) == (("cam0",), ("cam2",), ())
    node.until_more("cam0")
    still.check()


def test_another_priority_is_said_and_nothing_is_opened_anew_for_it(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam0", "cam1")
    dearer = config(cameras, 2).with_camera("cam0", {**cameras.section()["cam0"], "priority": "high"})
    found = node.node.reload(dearer)
    assert (found.added, found.removed, found.changed, found.weighed) == ((), (), (), ("cam0",))
    assert node.view("cam0").priority == 2.0
    assert not node.node.reload(dearer)
    still.check()


def test_results_of_a_clip_that_is_added_are_waited_for(node: Node, clips: Path) -> None:
    still = Still(node, "cam0")
    node.node.add_camera("clip", url=str(clips / "h264.mp4"), every_frame=True)
    node.until_state("clip", "finished")
    wait_until(lambda: len(node.of("clip")) == 30, "each frame has its result")
    assert node.view("clip").frames.analysed == 30
    node.node.pause("clip")
    assert node.view("clip").state == "finished", "what is over cannot be paused"
    node.node.remove_camera("clip")
    assert not node.node.finished, "it is not this node's any more"
    node.node.add_camera("clip", url=str(clips / "h264.mp4"), every_frame=True)
    wait_until(lambda: len(node.of("clip")) == 60, "it is played again")
    still.check()


def test_twenty_changes_in_quick_succession_end_where_they_should(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam1")
    rng = random.Random(20)
    there: dict[str, str] = {"cam0": cameras.url(0)}
    paused: set[str] = set()
    for _ in range(20):
        name = rng.choice(["cam0", "cam2", "cam3"])
        what = rng.choice(["add", "remove", "change", "pause", "resume"])
        if name not in there:
            there[name] = rng.choice([GONE, cameras.url(int(name[3:]))])
            node.node.add_camera(name, url=there[name])
        elif what == "remove":
            node.node.remove_camera(name)
            del there[name]
            paused.discard(name)
        elif what in ("pause", "resume"):
            getattr(node.node, what)(name)
            (paused.add if what == "pause" else paused.discard)(name)
        else:
            there[name] = rng.choice([GONE, cameras.url(int(name[3:]))])
            node.node.change_camera(name, url=there[name])
        if rng.random() < 0.3:
            time.sleep(rng.uniform(0, 0.3))
    assert {name: camera.url for name, camera in node.node.config.cameras.items() if name != "cam1"} == there
    check_ends(node, there, paused)
    still.check()


SEQUENCES = (
    "remove, add, remove",
    "pause, resume, pause",
    "change to nothing, change back",
    "change back, change to nothing",
    "change to nothing, pause, change back, resume, change to nothing, change back",
    "remove, add, pause",
    "pause, remove, add",
)


def test_the_last_word_counts_however_quickly_it_comes(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam1")
    for sequence in SEQUENCES:
        node.node.reload(config(cameras, 2))
        node.node.resume("cam0")
        node.until_more("cam0")
        url, paused, removed = cameras.url(0), False, False
        for step in sequence.split(", "):
            if step == "remove":
                node.node.remove_camera("cam0")
                removed, paused = True, False
            elif step == "add":
                node.node.add_camera("cam0", url=url)
                removed = False
            elif step.startswith("change"):
                url = GONE if step.endswith("nothing") else cameras.url(0)
                node.node.change_camera("cam0", url=url)
            else:
                getattr(node.node, step)("cam0")
                paused = step == "pause"
        check_ends(node, {} if removed else {"cam0": url}, {"cam0"} if paused else set())
    still.check()


def test_what_the_record_says_is_whole_whatever_was_changed(node: Node, cameras: Cameras) -> None:
    """Blind rows of a camera never overlap, and none stays open for a camera that is gone."""

    def causes() -> list[Cause]:
        return [gap.cause for gap in node.gaps("cam2")]

    node.until_more("cam0", "cam1")
    node.node.add_camera("cam2", url=GONE)
    node.until_gap("cam2", Cause.REFUSED)
    node.node.pause("cam2")
    node.until_gap("cam2", Cause.PAUSED)
    node.node.change_camera("cam2", url=cameras.url(2))
    node.node.resume("cam2")
    node.until_more("cam2")
    node.node.pause("cam2")
    wait_until(lambda: causes().count(Cause.PAUSED) == 2, "it is told to be paused again")
    node.node.remove_camera("cam2")
    node.node.add_camera("cam2", url=cameras.url(2))
    node.until_more("cam2")
    node.node.remove_camera("cam2")
    node.until_state("cam2", "removed")
    wait_until(lambda: all(gap.end is not None for gap in node.gaps("cam2")), "none stays open")
    rows = sorted(node.gaps("cam2"), key=lambda gap: gap.start)
    assert all(before.end <= after.start for before, after in pairwise(rows))  # type: ignore[operator]
    assert causes().count(Cause.PAUSED) == 2
