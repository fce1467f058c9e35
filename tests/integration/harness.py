"""A node as users start it, cameras to look at, and ways to see what becomes of both."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml

from patience import NEVER_S, PATIENCE_S
from servers import free_port
from vedette.causes import Blame, Cause
from vedette.facts import Gap
from vedette.sim import Clip, SimulatedCameras, encode_frames

FAKE = "vedette.testing:FakeDetector"
OUTCOMES = ("analysed", "superseded", "expired", "skipped", "failed", "orphaned")
SMALL = (160, 96)

CALM = {"stall_after": NEVER_S, "late_after": NEVER_S, "hang_up_after": 30.0, "connect_timeout": 30.0}
"""``defaults`` for cameras that are well. They live in the process of the test: where that stands still for a
second, a node rightly calls them stalled and begins an epoch, and soon a session, too; a test that counts
finds one too many. A test of a stall says itself how long is too long. To connect is still given up, because
the first packets over UDP may get lost: then it has to be tried again."""

Frames = Mapping[str, int]


def fake(timeout: float | str = NEVER_S, **options: Any) -> dict[str, Any]:
    """The ``detector`` section for a detector that finds what it is told to. A test of one that hangs says
    how long a batch may take: a machine that stands still is no reason to kill it."""
    return {"python": FAKE, "options": options, "timeout": timeout}


@lru_cache(maxsize=4)
def small_clip(fps: float = 25, size: tuple[int, int] = SMALL) -> Clip:
    """Two seconds of a white square that wanders over grey, a keyframe every 0.4 s. ``size``: (width,
    height)."""
    pictures = []
    for number in range(int(2 * fps)):
        picture = np.full((size[1], size[0], 3), 60, np.uint8)
        left = number * 2 % (size[0] - 16)
        picture[40:56, left : left + 16] = 220
        pictures.append(picture)
    return encode_frames(pictures, fps=fps, keyframe_every_s=0.4)


class Cameras:
    """Simulated cameras in a thread of this process, on a port they keep: ``stop`` and ``start`` at will."""

    def __init__(self, count: int, *, fps: float = 25, size: tuple[int, int] = SMALL, **options: Any) -> None:
        self.count, self.port = count, free_port()
        self._fps, self._size, self._options = fps, size, options
        self._server: SimulatedCameras | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Cameras:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        self._server = SimulatedCameras(
            small_clip(self._fps, self._size), cameras=self.count, port=self.port, **self._options
        )
        self._do(self._server.start())

    def stop(self) -> None:
        """Every connection is closed, and nobody answers any more."""
        if self._server is not None:
            self._do(self._server.stop())
            self._server = None

    def url(self, index: int, userinfo: str = "") -> str:
        return f"rtsp://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}/cam{index}"

    def section(self, prefix: str = "cam") -> dict[str, dict[str, Any]]:
        """The ``cameras`` section with all of them."""
        return {f"{prefix}{index}": {"url": self.url(index)} for index in range(self.count)}

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)


class Run:
    """``vedette run`` in a process of its own. ``folder`` gets its configuration, results and report."""

    def __init__(
        self, folder: Path, config: dict[str, Any], *arguments: str, env: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.results_file, self.report_file = folder / "results.jsonl", folder / "report.json"
        self.config_file = folder / "cameras.yaml"
        config = {"sinks": [{"type": "jsonl", "path": "results.jsonl"}], **config}
        # A session more is an epoch more: so that tests can count them.
        config["defaults"] = {**CALM, "track_grace": 0, **config.get("defaults", {})}
        self.config_file.write_text(yaml.safe_dump(config, sort_keys=False))
        self._out, self._err = folder / "stdout", folder / "stderr"
        command = [sys.executable, "-m", "vedette.cli", "run", str(self.config_file)]
        command += ["--report", str(self.report_file), "--log-format", "json", "--no-table", *arguments]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env={**os.environ, **(env or {})}
            )

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            children = self.descendants()
            self.process.kill()
            self.process.wait()
            psutil.wait_procs(children, timeout=PATIENCE_S)

    # ---- what it says

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it logged, whole lines only."""
        return json_lines(self._err)

    @property
    def results(self) -> list[dict[str, Any]]:
        return json_lines(self.results_file)

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.report_file.read_text())
        return report

    def results_of(self, camera: str) -> list[dict[str, Any]]:
        return [result for result in self.results if result["camera"] == camera]

    def saw(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """What it logged of an event, where these fields were so."""
        return [
            line
            for line in self.log
            if line.get("event") == event and all(line.get(k) == v for k, v in fields.items())
        ]

    # ---- what becomes of it

    def wait(self) -> int:
        return self.process.wait(PATIENCE_S)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.wait()

    def until(self, condition: Callable[[Run], Any], what: str) -> Run:
        def still() -> Any:
            if condition(self):
                return True
            if self.process.poll() is not None:
                raise AssertionError(f"ended ({self.process.returncode}) before {what}:\n{self.stderr}")
            return False

        wait_until(still, lambda: f"{what}:\n{self.stderr}")
        return self

    def until_all_analysed(self, cameras: Iterable[str], results: int = 3) -> Run:
        wanted = set(cameras)

        def there(run: Run) -> bool:
            seen = [result["camera"] for result in run.results]
            return all(seen.count(camera) >= results for camera in wanted)

        return self.until(there, f"each of {sorted(wanted)} had {results} results")

    def descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def workers(self, kind: str) -> list[psutil.Process]:
        return workers_of(self.process.pid, kind)


def workers_of(pid: int, kind: str) -> list[psutil.Process]:
    """The ``camera`` or ``inference`` workers of a node, oldest first."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if "vedette.workers" in command and kind in command:
            found.append(process)
    return sorted(found, key=lambda process: process.create_time())


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects among the lines of a file that may still be written to."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().split("\n")[:-1]:
        if line.startswith("{") and line.endswith("}"):
            found.append(json.loads(line))
    return found


def wait_until(
    condition: Callable[[], Any], what: str | Callable[[], str], within: float = PATIENCE_S
) -> None:
    """``what``: a function where it is to say how things stand when it is given up."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.05)


def gone(processes: Iterable[psutil.Process], seconds: float = PATIENCE_S) -> bool:
    """Whether all of them end in time. Looks without waiting for them: that is for their parent to do."""

    def alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + seconds
    left = [process for process in processes if alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if alive(process)]
    return not left


def adds_up(frames: Frames, in_flight: int | None = None) -> bool:
    """Whether every received frame has one outcome or is in flight (``in_flight``: exactly so many)."""
    if in_flight is not None and frames["in_flight"] != in_flight:
        return False
    return frames["received"] == sum(frames[name] for name in OUTCOMES) + frames["in_flight"]


def nobody_read(gap: Gap) -> bool:
    """Whether a row says no more than that the process that reads the camera did nothing for two seconds.
    Where the machine stands still that is so, and rightly on record."""
    return (gap.cause, gap.blame) == (Cause.DECODE_BEHIND, Blame.NODE)


def no_detector_yet(gap: Gap) -> bool:
    """Whether a row says no more than that the detector was still being loaded. On a busy machine that may
    take longer than to connect: then it follows the row of the start."""
    return gap.cause is Cause.DETECTOR_LOST and gap.detail.startswith("The detector is being loaded")


def has_one_session(camera: Mapping[str, Any]) -> bool:
    """Whether this camera of a report was opened once and not lost before the run was asked to stop."""
    # A worker that is too slow to stop in time is killed: then that is how its sessions ended.
    ended_with_the_run = camera["last_end_reason"] in (None, "worker_lost")
    return (camera["sessions"], camera["epoch"]) == (1, 0) and ended_with_the_run


def track_ids(results: Iterable[Mapping[str, Any]]) -> dict[int, set[int]]:
    """Track ids by epoch, of one camera's result lines."""
    found: dict[int, set[int]] = {}
    for result in results:
        ids = found.setdefault(result["epoch"], set())
        ids |= {each["track_id"] for each in result["detections"] if each["track_id"] is not None}
    return found


def assert_no_track_id_in_two_epochs(results: Iterable[Mapping[str, Any]]) -> None:
    seen: set[int] = set()
    for epoch, ids in sorted(track_ids(results).items()):
        assert not seen & ids, f"epoch {epoch} uses track ids of an earlier one"
        seen |= ids


def assert_in_order(results: Iterable[Mapping[str, Any]]) -> None:
    """Of one camera: frames once and in order, epochs never going back."""
    results = list(results)
    seqs, epochs = [each["seq"] for each in results], [each["epoch"] for each in results]
    assert all(a < b for a, b in pairwise(seqs)), "seq does not grow"
    assert epochs == sorted(epochs), "epoch goes back"
