"""Workers crash, hang, are stopped and run out of memory; all of it comes back, and others notice nothing."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.changing import Node
from integration.harness import Cameras, Run, adds_up, fake, gone, wait_until, workers_of
from vedette import Config
from vedette.causes import Cause
from vedette.control.where import find_nodes
from vedette.facts import Alerted, Isolated, Quarantined, WorkerEnded, WorkerStarted
from vedette.supervise.policy import BUDGET
from vedette.workers.exhausted import OUT_OF_MEMORY

CRASHING = Path(__file__).parent / "crashing"
DEADLY = (192, 112)


class Trigger:
    """Files that workers look for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, what: str) -> None:
        (self.folder / what).touch()

    def off(self, what: str) -> None:
        (self.folder / what).unlink()


@pytest.fixture
def trigger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trigger:
    """Of failures in the workers of nodes that are started from here on."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CRASHING), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CRASHING", str(tmp_path))
    return Trigger(tmp_path)


@pytest.fixture(scope="module")
def deadly() -> Iterator[Cameras]:
    """A camera by whose pictures the plug-in knows it."""
    with Cameras(1, size=DEADLY) as running:
        yield running


@pytest.fixture
def node(cameras: Cameras, deadly: Cameras, trigger: Trigger) -> Iterator[Node]:
    """cam0, cam2 and ``deadly`` in one worker, cam1 and cam3 in the other."""
    section = {**cameras.section(), "deadly": {"url": deadly.url(0)}}
    # On a machine that is busy with something else only a new worker begins a new epoch.
    given: dict[str, Any] = {"detector": fake(seconds=0.003, timeout="2s"), "defaults": {"track_grace": "1m"}}
    with Node(Config(cameras=section, workers=2, alerts={"group_within": "1s"}, **given)) as node:
        node.until_more(*section, seconds=60)
        yield node


def ends(node: Node) -> list[WorkerEnded]:
    return [fact for fact in list(node.facts) if isinstance(fact, WorkerEnded)]


def sessions(node: Node, *names: str) -> list[tuple[str, int, int]]:
    """Of cameras that still give results: how often each was opened, and began anew."""
    node.until_more(*names, seconds=60)
    return [(name, node.view(name).sessions, node.view(name).epoch) for name in names]


def told(node: Node, kind: type[Any]) -> list[Any]:
    return [fact for fact in list(node.facts) if isinstance(fact, kind)]


def test_a_camera_whose_stream_crashes_decoders_is_read_apart_from_the_others(
    node: Node, trigger: Trigger
) -> None:
    others = sessions(node, "cam1", "cam3")
    trigger("segfault")
    # A machine that is slow may have decoded others at the same moment: then it takes more than one crash.
    wait_until(lambda: [f for f in told(node, Isolated) if f.camera == "deadly"], "it is isolated", 90)
    isolated = told(node, Isolated)[-1]
    assert "SIGSEGV" in isolated.why
    neighbours = sessions(node, "cam0", "cam2")
    crashed = [fact.worker for fact in ends(node)].count(isolated.worker)
    wait_until(
        lambda: [fact.worker for fact in ends(node)].count(isolated.worker) >= crashed + 2, "it goes on", 90
    )
    assert {fact.exit_code for fact in ends(node)} == {-signal.SIGSEGV}
    assert sessions(node, "cam0", "cam2") == neighbours, "nobody is taken down with it any more"
    trigger.off("segfault")
    node.until_more("deadly", seconds=90)
    assert sessions(node, "cam1", "cam3") == others
    node.stop()


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("memory", OUT_OF_MEMORY, "no memory left"),
        ("hang", -signal.SIGKILL, "did nothing"),
    ],
)
def test_a_camera_worker_that_cannot_go_on_is_replaced_and_others_notice_nothing(
    node: Node, trigger: Trigger, what: str, code: int, words: str
) -> None:
    others = sessions(node, "cam1", "cam3")
    trigger(what)
    wait_until(lambda: ends(node), "it is noticed", 60)
    (end,) = ends(node)
    assert end.worker == "cameras-0"
    assert words in end.detail
    assert end.exit_code in (code, 143), "told to end, and killed where it did not hear it"
    node.until_more("cam0", "cam2", "deadly", seconds=60)
    assert node.until_gap("cam0", Cause.WORKER_LOST, over=True).detail == end.detail
    assert not told(node, Isolated)
    assert sessions(node, "cam1", "cam3") == others
    node.stop()


@pytest.mark.parametrize(
    ("what", "words"),
    [("detector-memory", "no memory left"), ("detector-hang", "detector.timeout (2 s)")],
)
def test_a_detector_that_cannot_go_on_is_replaced_and_no_track_is_cut(
    node: Node, trigger: Trigger, what: str, words: str
) -> None:
    epochs = {name: node.view(name).epoch for name in ("cam0", "cam1", "deadly")}
    trigger(what)
    wait_until(lambda: ends(node), "it is noticed", 60)
    node.until_more("cam0", "cam1", "deadly", seconds=60)
    (end,) = ends(node)
    assert end.worker == "inference-0"
    assert words in end.detail
    assert {name: node.view(name).epoch for name in epochs} == epochs
    node.stop()


@pytest.mark.parametrize("kind", ["camera", "inference"])
def test_a_worker_that_is_stopped_is_replaced_and_one_that_goes_on_in_time_is_not(
    node: Node, kind: str
) -> None:
    victim = workers_of(os.getpid(), kind)[0]
    victim.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    victim.send_signal(signal.SIGCONT)
    node.until_more("cam0", "cam1", "deadly")
    assert not ends(node)
    victim.send_signal(signal.SIGSTOP)
    assert gone([victim], 30)
    wait_until(lambda: ends(node), "it is noticed", 30)
    assert "stopped" in ends(node)[0].detail
    node.until_more("cam0", "cam1", "cam2", "cam3", "deadly", seconds=60)
    assert len(ends(node)) == 1
    node.stop()


def test_a_worker_that_dies_too_often_is_quarantined_until_somebody_says_otherwise(
    node: Node, trigger: Trigger
) -> None:
    others = sessions(node, "cam1", "cam3")
    worker = next(child for child in node.node._node.children if child.name == "cameras-0")
    now = time.monotonic()
    # As if it had died all the time: to wait for so many deaths takes a minute.
    worker.deaths.extend(now - 2.0 * number for number in reversed(range(1, BUDGET)))
    victim = workers_of(os.getpid(), "camera")[0]
    victim.kill()
    wait_until(lambda: told(node, Quarantined), "it is quarantined", 30)
    (quarantined,) = told(node, Quarantined)
    assert quarantined.worker == "cameras-0"
    assert set(quarantined.cameras) == {"cam0", "cam2", "deadly"}
    assert f"{BUDGET} deaths" in quarantined.why
    wait_until(lambda: "quarantine" in node.gaps("cam0")[-1].detail, "the ledger says so", 30)
    gap = node.gaps("cam0")[-1]
    assert (gap.cause, gap.end) == (Cause.WORKER_LOST, None)
    assert gap.detail.startswith("cameras-0 is in quarantine")
    assert "exit code -9" in gap.detail
    wait_until(
        lambda: [alert for alert in told(node, Alerted) if "cameras-0 is in quarantine" in alert.title],
        "people are told",
        30,
    )
    assert sessions(node, "cam1", "cam3") == others
    assert len(told(node, WorkerStarted)) == 3
    node.node.recycle("cameras-0")
    node.until_more("cam0", "cam2", "deadly", seconds=60)
    assert sessions(node, "cam1", "cam3") == others
    node.stop()


def test_a_node_that_is_killed_leaves_no_process_no_memory_and_no_socket(
    cameras: Cameras, tmp_path: Path
) -> None:
    config = {"cameras": cameras.section(), "detector": fake(), "workers": 2}
    with tempfile.TemporaryDirectory(prefix="v") as runtime:
        env = {"XDG_RUNTIME_DIR": runtime}
        with Run(tmp_path, config, env=env) as run:
            run.until_all_analysed(cameras.section())
            workers = run.descendants()
            # Somebody who can hear nothing, not even that the other end of its link is closed.
            run.workers("camera")[0].send_signal(signal.SIGSTOP)
            run.process.kill()
            run.wait()
            assert gone(workers, 20)
        assert find_nodes(env) == []
        assert list(Path(runtime).rglob("*.sock")) == [], "whoever looks for nodes takes dead ones' away"
        with Run(tmp_path, config, env=env) as run:
            seen = len(run.results)
            run.until(lambda run: len(run.results) > seen + 20, "the next one sees")
            (found,) = find_nodes(env)
            assert found.pid == run.process.pid
            assert run.interrupt() == 0
            for camera in run.report["cameras"].values():
                assert adds_up(camera["frames"], in_flight=0)
        assert list(Path(runtime).rglob("*.sock")) == []
        assert not [name for name in os.listdir("/dev/shm") if "vedette" in name]
