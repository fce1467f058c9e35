"""Cameras are added, changed, removed, paused and resumed while a node runs; the others notice nothing."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import vedette
from integration.harness import (
    Cameras,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    gone,
    wait_until,
    workers_of,
)
from vedette.causes import Blame, Cause, Kind
from vedette.errors import ConfigError, WorkerError
from vedette.facts import CameraAdded, CameraRemoved, Gap, GapClosed, GapOpened, Trouble, WorkerEnded
from vedette.running import RunningNode

GONE = "rtsp://127.0.0.1:9/nothing"


class Node:
    """A node in this process: all its results and facts, and its numbers looked at all the time."""

    def __init__(self, config: vedette.Config) -> None:
        self.results: list[dict[str, Any]] = []
        self.facts: list[Any] = []
        self.wrong: list[object] = []
        self.node: RunningNode = vedette.run(config, on_result=self._note, on_fact=self.facts.append)
        self._over = threading.Event()
        self._auditor = threading.Thread(target=self._audit)

    def _note(self, result: vedette.Result) -> None:
        tracks = [{"track_id": int(i)} for i in result.boxes.track_id if i >= 0]
        self.results.append(
            {"camera": result.camera, "epoch": result.epoch, "seq": result.seq, "detections": tracks}
        )

    def _audit(self) -> None:
        while not self._over.wait(0.02):
            for camera in self.node.view().cameras:
                frames = asdict(camera.frames)
                if not adds_up(frames) or frames["in_flight"] < 0:
                    self.wrong.append((camera.name, frames))

    def __enter__(self) -> Node:
        self._auditor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._auditor.join()
        self.node.stop()

    def stop(self) -> None:
        """And look whether the books are in order."""
        self.node.stop()
        assert not self.wrong
        for camera in self.node.report()["cameras"].values():
            assert adds_up(camera["frames"], in_flight=0)
        for name in {result["camera"] for result in self.results}:
            assert_in_order(self.of(name))
            assert_no_track_id_in_two_epochs(self.of(name))
        troubles = [fact for fact in self.facts if isinstance(fact, Trouble)]
        assert not troubles

    def of(self, camera: str) -> list[dict[str, Any]]:
        return [result for result in self.results if result["camera"] == camera]

    def until_more(self, *cameras: str, results: int = 5, seconds: float = 30) -> None:
        before = {name: len(self.of(name)) for name in cameras}
        wait_until(
            lambda: all(len(self.of(name)) >= before[name] + results for name in before),
            f"{results} more results of each of {cameras}",
            seconds,
        )

    def view(self, name: str) -> Any:
        return next(camera for camera in self.node.view().cameras if camera.name == name)

    def until_state(self, name: str, state: str) -> None:
        wait_until(lambda: self.view(name).state == state, f"{name} is {state}")

    def quiet(self, *cameras: str) -> None:
        """No result of these comes any more."""
        before = len([each for each in self.results if each["camera"] in cameras])
        received = [self.view(name).frames.received for name in cameras]
        time.sleep(0.3)
        assert len([each for each in self.results if each["camera"] in cameras]) == before
        assert [self.view(name).frames.received for name in cameras] == received

    def gaps(self, camera: str) -> list[Gap]:
        """Its blind rows as they are now, in the order in which they opened."""
        rows: dict[str, Gap] = {}
        for fact in list(self.facts):
            gap = getattr(fact, "gap", None)
            if gap is not None and gap.camera == camera and gap.kind is Kind.BLIND:
                rows[gap.id] = gap
        return list(rows.values())

    def until_gap(self, camera: str, cause: Cause, *, over: bool = False) -> Gap:
        kind = GapClosed if over else GapOpened

        def found() -> list[Gap]:
            return [
                fact.gap
                for fact in list(self.facts)
                if isinstance(fact, kind) and fact.gap.camera == camera and fact.gap.cause is cause
            ]

        wait_until(found, f"{cause} of {camera}; its gaps are {self.gaps(camera)}")
        return found()[-1]


class Still:
    """What must not happen to cameras that nobody touches."""

    def __init__(self, node: Node, *names: str) -> None:
        node.until_more(*names)
        self._node, self._names = node, names
        self._before = [self._now(name) for name in names]

    def _now(self, name: str) -> tuple[object, ...]:
        view = self._node.view(name)
        return view.name, view.epoch, view.sessions, view.state, view.last_end_reason, view.gaps

    def check(self) -> None:
        self._node.until_more(*self._names)
        assert [self._now(name) for name in self._names] == self._before


def config(cameras: Cameras, count: int, **more: Any) -> vedette.Config:
    """``count`` of them in two workers, each with an epoch per session."""
    section = dict(list(cameras.section().items())[:count])
    given = {"detector": fake(seconds=0.003), "workers": 2, "defaults": {"track_grace": 0}, **more}
    return vedette.Config(cameras=section, **given)


@pytest.fixture
def node(cameras: Cameras) -> Iterator[Node]:
    """cam0 and cam1 of four cameras, one in each of two workers."""
    with Node(config(cameras, 2)) as node:
        yield node


def test_a_camera_is_added_and_removed_and_added_again_and_goes_on_where_it_was(
    node: Node, cameras: Cameras
) -> None:
    still = Still(node, "cam0", "cam1")
    node.node.add_camera("cam2", url=cameras.url(2), max_fps=10)
    node.until_more("cam2")
    assert "cam2" in node.node.config.cameras
    assert node.view("cam2").epoch == 0
    node.until_gap("cam2", Cause.STARTING, over=True)

    node.node.remove_camera("cam2")
    node.until_state("cam2", "removed")
    assert "cam2" not in node.node.config.cameras
    node.quiet("cam2")
    before = node.of("cam2")
    received = node.view("cam2").frames.received
    assert node.view("cam2").last_end_reason == "closed"
    assert not [gap for gap in node.gaps("cam2") if gap.end is None], "nobody is responsible for it"

    node.node.add_camera("cam2", url=cameras.url(2))
    node.until_more("cam2", results=15)
    assert (node.view("cam2").epoch, node.view("cam2").sessions) == (1, 2)
    assert node.view("cam2").frames.received > received
    after = node.of("cam2")[len(before) :]
    assert after[0]["seq"] > before[-1]["seq"]
    assert {result["epoch"] for result in after} == {1}
    ids = [{t["track_id"] for each in part for t in each["detections"]} for part in (before, after)]
    assert ids[0]
    assert ids[1]
    assert max(ids[0]) < min(ids[1])
    still.check()
    node.stop()
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
    seen, began = len(node.of("cam0")), time.monotonic()
    time.sleep(1.0)
    assert (len(node.of("cam0")) - seen) / (time.monotonic() - began) < 8
    still.check()
    node.stop()


def test_a_change_of_its_weight_touches_no_session(node: Node) -> None:
    still = Still(node, "cam0", "cam1")
    node.node.change_camera("cam0", priority="high")
    still.check()
    node.stop()


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
    node.stop()


def test_a_pause_is_a_gap_that_says_so_and_ends_with_the_resumption(node: Node) -> None:
    still = Still(node, "cam1")
    node.until_more("cam0")
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
    assert (node.view("cam0").epoch, node.view("cam0").sessions) == (1, 2)
    still.check()
    node.stop()


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
    node.stop()


def test_what_cannot_be_is_refused_and_nothing_has_changed(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam0", "cam1")
    before = node.node.config
    change = node.node
    for wrong, says in (
        (lambda: change.add_camera("cam0", url=cameras.url(3)), "there is a camera 'cam0' already"),
        (lambda: change.add_camera("cam2", url="gopher://127.0.0.1/x"), "gopher"),
        (lambda: change.add_camera("cam2", url=cameras.url(2), colour="red"), "colour"),
        (lambda: change.add_camera("Not A Name", url=cameras.url(2)), "Not A Name"),
        (lambda: change.add_camera("cam2"), "url"),
        (lambda: change.add_camera("cam2", url=cameras.url(2), every_frame=True), "every_frame"),
        (lambda: change.change_camera("cam0", max_fps=-1), "max_fps"),
        (lambda: change.change_camera("cam0", url="nothing://u:secret@127.0.0.1/x"), "nothing"),
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
    assert [camera.name for camera in change.view().cameras] == ["cam0", "cam1"]
    change.remove_camera("cam0")
    with pytest.raises(ConfigError, match="camera"):
        change.remove_camera("cam1")
    assert list(change.config.cameras) == ["cam1"]
    with pytest.raises(ConfigError, match="cam0"):
        change.pause("cam0")
    Still(node, "cam1").check()
    node.stop()
    with pytest.raises(WorkerError, match="not running"):
        change.add_camera("cam2", url=cameras.url(2))


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
    node.stop()


def test_what_a_running_node_cannot_change_stays_as_it_was_started(node: Node, cameras: Cameras) -> None:
    still = Still(node, "cam0", "cam1")
    started = node.node.config
    other = config(cameras, 3, detector={**fake(seconds=0.05, boxes=[]), "confidence": 0.9}, workers=1)
    found = node.node.reload(other)
    assert (found.added, found.changed) == (("cam2",), ()), "the detector's threshold is the detector's"
    node.until_more("cam2")
    assert node.node.config.detector == started.detector
    assert node.node.config.workers == started.workers
    # Nor does a detector that is replaced because it died become another one unasked.
    (inference,) = workers_of(os.getpid(), "inference")
    inference.kill()
    assert gone([inference])
    node.until_more("cam0", "cam1", "cam2", results=20)
    assert all(node.of(name)[-1]["detections"] for name in ("cam0", "cam1", "cam2"))
    assert [node.view(name).epoch for name in ("cam0", "cam1")] == [0, 0]
    del still


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
    node.stop()


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
            paused.discard(there.pop(name) and name)
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
    node.stop()


def check_ends(node: Node, there: dict[str, str], paused: set[str]) -> None:
    """Each camera of the changes is in the end what was last said of it."""
    seen = [name for name, url in there.items() if name not in paused and url != GONE]
    known = [camera.name for camera in node.node.view().cameras if camera.name != "cam1"]
    node.until_more(*seen)
    for name in known:
        if name not in there:
            node.until_state(name, "removed")
        elif name in paused:
            node.until_state(name, "paused")
            wait_until(lambda name=name: node.view(name).blind == "paused", f"{name} is known to be paused")
        elif there[name] == GONE:
            wait_until(lambda name=name: node.view(name).blind == "refused", f"{name} is refused")
        else:
            wait_until(lambda name=name: node.view(name).blind is None, f"{name} is seen")
    node.quiet(*[name for name in known if name not in seen])


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
    node.stop()


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


def test_what_the_record_says_is_whole_whatever_was_changed(node: Node, cameras: Cameras) -> None:
    """Blind rows of a camera never overlap, and none stays open for a camera that is gone."""
    node.until_more("cam0", "cam1")
    node.node.add_camera("cam2", url=GONE)
    node.until_gap("cam2", Cause.REFUSED)
    node.node.pause("cam2")
    node.until_gap("cam2", Cause.PAUSED)
    node.node.change_camera("cam2", url=cameras.url(2))
    node.node.resume("cam2")
    node.until_more("cam2")
    node.node.pause("cam2")
    node.until_gap("cam2", Cause.PAUSED)
    node.node.remove_camera("cam2")
    node.node.add_camera("cam2", url=cameras.url(2))
    node.until_more("cam2")
    node.node.remove_camera("cam2")
    node.until_state("cam2", "removed")
    rows = sorted(node.gaps("cam2"), key=lambda gap: gap.start)
    assert all(gap.end is not None for gap in rows)
    assert all(before.end <= after.start for before, after in pairwise(rows))  # type: ignore[operator]
    assert [gap.cause for gap in rows].count(Cause.PAUSED) == 2
    node.stop()
