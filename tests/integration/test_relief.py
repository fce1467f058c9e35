"""Another process takes over from the detector: nothing is lost, nothing comes twice, tracks go on. And when
it cannot, the one before goes on as if nothing had been tried."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

import vedette
from integration.changing import Node
from integration.harness import Cameras, Run, adds_up, fake, gone, track_ids, wait_until, workers_of
from patience import PATIENCE_S
from vedette.control.protocol import ControlError, Order
from vedette.errors import ConfigError, VedetteError, WorkerError
from vedette.facts import Blind, GapOpened, ReplacementFailed, WorkerEnded, WorkerReplaced

COUNT = 8
NAMES = [f"cam{index}" for index in range(COUNT)]
MODEL = Path(vedette.__file__).parent / "assets" / "picodet_s_416.onnx"
BOXES = [[10.0 + 12 * place, 20.0, 20.0 + 12 * place, 80.0] for place in range(4)]

BAD = '''
import pathlib, time
import numpy as np
from vedette.testing import FakeDetector

HERE = pathlib.Path(__file__).parent


class OnPictures(FakeDetector):
    """Fine with the grey picture it is warmed with."""

    def detect(self, images):
        if images.max() > 200:
            raise RuntimeError("no bright pictures, please")
        return super().detect(images)


class Nonsense(FakeDetector):
    def detect(self, images):
        found = super().detect(images)
        if images.max() > 200:
            for each in found:
                each.xyxy = each.xyxy + 10_000
        return found


class Cold(FakeDetector):
    def detect(self, images):
        raise RuntimeError("too cold")


class Blind(FakeDetector):
    """Finds nothing when it is told to."""


class Slow(FakeDetector):
    """Is not made before the file ``go`` is there."""

    def __init__(self, **options):
        (HERE / "begun").touch()
        while not (HERE / "go").exists():
            time.sleep(0.02)
        super().__init__(**options)
'''


@pytest.fixture(scope="module")
def eight() -> Iterator[Cameras]:
    """Eight simulated cameras, 160×96 at 10 fps: what is asked here is not how much a machine can do."""
    with Cameras(COUNT, fps=10) as running:
        yield running


class Relieved(Node):
    """A node with eight cameras of which each shows the same all the time."""

    def __init__(self, cameras: Cameras, folder: Path) -> None:
        (folder / "bad.py").write_text(BAD)
        self.folder, self.pid = folder, os.getpid()
        super().__init__(
            vedette.Config(
                cameras=cameras.section(),
                detector=fake(boxes=BOXES, seconds=0.003),
                workers=2,
                folder=folder,
                # So that a busy machine changes nothing.
                defaults={"track_grace": "2m", "stall_after": "1m", "late_after": "1m"},
                ladder=False,
                max_age="30s",
            )
        )

    def until_more(self, *cameras: str, results: int = 5) -> None:
        super().until_more(*(cameras or NAMES), results=results)

    def other(self, name: str, **options: Any) -> dict[str, Any]:
        """The configuration with one of the detectors above."""
        return {"python": f"bad:{name}", "options": {"boxes": BOXES, **options}}

    def set_detector(self, detector: dict[str, Any]) -> None:
        """As SIGHUP does it."""
        self.node.reload(self.node.config.with_detector(detector))

    def told(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def workers(self, kind: str) -> list[psutil.Process]:
        return workers_of(self.pid, kind)

    @property
    def detects(self) -> psutil.Process:
        """The one process that is a detector now."""
        wait_until(lambda: len(self.workers("inference")) == 1, "there is one detector")
        return self.workers("inference")[0]

    def until_told(self, kind: type[Any], count: int = 1) -> Any:
        wait_until(lambda: len(self.told(kind)) >= count, f"{kind.__name__} was told")
        return self.told(kind)[count - 1]

    def until_begun(self) -> psutil.Process:
        """The fresh one, while it is being made."""
        wait_until((self.folder / "begun").exists, "another detector is being made")
        wait_until(lambda: len(self.workers("inference")) == 2, "there are two")
        return self.workers("inference")[1]

    def go(self) -> None:
        (self.folder / "go").touch()

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Of what is done here no camera notices anything: no frame is lost, tracks go on, no session ends,
        nobody dies, and the camera workers are the same."""
        self.until_more()
        workers = self.workers("camera")
        files = [process.num_fds() for process in (psutil.Process(), *workers)]
        self.facts.clear()
        yield
        self.until_more()
        assert self.workers("camera") == workers
        wait_until(
            lambda: [process.num_fds() for process in (psutil.Process(), *workers)] == files,
            f"as many files are open as before: {files}",
        )
        for camera in self.node.view().cameras:
            if camera.name in NAMES:
                assert (camera.frames.failed, camera.frames.orphaned) == (0, 0), camera.name
                assert (camera.sessions, camera.epoch) == (1, 0), camera.name
                assert [len(ids) for ids in track_ids(self.of(camera.name)).values()] == [len(BOXES)]
        assert not self.told(WorkerEnded)
        assert not self.told(Blind)
        assert not self.told(GapOpened)

    def stop_and_check(self) -> None:
        """A result for each frame that was analysed, and no epoch but the first."""
        self.stop()
        report = self.node.report()["cameras"]
        for name in NAMES:
            assert len(self.of(name)) == report[name]["frames"]["analysed"]
            assert report[name]["frames"]["failed"] == 0
            assert (report[name]["sessions"], report[name]["epoch"]) == (1, 0)


@pytest.fixture(scope="module")
def steady(eight: Cameras, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relieved]:
    """One that nobody may harm, for all that must not. Its books are looked at in the end."""
    folder = tmp_path_factory.mktemp("steady")
    (folder / "go").touch()
    with Relieved(eight, folder) as node:
        yield node
        node.stop_and_check()


@pytest.fixture
def node(eight: Cameras, tmp_path: Path) -> Iterator[Relieved]:
    """One of which somebody is killed."""
    with Relieved(eight, tmp_path) as node:
        node.until_more(results=2)
        yield node


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """For what waits."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def error(future: Future[Any]) -> str:
    with pytest.raises(VedetteError) as found:
        future.result(PATIENCE_S)
    return str(found.value)


def test_the_detector_is_replaced_again_and_again_and_nobody_notices(steady: Relieved) -> None:
    pids = [steady.detects.pid]
    steady.node.recycle("inference-0")  # what is opened once is open from then on
    pids.append(steady.detects.pid)
    with steady.unharmed():
        for _ in range(4):
            steady.node.recycle("inference-0")
            steady.until_more(results=2)
            pids.append(steady.detects.pid)
        steady.until_told(WorkerReplaced, 4)
    assert len(set(pids)) == 6
    assert [(fact.worker, fact.pid, fact.reason) for fact in steady.told(WorkerReplaced)] == [
        ("inference-0", pid, "operator") for pid in pids[2:]
    ]
    assert not steady.told(ReplacementFailed)
    assert not [pid for pid in pids[:-1] if psutil.pid_exists(pid)]


def test_two_that_are_asked_for_at_once_come_one_after_the_other(
    steady: Relieved, elsewhere: ThreadPoolExecutor
) -> None:
    most = 0
    with steady.unharmed():
        asked = [elsewhere.submit(steady.node.recycle, "inference-0") for _ in range(2)]
        while not all(each.done() for each in asked):
            most = max(most, len(steady.workers("inference")))
            time.sleep(0.02)
        for each in asked:
            each.result()
        steady.until_told(WorkerReplaced, 2)
    assert most == 2
    assert len({fact.pid for fact in steady.told(WorkerReplaced)}) == 2
    assert steady.detects.pid == steady.told(WorkerReplaced)[-1].pid


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("OnPictures", {}, "no bright pictures, please"),
        ("Nonsense", {}, "far outside"),
        ("Cold", {}, "too cold"),
        ("Slow", {"colour": "red"}, "colour"),
        ("Blind", {"boxes": []}, "finds nothing in"),
    ],
)
def test_a_detector_that_is_bad_never_becomes_the_detector(
    steady: Relieved, name: str, options: dict[str, Any], says: str
) -> None:
    before, configured = steady.detects, steady.node.config.detector
    with steady.unharmed():
        with pytest.raises(WorkerError, match=says):
            steady.set_detector(steady.other(name, **options))
        failed = steady.until_told(ReplacementFailed)
    assert (failed.worker, failed.reason) == ("inference-0", "reload")
    assert says in failed.why
    assert not steady.told(WorkerReplaced)
    assert steady.detects == before
    assert steady.node.config.detector == configured, "what is configured is what is at work"


def test_cameras_are_added_and_removed_meanwhile(steady: Relieved, eight: Cameras) -> None:
    asked = steady.node.begin(Order(kind="recycle", what="inference-0"))
    steady.node.add_camera("more", url=eight.url(0))
    asked.result(PATIENCE_S)
    steady.until_more("more", *NAMES)
    asked = steady.node.begin(Order(kind="recycle", what="inference-0"))
    steady.node.remove_camera("more")
    asked.result(PATIENCE_S)
    steady.until_more()


def test_a_worker_that_does_not_exist_is_named_with_those_that_do(steady: Relieved) -> None:
    steady.facts.clear()
    with pytest.raises(
        ConfigError, match="there is no worker 'cameras-9'; there are inference-0, cameras-0, cameras-1"
    ):
        steady.node.recycle("cameras-9")
    assert not steady.told(ReplacementFailed)


# ---- somebody is killed


def test_the_fresh_one_is_killed_while_it_is_made(node: Relieved, elsewhere: ThreadPoolExecutor) -> None:
    before = node.detects
    asked = elsewhere.submit(node.set_detector, node.other("Slow"))
    node.until_begun().kill()
    assert "exit code -9" in error(asked)
    assert node.detects == before
    assert "exit code -9" in node.until_told(ReplacementFailed).why
    node.until_more()
    node.stop_and_check()


def test_the_old_one_is_killed_while_the_fresh_one_is_made(
    node: Relieved, elsewhere: ThreadPoolExecutor
) -> None:
    old = node.detects
    asked = elsewhere.submit(node.set_detector, node.other("Slow"))
    fresh = node.until_begun()
    old.kill()
    assert gone([old])
    node.until_told(WorkerEnded)
    node.go()
    asked.result(PATIENCE_S)
    assert node.detects == fresh
    node.until_more()
    assert node.until_told(WorkerReplaced).pid == fresh.pid
    node.stop_and_check()


def test_the_old_one_is_killed_and_the_fresh_one_is_bad(
    node: Relieved, elsewhere: ThreadPoolExecutor
) -> None:
    old = node.detects
    asked = elsewhere.submit(node.set_detector, node.other("Slow", raises_every=1))
    node.until_begun()
    old.kill()
    assert gone([old])
    node.until_told(WorkerEnded)
    node.go()
    assert "fails on purpose" in error(asked)
    node.until_more()  # as it was configured before
    assert node.detects != old
    node.stop_and_check()


def test_both_are_killed_at_once(node: Relieved, elsewhere: ThreadPoolExecutor) -> None:
    old = node.detects
    asked = elsewhere.submit(node.set_detector, node.other("Slow"))
    fresh = node.until_begun()
    fresh.kill()
    old.kill()
    assert "exit code -9" in error(asked)
    node.until_more()
    assert node.detects not in (old, fresh)
    node.stop_and_check()


def test_a_camera_worker_is_killed_meanwhile_and_everything_comes_back(
    node: Relieved, elsewhere: ThreadPoolExecutor
) -> None:
    asked = elsewhere.submit(node.set_detector, node.other("Slow"))
    fresh = node.until_begun()
    victim = node.workers("camera")[0]
    victim.kill()
    assert gone([victim])
    node.go()
    asked.result(PATIENCE_S)
    node.until_more()
    assert node.detects == fresh
    node.stop()
    assert [fact.worker.split("-")[0] for fact in node.told(WorkerEnded)] == ["cameras"]
    epochs = [camera["epoch"] for camera in node.node.report()["cameras"].values()]
    assert sorted(epochs) == [0] * 4 + [1] * 4, "only its own cameras began anew"


def test_a_node_that_is_stopped_meanwhile_ends_with_nobody_left(
    node: Relieved, elsewhere: ThreadPoolExecutor
) -> None:
    asked = [elsewhere.submit(node.set_detector, node.other("Slow"))]
    node.until_begun()
    asked.append(elsewhere.submit(node.node.recycle, "inference-0"))
    everybody = psutil.Process().children(recursive=True)
    node.node.stop()
    for each in asked:
        error(each)
    assert gone(everybody)
    assert not [process for process in psutil.Process().children() if process.is_running()]
    assert not node.told(WorkerReplaced)
    assert not node.wrong


def test_a_node_that_does_not_run_says_so(eight: Cameras) -> None:
    node = vedette.run(vedette.Config(cameras=eight.section(), detector=fake(), workers=1))
    node.stop()
    with pytest.raises(WorkerError, match="not running"):
        node.recycle("inference-0")
    with pytest.raises(WorkerError, match="not running"):
        node.set_model(MODEL)


# ---- as commands


@pytest.fixture(scope="module")
def run(eight: Cameras, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    env = {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
    section = {name: each for name, each in eight.section().items() if name in NAMES[:2]}
    config = {
        "cameras": section,
        "detector": fake(boxes=BOXES),
        "workers": 1,
        "max_age": "30s",
        "ladder": False,
    }
    with Run(folder / "node", config, env=env) as run:
        run.until_all_analysed(section)
        yield run


def vedette_command(run: Run, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = str(run.folder.parent)
    command = [sys.executable, "-m", "vedette.cli", *arguments]
    env = {**os.environ, "XDG_RUNTIME_DIR": folder, "TMPDIR": folder}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def detects(run: Run) -> psutil.Process:
    wait_until(lambda: len(run.workers("inference")) == 1, "there is one detector")
    return run.workers("inference")[0]


def test_recycle_says_that_it_was_done(run: Run) -> None:
    before = detects(run)
    done = vedette_command(run, "recycle", "inference-0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("inference-0 was replaced in ")
    assert gone([before])
    [line] = run.saw("worker replaced", worker="inference-0", reason="operator")
    assert (line["level"], line["pid"]) == ("info", detects(run).pid)


def test_recycle_of_a_worker_that_there_is_not_is_refused_with_those_that_there_are(run: Run) -> None:
    before = detects(run)
    done = vedette_command(run, "recycle", "inference-7")
    assert done.returncode == ControlError.exit_code
    assert done.stderr.splitlines() == [
        "error: it was not done: there is no worker 'inference-7'; there are inference-0, cameras-0"
    ]
    assert detects(run) == before


@pytest.mark.parametrize(
    ("text", "says"), [(b"no model at all" * 99, "it was not done"), (None, "the node refused")]
)
def test_a_file_that_is_no_model_changes_nothing(
    run: Run, text: bytes | None, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "none.onnx"
    if text is not None:
        file.write_bytes(text)
    before = detects(run)
    done = vedette_command(run, "model", "set", str(file))
    assert done.returncode == ControlError.exit_code, done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: {says}: ")
    assert "none.onnx" in line
    assert detects(run) == before
    seen = len(run.results)
    run.until(lambda run: len(run.results) > seen + 10, "the one before goes on")


def test_another_model_detects_from_then_on(run: Run) -> None:
    # The bundled one, on pictures in which there is nothing that it knows.
    before = detects(run)
    done = vedette_command(run, "model", "set", str(MODEL), "--node", str(run.process.pid))
    assert done.returncode == 0, done.stderr
    assert "picodet_s_416.onnx detects since" in done.stdout
    assert gone([before])
    seen = len(run.results)
    run.until(lambda run: len(run.results) > seen + 10, "it detects")
    assert not run.saw("worker lost")
    assert run.process.poll() is None
    assert run.interrupt() == 0
    assert "picodet" in run.report["node"]["detector"]
    for name in run.report["cameras"]:
        frames = run.report["cameras"][name]["frames"]
        assert adds_up(frames, in_flight=0)
        assert len(run.results_of(name)) == frames["analysed"]


def test_where_no_node_runs_it_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "vedette.cli", "recycle", "inference-0"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == ControlError.exit_code
    assert "no node of yours is running" in done.stderr
