"""The detector is replaced, as planned or with another model: nobody waits for it, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import vedette
from integration.changing import Node, config
from integration.harness import Cameras, Run, adds_up, fake, gone, wait_until, workers_of
from networks import constant_network
from patience import PATIENCE_S
from vedette.errors import ConfigError, WorkerError
from vedette.facts import EpochStarted, ReplacementFailed, TracksEnded, WorkerEnded, WorkerReplaced
from vedette.supervise.child import Child
from vedette.supervise.relief import Relief

ALL = ("cam0", "cam1")


@pytest.fixture
def node(cameras: Cameras) -> Iterator[Node]:
    with Node(config(cameras, 2, defaults={"track_grace": "1m"})) as node:
        node.until_more(*ALL)
        yield node


def inference() -> list[psutil.Process]:
    return workers_of(os.getpid(), "inference")


def the_one_that_comes(known: list[psutil.Process]) -> psutil.Process:
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [each for each in inference() if each not in known]
        return bool(found)

    wait_until(there, "another detector is being started")
    return found[0]


class Asked(threading.Thread):
    """Asks for a replacement and keeps how it failed, if it did."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node
        self.failed: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._node.node.recycle("inference-0")
        except (WorkerError, ConfigError) as err:
            self.failed = err

    def over(self) -> Exception | None:
        self.join(PATIENCE_S)
        assert not self.is_alive()
        return self.failed


def told(node: Node, kind: type[Any]) -> list[Any]:
    return [fact for fact in list(node.facts) if isinstance(fact, kind)]


def until_told(node: Node, kind: type[Any], times: int) -> None:
    """Facts come a moment after they are so, in a thread of their own."""
    wait_until(lambda: len(told(node, kind)) >= times, lambda: f"{times} × {kind.__name__}: {node.facts}")
    assert len(told(node, kind)) == times


def ids(node: Node, camera: str) -> set[int]:
    return {track["track_id"] for each in node.of(camera) for track in each["detections"]}


def nothing_was_lost(node: Node) -> None:
    assert not told(node, WorkerEnded)
    assert not told(node, TracksEnded)
    assert not [fact for fact in told(node, EpochStarted) if fact.epoch > 0]
    for camera in node.node.report()["cameras"].values():
        assert (camera["frames"]["orphaned"], camera["frames"]["failed"]) == (0, 0)


def test_one_after_the_other_takes_over_and_nothing_is_lost(node: Node) -> None:
    before = {name: ids(node, name) for name in ALL}
    for number in range(3):
        [old] = inference()
        node.node.recycle("inference-0")
        node.until_more(*ALL)
        assert gone([old])
        [new] = inference()
        assert new.pid != old.pid
        until_told(node, WorkerReplaced, number + 1)
    assert {name: ids(node, name) for name in ALL} == before, "no id is new, none was lost"
    nothing_was_lost(node)
    node.stop()


def test_two_that_are_asked_for_at_once_come_one_after_the_other(node: Node) -> None:
    asked = [Asked(node), Asked(node)]
    assert [each.over() for each in asked] == [None, None]
    until_told(node, WorkerReplaced, 2)
    node.until_more(*ALL)
    assert len(inference()) == 1
    nothing_was_lost(node)
    node.stop()


def test_one_that_dies_before_it_takes_over_changes_nothing(node: Node) -> None:
    known = inference()
    asked = Asked(node)
    the_one_that_comes(known).kill()
    assert isinstance(asked.over(), WorkerError)
    until_told(node, ReplacementFailed, 1)
    node.until_more(*ALL)
    assert inference() == known
    node.node.recycle("inference-0")
    node.until_more(*ALL)
    nothing_was_lost(node)
    node.stop()


def test_one_that_stops_before_it_takes_over_is_given_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.supervise.relief.START_WITHIN_S", 5.0)
    known = inference()
    asked = Asked(node)
    stopped = the_one_that_comes(known)
    stopped.send_signal(signal.SIGSTOP)
    assert isinstance(asked.over(), WorkerError)
    assert gone([stopped])
    node.until_more(*ALL)
    assert inference() == known
    nothing_was_lost(node)
    node.stop()


def test_the_old_one_dies_while_the_new_one_starts_and_there_is_one_in_the_end(node: Node) -> None:
    known = inference()
    asked = Asked(node)
    the_one_that_comes(known)
    known[0].kill()
    asked.over()
    node.until_more(*ALL)
    wait_until(lambda: len(inference()) == 1, "one detector is left")
    node.until_more(*ALL)
    wait_until(lambda: told(node, WorkerEnded), "it is told that it died")
    assert [node.view(name).epoch for name in ALL] == [0, 0]
    wait_until(lambda: not any(node.view(name).blind for name in ALL), "both are seen again")
    for name in ALL:
        wait_until(lambda name=name: all(gap.end for gap in node.gaps(name)), f"{name}: no gap stays open")
    for camera in node.node.report()["cameras"].values():
        assert adds_up(camera["frames"])


def test_one_that_dies_while_it_hands_over_has_died(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_on = Relief._pass_on

    async def and_it_dies(relief: Relief, old: Child, fresh: Child, config: vedette.Config) -> None:
        old.kill("by a test")
        while old.alive:
            await asyncio.sleep(0.001)
        await pass_on(relief, old, fresh, config)

    monkeypatch.setattr(Relief, "_pass_on", and_it_dies)
    node.node.recycle("inference-0")
    node.until_more(*ALL)
    until_told(node, WorkerEnded, 1)
    assert not told(node, WorkerEnded)[0].planned
    assert sum(each["deaths"] for each in node.node.report()["node"]["workers"]) == 1
    wait_until(lambda: not any(node.view(name).blind for name in ALL), "nobody is blind any more")
    assert len(inference()) == 1
    node.stop()


def test_one_that_waited_while_another_detector_was_set_is_made_as_that_one(
    node: Node, cameras: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = config(cameras, 2, defaults={"track_grace": "1m"}, detector=fake(input_size=[96, 160]))
    relieve, asked = Relief._relieve_detector, threading.Event()

    async def when_both_are_asked(relief: Relief, old: Child, config: vedette.Config, judged: str) -> Child:
        while not asked.is_set():
            await asyncio.sleep(0.001)
        return await relieve(relief, old, config, judged)

    monkeypatch.setattr(Relief, "_relieve_detector", when_both_are_asked)
    setting = threading.Thread(target=lambda: node.node.reload(other))
    setting.start()
    wait_until(lambda: node.node._node.relief.under_way is not None, "the other one is being made")
    recycling = Asked(node)
    wait_until(lambda: bool(node.node._node.relief._one._waiters), "one waits for its turn")
    asked.set()
    assert recycling.over() is None
    setting.join(PATIENCE_S)
    until_told(node, WorkerReplaced, 2)
    assert node.node.config.detector.options["input_size"] == [96, 160]
    assert node.node._node.input_size == (96, 160)
    node.until_more(*ALL)
    node.stop()


def test_a_node_that_is_stopped_meanwhile_stops(node: Node) -> None:
    known = inference()
    asked = Asked(node)
    fresh = the_one_that_comes(known)
    everybody = [*known, fresh, *workers_of(os.getpid(), "camera")]
    node.stop()
    asked.over()
    assert gone(everybody)


BAD = """
import numpy as np
from vedette.infer.detector import Boxes
from vedette.testing import FakeDetector

class Nan(FakeDetector):
    def detect(self, images):
        found = super().detect(images)
        if images.any():  # a picture, not what it is warmed up with
            for each in found:
                each.xyxy[:] = np.nan
        return found

class Raises(FakeDetector):
    def detect(self, images):
        if images.any():
            raise ValueError("no such pictures, please")
        return super().detect(images)

class Blind(FakeDetector):
    def detect(self, images):
        found = super().detect(images)
        return [each[:0] for each in found]
"""

MANY = {"boxes": [[10.0 * n, 20.0, 10.0 * n + 8, 80.0] for n in range(10)]}


@pytest.mark.parametrize(
    ("name", "says"), [("Nan", "NaN"), ("Raises", "no such pictures"), ("Blind", "finds nothing")]
)
def test_a_detector_that_fails_on_what_cameras_show_never_gets_to_be_the_detector(
    name: str, says: str, cameras: Cameras, tmp_path: Path
) -> None:
    (tmp_path / f"bad_{name.lower()}.py").write_text(BAD)
    detector = fake(**MANY)
    with Node(config(cameras, 2, detector=detector, folder=tmp_path, defaults={"track_grace": "1m"})) as node:
        node.until_more(*ALL)
        wait_until(lambda: len(ids(node, "cam0")) >= 8, "there is something to be seen")
        known = inference()
        bad = {**detector, "python": f"bad_{name.lower()}:{name}"}
        other = config(cameras, 2, detector=bad, folder=tmp_path, defaults={"track_grace": "1m"})
        with pytest.raises(WorkerError, match=says):
            node.node.reload(other)
        node.until_more(*ALL)
        assert inference() == known
        assert node.node.config.detector.python == detector["python"]
        nothing_was_lost(node)


@pytest.fixture
def run(cameras: Cameras, tmp_path: Path) -> Iterator[Run]:
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o700)
    section = {name: cameras.section()[name] for name in ALL}
    env = {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
    given = {"cameras": section, "detector": fake(), "workers": 1, "defaults": {"track_grace": "1m"}}
    with Run(tmp_path / "run", given, env=env) as run:
        run.until_all_analysed(section)
        yield run


def command(run: Run, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Said again where the node did not answer within the five seconds that it is given."""
    [socket] = (run.folder.parent / "sockets").rglob("*.sock")
    found: list[subprocess.CompletedProcess[str]] = []

    def is_answered() -> bool:
        done = subprocess.run(
            [sys.executable, "-m", "vedette.cli", *arguments, "--node", str(socket)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        found[:] = [done]
        return "does not answer" not in done.stderr

    wait_until(is_answered, "the node answers")
    return found[0]


def test_an_operator_replaces_workers_and_the_model_of_a_node_that_runs(run: Run, tmp_path: Path) -> None:
    for name in ("inference-0", "cameras-0"):
        done = command(run, "recycle", name)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{name} was replaced in ")
    wrong = command(run, "recycle", "inference-7")
    assert wrong.returncode != 0
    assert "there is no worker 'inference-7'" in wrong.stderr
    assert "Traceback" not in wrong.stderr

    # One box of 32 pixels in the middle of 64×64, of its second class.
    output = np.zeros((1, 6, 84), np.float32)
    output[0, :, 0] = [32, 32, 32, 32, 0, 0.9]
    model = constant_network(
        tmp_path / "other.onnx", {"output0": output}, metadata={"names": "{0: 'owl', 1: 'cat'}"}
    )
    done = command(run, "model", "set", str(model))
    assert done.returncode == 0, done.stderr
    assert "it was not held to labelled pictures: there are none" in done.stdout
    seen = len(run.results)
    run.until(lambda run: len(run.results) > seen + 20, "there are more results")
    last = run.results[-1]["detections"]
    assert [each["class_name"] for each in last] == ["cat"]

    (tmp_path / "none.onnx").write_bytes(b"this is no model at all" * 100)
    for bad, says in (("none.onnx", "none.onnx"), ("missing.onnx", "detector.model: no such file")):
        wrong = command(run, "model", "set", str(tmp_path / bad))
        assert wrong.returncode != 0
        assert says in wrong.stderr
        assert "Traceback" not in wrong.stderr
    seen = len(run.results)
    run.until(lambda run: len(run.results) > seen + 20, "there are more results")
    assert run.interrupt() == 0, run.stderr
    assert not run.saw("worker lost")
    for name in ALL:
        camera, results = run.report["cameras"][name], run.results_of(name)
        assert adds_up(camera["frames"], in_flight=0)
        assert len(results) == camera["frames"]["analysed"], "each analysed frame had its one result"
        assert camera["epoch"] == 0
