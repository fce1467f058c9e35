"""A candidate beside the detector of a real node: what both find is counted, and cameras do not notice."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import numpy_helper

import vedette
from integration.changing import Node, config
from integration.harness import Cameras, Run, assert_in_order, fake, gone, wait_until, workers_of
from integration.test_relieved_detectors import command, run  # noqa: F401 - a fixture
from vedette.errors import ConfigError, WorkerError
from vedette.facts import ShadowEnded, ShadowReported, ShadowStarted, WorkerEnded
from vedette.infer.load import BUNDLED
from vedette.observe.views import ShadowView

ALL = ("cam0", "cam1")
BOX, OTHER = [10.0, 20.0, 50.0, 80.0], [100.0, 20.0, 140.0, 80.0]

HANGS = """
import time
from vedette.testing import FakeDetector

class Hangs(FakeDetector):
    def detect(self, images):
        if images.any() and images.std() > 0:  # a picture, not what it is warmed up with
            time.sleep(1e6)
        return super().detect(images)
"""


AT_EASE = {"ladder": False, "max_age": 10.0}
"""On a busy machine a node rightly does less, and shows a candidate nothing: tests of that are elsewhere."""


def at_ease(cameras: Cameras, boxes: list[list[float]]) -> vedette.Config:
    return config(cameras, 2, detector=fake(boxes=boxes), defaults={"track_grace": "1m"}, **AT_EASE)


@pytest.fixture(scope="module")
def watched(cameras: Cameras) -> Iterator[Node]:
    """One node for many candidates: it must not notice any of them."""
    with Node(at_ease(cameras, [BOX])) as node:
        node.until_more(*ALL)
        yield node


@pytest.fixture
def node(watched: Node) -> Iterator[Node]:
    """And it did not."""
    watched.facts.clear()
    before = {name: watched.view(name) for name in ALL}
    yield watched
    if shadows():
        watched.node.stop_shadow()
        until_ended(watched)
    watched.until_more(*ALL)
    assert not [fact for fact in watched.facts if isinstance(fact, WorkerEnded)]
    for name in ALL:
        now = watched.view(name)
        assert (now.epoch, now.sessions) == (before[name].epoch, before[name].sessions)
        assert now.frames.orphaned == before[name].frames.orphaned
        assert now.frames.failed == before[name].frames.failed
        each_had_its_result(watched, name)


@pytest.fixture
def fresh(cameras: Cameras) -> Iterator[Node]:
    """A node that does not have to be as it was."""
    with Node(at_ease(cameras, [BOX])) as node:
        node.until_more(*ALL)
        yield node


def shadows() -> list[psutil.Process]:
    return workers_of(os.getpid(), "shadow")


def view(node: Node) -> ShadowView:
    found = node.node.view().shadow
    assert found is not None
    return found


def candidate(node: Node, *boxes: list[float], share: float = 1.0, **options: Any) -> None:
    node.node.shadow(share=share, options={"boxes": list(boxes), **options})


def until_seen(node: Node, frames: int = 10) -> ShadowView:
    wait_until(
        lambda: all(name in view(node).cameras and view(node).cameras[name].frames >= frames for name in ALL),
        lambda: f"{frames} frames of each camera: {view(node)}",
    )
    return view(node)


def until_ended(node: Node) -> ShadowEnded:
    def told() -> list[Any]:
        return [fact for fact in list(node.facts) if isinstance(fact, ShadowEnded)]

    wait_until(told, "it is told that it has ended")
    assert gone(shadows())
    return told()[-1]  # type: ignore[no-any-return]


def each_had_its_result(node: Node, name: str) -> None:
    """Of the frames that were analysed until now, once and in order."""
    analysed = node.view(name).frames.analysed
    wait_until(lambda: len(node.of(name)) >= analysed, f"{analysed} results of {name}")
    results = len(node.of(name))
    assert results <= node.view(name).frames.analysed
    assert_in_order(node.of(name))


def test_one_that_finds_the_same_agrees_wholly(node: Node) -> None:
    candidate(node, BOX)
    seen = until_seen(node)
    assert seen.state == "looking"
    assert seen.in_all.agreement == 1.0
    assert seen.in_all.both == seen.in_all.frames > 0
    assert (seen.in_all.only_running, seen.in_all.only_candidate) == (0, 0)
    node.node.stop_shadow()
    assert until_ended(node).why == "stopped"
    report = node.node.report()["node"]["shadow"]
    assert (report["state"], report["why"], report["in_all"]["agreement"]) == ("ended", "stopped", 1.0)
    assert set(report["cameras"]) == set(ALL)
    [started] = [fact for fact in node.facts if isinstance(fact, ShadowStarted)]
    assert "FakeDetector" in started.detector
    assert [fact.agreement for fact in node.facts if isinstance(fact, ShadowReported)] == [1.0]


@pytest.mark.parametrize(("boxes", "only"), [([], "only_running"), ([BOX, OTHER], "only_candidate")])
def test_differences_are_counted_on_the_side_of_whoever_has_more(
    node: Node, boxes: list[list[float]], only: str
) -> None:
    offered: list[tuple[str, float, int]] = []
    inside = node.node._node
    inside.shadow.disagreement = lambda index, at, boxes: offered.append(
        (inside.camera_name(index), at, boxes)
    )
    candidate(node, *boxes)
    figures = until_seen(node).in_all
    differing = {"only_running": figures.only_running, "only_candidate": figures.only_candidate}
    assert differing.pop(only) == figures.frames
    assert list(differing.values()) == [0]
    assert figures.agreement == (0.0 if not boxes else pytest.approx(2 / 3))
    known = {(each["camera"], each["captured_at"]) for each in node.results}
    assert offered
    wait_until(lambda: offered[0][:2] in {(r["camera"], r["captured_at"]) for r in node.results}, f"{known}")
    assert offered[0][2] == 1


def test_a_candidate_of_another_size_sees_the_same_places(node: Node) -> None:
    half = [each / 2 for each in BOX]
    candidate(node, half, input_size=[48, 80])
    assert until_seen(node).in_all.agreement == 1.0


def test_a_share_of_the_frames_is_shown_and_a_slow_one_sees_fewer_without_holding_anybody_up(
    node: Node,
) -> None:
    def drawn(seen: ShadowView) -> int:
        return seen.in_all.frames + sum(seen.in_all.left_out.values())

    candidate(node, BOX, share=0.5, seconds=0.4)
    first = until_seen(node, 1)  # before that it was loaded, which may take long
    before = {name: node.view(name).frames.analysed for name in ALL}
    seen = until_seen(node, 4)
    analysed = sum(node.view(name).frames.analysed - before[name] for name in ALL)
    assert sum(seen.in_all.left_out.values()) > seen.in_all.frames
    # Figures may be a second old.
    assert 0.2 * analysed - 50 < drawn(seen) - drawn(first) < 0.8 * analysed + 10
    assert seen.in_all.took_ms.p50 >= 380


def test_one_that_is_killed_has_died_and_nobody_else_notices(node: Node) -> None:
    candidate(node, BOX)
    until_seen(node)
    shadows()[0].kill()
    told = until_ended(node)
    assert told.why == "died"
    assert "SIGKILL" in told.detail
    assert view(node).state == "ended"
    candidate(node, BOX)
    until_seen(node)


def test_one_that_hangs_is_killed_and_nobody_else_notices(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette.supervise.shadow.HANGS_AFTER_S", 2.0)
    (tmp_path / "a_detector_that_hangs.py").write_text(HANGS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    node.node.shadow(share=1.0, python="a_detector_that_hangs:Hangs")
    told = until_ended(node)
    assert told.why == "hung"
    assert "one frame" in told.detail


def test_one_that_is_stopped_by_a_signal_is_killed(node: Node) -> None:
    candidate(node, BOX)
    until_seen(node)
    shadows()[0].send_signal(signal.SIGSTOP)
    assert until_ended(node).why == "hung"


def test_what_is_no_model_is_refused_and_another_one_may_come(node: Node, tmp_path: Path) -> None:
    (tmp_path / "none.onnx").write_bytes(b"this is no model at all" * 100)
    with pytest.raises(WorkerError, match=r"none\.onnx"):
        node.node.shadow(tmp_path / "none.onnx")
    assert until_ended(node).why == "not_started"
    with pytest.raises(ConfigError, match="no such file"):
        node.node.shadow(tmp_path / "missing.onnx")
    with pytest.raises(ConfigError, match="share"):
        candidate(node, BOX, share=0.0)
    with pytest.raises(WorkerError, match="no candidate"):
        node.node.stop_shadow()
    candidate(node, BOX)
    with pytest.raises(WorkerError, match="already"):
        candidate(node, BOX)
    until_seen(node)


def test_workers_are_replaced_beside_it_and_another_detector_ends_it(fresh: Node, cameras: Cameras) -> None:
    candidate(fresh, BOX)
    until_seen(fresh)
    fresh.node.recycle("cameras-0")
    fresh.node.recycle("inference-0")
    assert view(fresh).state == "looking"
    seen = view(fresh).in_all.frames
    wait_until(lambda: view(fresh).in_all.frames > seen + 20, "it sees frames of the new ones")
    assert view(fresh).in_all.agreement == 1.0
    others = at_ease(cameras, [OTHER])
    fresh.node.reload(others)
    assert until_ended(fresh).why == "detector_changed"
    fresh.until_more(*ALL)
    fresh.stop()


def test_a_camera_worker_that_dies_is_shown_again_and_a_node_that_stops_leaves_nothing_behind(
    fresh: Node,
) -> None:
    candidate(fresh, BOX)
    until_seen(fresh)
    workers_of(os.getpid(), "camera")[0].kill()
    seen = {name: view(fresh).cameras[name].frames for name in ALL}
    wait_until(
        lambda: all(view(fresh).cameras[name].frames > seen[name] + 10 for name in ALL), "both are seen again"
    )
    assert view(fresh).in_all.agreement == 1.0
    known = shadows()
    fresh.stop()
    assert gone(known)
    assert [fact.why for fact in fresh.facts if isinstance(fact, ShadowEnded)] == ["node_stopped"]


# ---- the bundled model, on a clip in which a car arrives


def damaged(path: Path, noise: float) -> Path:
    """The bundled model with noise on its last layers' weights."""
    network, rng = onnx.load(str(BUNDLED)), np.random.default_rng(3)
    for tensor in network.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4:
            values = values + rng.normal(0, noise * values.std(), values.shape).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(network, str(path))
    return path


@pytest.fixture(scope="module")
def driveway(arrival: Path) -> Iterator[Node]:
    section = {"driveway": {"url": str(arrival), "loop": True, "max_fps": 4}}
    with Node(vedette.Config(cameras=section, detector={"threads": 1}, workers=1, **AT_EASE)) as node:
        node.until_more("driveway")
        yield node


def until_boxes(node: Node, boxes: int = 12) -> ShadowView:
    def enough() -> bool:
        figures = view(node).in_all
        return figures.both + figures.only_running + figures.only_candidate >= boxes

    wait_until(enough, lambda: f"{boxes} boxes: {view(node)}")
    found = view(node)
    node.node.stop_shadow()
    return found


def test_a_copy_of_the_model_agrees_with_it(driveway: Node, tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    shutil.copy(BUNDLED, copy)
    driveway.node.shadow(copy, share=1.0, classes=str(BUNDLED.with_name("coco.txt")), input_size=(256, 416))
    seen = until_boxes(driveway)
    assert seen.in_all.agreement == 1.0
    assert "copy" in seen.detector


def test_a_damaged_model_agrees_less_and_a_smaller_input_misses_more(driveway: Node, tmp_path: Path) -> None:
    names = str(BUNDLED.with_name("coco.txt"))
    model = damaged(tmp_path / "damaged.onnx", 0.15)
    driveway.node.shadow(model, share=1.0, classes=names, input_size=(256, 416))
    figures = until_boxes(driveway).in_all
    assert figures.agreement is not None
    assert figures.agreement < 0.95
    driveway.node.shadow(share=1.0, input_size=(256, 416), confidence=0.7)
    figures = until_boxes(driveway).in_all
    assert figures.only_running > 0
    assert figures.only_candidate == 0


# ---- by command


def test_an_operator_shows_a_candidate_frames_and_reads_how_far_it_agrees(
    run: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    for bad, says in (("none.onnx", "none.onnx"), ("missing.onnx", "no such file")):
        if bad == "none.onnx":
            (tmp_path / bad).write_bytes(b"this is no model at all" * 100)
        wrong = command(run, "model", "shadow", str(tmp_path / bad))
        assert wrong.returncode == 7
        assert says in wrong.stderr
        assert "Traceback" not in wrong.stderr
    assert "could not be used" in command(run, "model", "status").stdout
    done = command(run, "model", "shadow", str(BUNDLED), "--share", "0.5", "--for", "10m")
    assert done.returncode == 0, done.stderr
    again = command(run, "model", "shadow", str(BUNDLED))
    assert "already" in again.stderr

    def both_are_listed() -> bool:
        said = command(run, "model", "status").stdout
        return all(word in said for word in (*ALL, "in all", "only candidate", "50%"))

    wait_until(both_are_listed, "each camera has its figures")
    [shadow] = run.workers("shadow")
    assert command(run, "model", "shadow", "--stop").returncode == 0
    assert gone([shadow])
    assert "was stopped" in command(run, "model", "status").stdout
    assert command(run, "model", "shadow", "--stop").returncode == 7
    assert run.interrupt() == 0, run.stderr
    assert run.saw("shadow started", share=0.5)
    assert run.saw("shadow reported")
    assert run.saw("shadow ended", why="stopped")
    assert run.report["node"]["shadow"]["in_all"]["frames"] > 0
    assert not run.saw("worker lost")
