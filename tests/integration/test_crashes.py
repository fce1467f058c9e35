"""Workers crash, stop, hang and run out of memory: each is replaced, and takes nobody with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.changing import Node, Still
from integration.harness import CALM, SMALL, Cameras, adds_up, fake, wait_until, workers_of
from patience import NEVER_S
from vedette import Config
from vedette.facts import Isolated, WorkerEnded
from vedette.workers.exhausted import OUT_OF_MEMORY

CRASHING = Path(__file__).parent / "crashing"
DEADLY = (192, SMALL[1])
"""What decodes pictures of this size can be told to fail; see ``crashing/sitecustomize.py``."""


@pytest.fixture(scope="module")
def deadly() -> Iterator[Cameras]:
    with Cameras(1, size=DEADLY) as running:
        yield running


@pytest.fixture
def triggers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "triggers"
    folder.mkdir()
    monkeypatch.setenv("CRASHING", str(folder))
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CRASHING), *([before] if before else [])]))
    return folder


@pytest.fixture
def batch_within() -> float | str:
    """The detector's ``timeout``; for the test of one that hangs another."""
    return NEVER_S


@pytest.fixture
def node(cameras: Cameras, deadly: Cameras, triggers: Path, batch_within: float | str) -> Iterator[Node]:
    """cam0, cam2 and the deadly one in cameras-0; cam1 in cameras-1."""
    names = cameras.section()
    section = {"cam0": names["cam0"], "cam1": names["cam1"], "deadly": {"url": deadly.url(0)}}
    config = Config(
        cameras=section,
        detector=fake(seconds=0.003, timeout=batch_within),
        workers=2,
        # Only a new worker begins a new epoch, however long the machine stands still.
        defaults={**CALM, "track_grace": "1m"},
    )
    with Node(config) as node:
        node.until_more(*section)
        assert together(node) == {"cam0", "deadly"}
        yield node


def together(node: Node) -> set[str]:
    """Those that are read by the worker of the deadly camera."""
    roster = node.node._node.roster
    return {entry.name for entry in roster.of_worker(roster.named("deadly").worker)}


def ended(node: Node) -> list[WorkerEnded]:
    return [fact for fact in list(node.facts) if isinstance(fact, WorkerEnded)]


def until_ended(node: Node, worker: str) -> WorkerEnded:
    wait_until(lambda: [fact for fact in ended(node) if fact.worker == worker], f"{worker} ended")
    return next(fact for fact in ended(node) if fact.worker == worker)


def books(node: Node) -> None:
    assert not node.wrong
    for camera in node.node.report()["cameras"].values():
        assert adds_up(camera["frames"])


def test_a_stream_that_crashes_decoders_is_read_apart_and_takes_nobody_with_it_again(
    node: Node, triggers: Path
) -> None:
    other = Still(node, "cam1")
    (triggers / "segfault").touch()
    first = until_ended(node, "cameras-0")
    assert first.exit_code in (-signal.SIGSEGV, None)
    wait_until(lambda: [f for f in node.facts if isinstance(f, Isolated)], "it was isolated")
    [isolated] = [fact for fact in node.facts if isinstance(fact, Isolated)]
    assert isolated.camera == "deadly"
    assert isolated.worker not in ("cameras-0", "cameras-1")
    wait_until(lambda: [f for f in ended(node) if f.worker == isolated.worker], "it crashed again, alone")
    node.until_more("cam0", "cam1")
    assert together(node) == {"deadly"}
    assert len([fact for fact in ended(node) if fact.worker in ("cameras-0", "cameras-1")]) == 1
    other.check()
    (triggers / "segfault").unlink()
    node.until_more("deadly", "cam0", "cam1")
    books(node)


@pytest.mark.parametrize(
    ("trigger", "worker", "exit_code", "says", "batch_within"),
    [
        ("memory", "cameras-0", OUT_OF_MEMORY, "no memory left", NEVER_S),
        ("detector-memory", "inference-0", OUT_OF_MEMORY, "no memory left", NEVER_S),
        ("hang", "cameras-0", None, "no sign of life", NEVER_S),
        ("detector-hang", "inference-0", None, "detector.timeout", "2s"),
    ],
)
def test_a_worker_that_fails_is_replaced_for_what_it_was(
    trigger: str, worker: str, exit_code: int | None, says: str, node: Node, triggers: Path
) -> None:
    touched = {"deadly", "cam0"} if worker == "cameras-0" else set()
    before = {name: node.view(name).epoch for name in ("cam0", "cam1", "deadly")}
    (triggers / trigger).touch()
    fact = until_ended(node, worker)
    assert says in fact.detail
    if exit_code is not None:
        assert fact.exit_code == exit_code
    node.until_more("cam0", "cam1", "deadly")
    for name, epoch in before.items():
        assert node.view(name).epoch == epoch + (name in touched)
    assert {each.worker for each in ended(node)} == {worker}
    assert not [each for each in node.facts if isinstance(each, Isolated)]
    books(node)


def test_a_camera_worker_that_is_stopped_is_replaced(node: Node) -> None:
    other = Still(node, "cam1")
    victim = next(each for each in workers_of(os.getpid(), "camera") if each.pid == pid_of(node, "cameras-0"))
    victim.send_signal(signal.SIGSTOP)
    assert "stopped" in until_ended(node, "cameras-0").detail
    node.until_more("cam0", "deadly")
    other.check()
    books(node)


def pid_of(node: Node, worker: str) -> Any:
    return next(each.pid for each in node.node._node.children if each.name == worker)
