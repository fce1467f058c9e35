"""Another model detects for one of four cameras of a real node: only that one's results change, and whatever
becomes of the canary, no frame, no track and no epoch is lost elsewhere."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import vedette
from integration.changing import Node, Still, config
from integration.harness import Cameras, Run, assert_in_order, fake, gone, track_ids, wait_until
from integration.test_relieved_detectors import command, run  # noqa: F401 - a fixture
from vedette.errors import ConfigError, WorkerError
from vedette.facts import CanaryEnded, CanaryStarted, EpochStarted, LossSuspected, WorkerEnded
from vedette.observe.views import CanaryView
from vedette.supervise import trying
from vedette.workers.protocol import Studied

ALL = ("cam0", "cam1", "cam2", "cam3")
OTHERS = ALL[1:]
BOX, OTHER = [10.0, 20.0, 50.0, 80.0], [100.0, 20.0, 140.0, 80.0]


FAILS = """
from vedette.testing import FakeDetector

class Fails(FakeDetector):
    calls = 0

    def detect(self, images):
        self.calls += 1
        if self.calls > 20:  # by then it was tried
            raise RuntimeError("no more")
        return super().detect(images)
"""


class Boxed(Node):
    """That also knows where the first box of each result was, or that there was none."""

    def _note(self, result: vedette.Result) -> None:
        super()._note(result)
        found = result.boxes.xyxy
        self.results[-1]["left"] = round(float(found[0][0])) if len(found) else None

    def lefts(self, camera: str, after: int = 0) -> set[int | None]:
        return {each["left"] for each in self.of(camera)[after:]}

    def until_left(self, camera: str, left: int | None) -> None:
        wait_until(lambda: self.of(camera)[-1]["left"] == left, f"{camera} has a box at {left}")

    @property
    def canary(self) -> CanaryView:
        found = self.node.view().canary
        assert found is not None
        return found

    def told(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in list(self.facts) if isinstance(fact, kind)]

    def until_ended(self) -> CanaryEnded:
        wait_until(lambda: self.told(CanaryEnded), "it is told that it has ended")
        ended: CanaryEnded = self.told(CanaryEnded)[-1]
        return ended

    def begin(self, *boxes: list[float], cameras: tuple[str, ...] = ("cam0",), **more: Any) -> None:
        """``more``: of the canary, or else options of its detector."""
        of_canary = {key: more.pop(key) for key in ("seconds", "then", "timeout") if key in more}
        self.node.canary(cameras=cameras, options={"boxes": list(boxes), **more}, **of_canary)

    def process(self) -> psutil.Process:
        """The canary's."""
        child = self.node._node.canary.child
        assert child is not None
        return psutil.Process(child.pid)

    def canaries(self) -> list[psutil.Process]:
        """The same, and those that are not gone yet."""
        return [psutil.Process(each.pid) for each in self.node._node.canary.children if each.pid]


def settings(cameras: Cameras, boxes: list[list[float]], **more: Any) -> vedette.Config:
    calm = {"ladder": False, "max_age": 10.0, "defaults": {"track_grace": "1m"}}
    return config(cameras, 4, detector=fake(boxes=boxes, seconds=0.002), **{**calm, **more})


@pytest.fixture(scope="module")
def watched(cameras: Cameras) -> Iterator[Boxed]:
    """One node for many canaries."""
    with Boxed(settings(cameras, [BOX])) as node:
        node.until_more(*ALL)
        yield node


@pytest.fixture
def node(watched: Boxed) -> Iterator[Boxed]:
    """Afterwards it is as it was: no epoch began, nothing else ended."""
    watched.facts.clear()
    before = {name: watched.view(name) for name in ALL}
    yield watched
    if watched.node._node.canary.child is not None:
        watched.node.stop_canary()
    wait_until(lambda: not watched.node._node.canary.children, "only the detector is left")
    for name in ALL:
        watched.until_left(name, BOX[0])
    watched.until_more(*ALL)
    assert not watched.told(EpochStarted)
    assert not watched.told(WorkerEnded)
    for name in ALL:
        assert_in_order(watched.of(name))
    for name in OTHERS:
        now = watched.view(name).frames
        assert (now.orphaned, now.failed) == (before[name].frames.orphaned, before[name].frames.failed)
    assert not watched.wrong


@pytest.fixture
def fresh(cameras: Cameras) -> Iterator[Boxed]:
    """A node that does not have to be as it was."""
    with Boxed(settings(cameras, [BOX])) as node:
        node.until_more(*ALL)
        yield node


def test_only_its_camera_is_seen_by_it_and_goes_back_with_the_same_track_and_nothing_lost(
    node: Boxed,
) -> None:
    others = Still(node, *ALL)
    lost = node.view("cam0").frames.orphaned
    node.begin(BOX[:1] + [24.0, 50.0, 84.0])
    marks = {name: len(node.of(name)) for name in ALL}
    known = track_ids(node.of("cam0")[-3:])
    node.until_left("cam0", 10)
    node.until_more(*ALL, results=20)
    assert node.canary.state == "detecting"
    node.node.stop_canary()
    ended = node.until_ended()
    assert (ended.why, ended.cameras) == ("stopped", ["cam0"])
    node.until_more(*ALL)
    assert track_ids(node.of("cam0")[marks["cam0"] :]) == known, "one object, one track"
    assert node.view("cam0").frames.orphaned == lost
    others.check()


def test_what_it_finds_is_in_the_results_of_its_camera_only(node: Boxed) -> None:
    node.begin(OTHER)
    marks = {name: len(node.of(name)) for name in OTHERS}
    node.until_left("cam0", 100)
    mark = len(node.of("cam0"))
    node.until_more(*ALL, results=30)
    assert node.lefts("cam0", mark) == {100}
    for name in OTHERS:
        assert node.lefts(name, marks[name]) == {10}
    assert [fact.cameras for fact in node.told(CanaryStarted)] == [["cam0"]]
    wait_until(lambda: node.canary.frames > 5, "its frames are counted")
    seen = node.canary
    assert (seen.cameras, seen.boxes, seen.then) == (("cam0",), seen.frames, "back")
    assert node.node.report()["node"]["canary"]["state"] == "detecting"


def test_it_goes_back_when_its_time_is_over(node: Boxed) -> None:
    node.begin(OTHER, cameras=("cam[01]",), seconds=1.5)
    node.until_left("cam0", 100)
    node.until_left("cam1", 100)
    assert node.until_ended().why == "time"
    node.until_left("cam0", 10)
    assert (node.canary.state, node.canary.why) == ("ended", "time")


def test_one_that_is_killed_loses_what_it_had_and_its_cameras_are_seen_at_once(node: Boxed) -> None:
    node.begin(OTHER, cameras=("cam0", "cam1"), seconds=600)
    node.until_left("cam0", 100)
    still = Still(node, *ALL)
    node.process().kill()
    ended = node.until_ended()
    assert ended.why == "died"
    assert "SIGKILL" in ended.detail
    node.until_left("cam0", 10)
    node.until_left("cam1", 10)
    still.check()
    node.begin(OTHER)
    node.until_left("cam0", 100)


def test_one_that_hangs_on_a_batch_is_killed(node: Boxed) -> None:
    node.begin(OTHER, hangs_after=20, timeout=1.0)
    ended = node.until_ended()
    assert ended.why == "hung"
    assert "batch" in ended.detail
    node.until_left("cam0", 10)


def test_one_whose_process_is_stopped_is_killed(node: Boxed) -> None:
    node.begin(OTHER)
    node.until_left("cam0", 100)
    node.process().send_signal(signal.SIGSTOP)
    assert node.until_ended().why == "hung"


def test_one_that_fails_on_each_frame_goes_back(
    node: Boxed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkerError, match="on purpose"):
        node.begin(OTHER, raises_every=1)
    assert node.until_ended().why == "not_started"
    node.facts.clear()
    (tmp_path / "a_detector_that_fails.py").write_text(FAILS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    node.node.canary(cameras=["cam0"], python="a_detector_that_fails:Fails", options={})
    ended = node.until_ended()
    assert ended.why == "failed"
    assert "frames in a row" in ended.detail
    assert node.view("cam0").frames.failed >= 20


def test_one_that_finds_nothing_where_there_was_something_goes_back(
    node: Boxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "NOTHING_FOR_S", 1.0)
    node.begin()
    ended = node.until_ended()
    assert (ended.why, ended.boxes) == ("found_nothing", 0)
    node.until_left("cam0", 10)


def test_what_is_learnt_of_a_camera_is_of_the_model_that_looks_at_it(
    node: Boxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = node.node._node
    assert inside.quality.drift is not None
    put, models = inside.quality.drift.put, list[tuple[str, bool]]()

    def noted(camera: str, model: str, studied: Studied) -> None:
        models.append((camera, model == inside._model))
        put(camera, model, studied)

    def until_of_main(camera: str, *, of_main: bool) -> None:
        models.clear()
        wait_until(lambda: (camera, of_main) in models, f"{camera} is studied")
        wait_until(lambda: [each for each, _ in models].count("cam1") > 2, "the others are, too")

    monkeypatch.setattr(inside.quality.drift, "put", noted)
    until_of_main("cam0", of_main=True)
    assert all(of_main for _, of_main in models)
    node.begin(OTHER)
    node.until_left("cam0", 100)
    until_of_main("cam0", of_main=False)
    assert all(of_main is (camera != "cam0") for camera, of_main in models)
    node.node.stop_canary()
    node.until_left("cam0", 10)
    until_of_main("cam0", of_main=True)
    assert all(of_main for _, of_main in models)


def test_one_that_drift_suspects_goes_back(node: Boxed) -> None:
    node.begin(OTHER)
    inside = node.node._node
    at = inside.canary.trial.started if inside.canary.trial else 0.0

    def suspect(camera: str, since: float) -> None:
        told = {"light": "day", "measure": "boxes", "direction": "fewer", "usual": 2.0, "lately": 1.0}
        node.node._on_loop(
            lambda: inside._tell(
                LossSuspected(at=since, camera=camera, since=since, evidence=9.0, **told)  # type: ignore[arg-type]
            )
        )

    suspect("cam1", at + 1.0)
    suspect("cam0", at - 1.0)
    assert node.canary.state == "detecting", "that was of another camera, and of the model before"
    suspect("cam0", at + 1.0)
    assert node.until_ended().why == "suspected"


def test_what_is_no_model_and_who_is_no_camera_is_refused_and_nothing_changes(
    node: Boxed, cameras: Cameras, tmp_path: Path
) -> None:
    (tmp_path / "none.onnx").write_bytes(b"this is no model at all" * 100)
    with pytest.raises(WorkerError, match=r"none\.onnx"):
        node.node.canary(tmp_path / "none.onnx", cameras=["cam0"])
    assert node.until_ended().why == "not_started"
    with pytest.raises(ConfigError, match="no such file"):
        node.node.canary(tmp_path / "missing.onnx", cameras=["cam0"])
    with pytest.raises(ConfigError, match="no camera 'gate'"):
        node.begin(OTHER, cameras=("cam0", "gate"))
    with pytest.raises(ConfigError, match="not for all"):
        node.begin(OTHER, cameras=("cam*",))
    with pytest.raises(WorkerError, match="no canary"):
        node.node.stop_canary()
    node.begin(OTHER)
    with pytest.raises(WorkerError, match="canary; stop that first"):
        node.begin(OTHER)
    with pytest.raises(WorkerError, match="canary; stop that first"):
        node.node.shadow(share=1.0, options={"boxes": [BOX]})
    with pytest.raises(WorkerError, match="canary; stop that first"):
        node.node.reload(settings(cameras, [OTHER]))


def test_the_detector_is_recycled_beside_it(node: Boxed) -> None:
    node.begin(OTHER)
    node.until_left("cam0", 100)
    still = Still(node, *ALL)
    marks = {name: len(node.of(name)) for name in ALL}
    node.node.recycle("inference-0")
    node.until_more(*ALL, results=20)
    assert node.lefts("cam0", marks["cam0"]) == {100}
    for name in OTHERS:
        assert node.lefts(name, marks[name]) == {10}
    still.check()


def test_the_detector_dies_and_its_cameras_wait_while_those_of_the_canary_do_not(fresh: Boxed) -> None:
    fresh.begin(OTHER)
    fresh.until_left("cam0", 100)
    main = psutil.Process(fresh.node._node.detector.pid)
    mark = len(fresh.of("cam0"))
    main.send_signal(signal.SIGSTOP)
    fresh.until_more("cam0", results=10)
    main.kill()
    wait_until(lambda: fresh.told(WorkerEnded), "the detector's death is told")
    fresh.until_more(*ALL, results=10)
    assert fresh.lefts("cam0", mark) == {100}
    assert all(fresh.of(name)[-1]["left"] == 10 for name in OTHERS)
    fresh.node.stop_canary()
    fresh.until_left("cam0", 10)
    fresh.stop()


def test_then_set_it_is_the_detector_of_all_cameras_with_nothing_lost(fresh: Boxed) -> None:
    fresh.begin(OTHER, seconds=1.0, then="set")
    still = Still(fresh, *ALL)
    assert fresh.until_ended().why == "set"
    for name in ALL:
        fresh.until_left(name, 100)
    still.check()
    assert fresh.node.config.detector.options["boxes"] == [OTHER]
    wait_until(lambda: not fresh.node._node.canary.children, "the canary's process is gone")
    assert not fresh.told(WorkerEnded)
    for name in ALL:
        assert fresh.view(name).frames.orphaned == 0
    fresh.stop()


def test_cameras_move_go_and_come_while_a_canary_has_them(fresh: Boxed, cameras: Cameras) -> None:
    fresh.begin(OTHER, cameras=("cam0", "cam1"))
    fresh.until_left("cam0", 100)
    fresh.node.recycle("cameras-0")
    fresh.node.recycle("cameras-1")
    for name in ALL:
        mark = len(fresh.of(name))
        fresh.until_more(name, results=10)
        assert fresh.lefts(name, mark) == {100 if name in ("cam0", "cam1") else 10}
    fresh.node.remove_camera("cam1")
    fresh.until_state("cam1", "removed")
    fresh.node.add_camera("more", url=cameras.url(3))
    fresh.until_more("more")
    assert fresh.lefts("more") == {10}, "it is not of those that were named"
    fresh.node.add_camera("cam1", url=cameras.url(1))
    mark = len(fresh.of("cam1"))
    fresh.until_more("cam1")
    assert fresh.lefts("cam1", mark) == {100}, "it is back, and was named"
    psutil.Process(fresh.node._node.camera_workers[0].pid).kill()
    wait_until(lambda: fresh.told(WorkerEnded), "that it died is told")
    marks = {name: len(fresh.of(name)) for name in (*ALL, "more")}
    fresh.until_more(*marks, results=10)
    for name, mark in marks.items():
        assert fresh.lefts(name, mark) == {100 if name in ("cam0", "cam1") else 10}
    fresh.node.stop_canary()
    for name in marks:
        fresh.until_left(name, 10)


def test_a_node_that_stops_while_one_is_loaded_or_detects_leaves_nothing_behind(
    fresh: Boxed, cameras: Cameras
) -> None:
    fresh.begin(OTHER)
    fresh.until_left("cam0", 100)
    known = fresh.canaries()
    fresh.stop()
    assert known
    assert gone(known)
    assert [fact.why for fact in fresh.told(CanaryEnded)] == ["node_stopped"]
    with Boxed(settings(cameras, [BOX])) as other:
        other.until_more(*ALL)
        refused: list[WorkerError] = []

        def begin() -> None:
            try:
                other.begin(OTHER)
            except WorkerError as err:
                refused.append(err)

        begun = threading.Thread(target=begin)
        begun.start()
        wait_until(other.canaries, "it is being loaded")
        known = other.canaries()
        other.stop()
        begun.join()
        assert refused
        assert gone(known)


def test_an_operator_tries_a_model_on_some_cameras(
    run: Run,  # noqa: F811
) -> None:
    from vedette.infer.load import BUNDLED

    wrong = command(run, "model", "canary", str(BUNDLED), "--cameras", "gate")
    assert wrong.returncode == 7
    assert "no camera 'gate'" in wrong.stderr
    done = command(run, "model", "canary", str(BUNDLED), "--cameras", "cam0", "--for", "10m")
    assert done.returncode == 0, done.stderr
    assert "detects for cam0" in command(run, "model", "status").stdout
    assert "stop that first" in command(run, "model", "set", str(BUNDLED)).stderr
    assert command(run, "model", "canary", "--stop").returncode == 0
    assert "was stopped" in command(run, "model", "status").stdout
    assert command(run, "model", "canary", "--stop").returncode == 7
    assert run.interrupt() == 0, run.stderr
    assert run.saw("canary started", cameras="cam0")
    assert run.saw("canary ended", why="stopped")
    assert run.report["node"]["canary"]["why"] == "stopped"
