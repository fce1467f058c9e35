"""``kill -USR1``: a run says where the time went so far, and goes on; at its end it says it again."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import yaml

from integration.harness import Cameras, Run, adds_up, fake, wait_until
from patience import PATIENCE_S
from vedette.workers.table import STAGES

TITLE = "where the time went"


def told(run: Run) -> list[str]:
    """Each telling so far, from its title to the last sentence of it."""
    return [line["text"] for line in run.saw(TITLE)]


def ask(run: Run) -> str:
    before = len(told(run))
    run.process.send_signal(signal.SIGUSR1)
    run.until(
        lambda run: len(told(run)) > before and "bottleneck: " in told(run)[before], "SIGUSR1 was answered"
    )
    return told(run)[before]


def test_a_run_that_is_asked_says_where_the_time_went_and_goes_on(cameras: Cameras, tmp_path: Path) -> None:
    section = cameras.section()
    with Run(tmp_path, {"cameras": section, "detector": fake(), "workers": 1}) as run:
        run.until_all_analysed(section)
        for _ in range(2):
            text = ask(run)
            rows = [
                line.split() for line in text.splitlines() if line.split()[:1] and line.split()[0] in STAGES
            ]
            assert [row[0] for row in rows] == list(STAGES)
            decode = next(row for row in rows if row[0] == "decode")
            assert float(decode[1]) > 0, "frames were decoded"
            assert "bottleneck: " in text
            seen = len(run.results)
            run.until(lambda run, seen=seen: len(run.results) > seen + 10, "it goes on")
        assert run.interrupt() == 0
        assert len(told(run)) == 3, "twice when it was asked, once at the end"
        assert "Traceback" not in run.stderr
        report = run.report
        assert report["node"]["bottleneck"]["sentence"] in " ".join(told(run)[-1].split())
        assert set(report["stages_s"]) == set(STAGES)
        assert report["stages_s"]["decode"] > 0
        for camera in report["cameras"].values():
            assert adds_up(camera["frames"], in_flight=0)
            assert sum(camera["endings"].values()) == camera["frames"]["received"]


def test_a_slow_detector_is_named_as_what_holds_the_run_up(cameras: Cameras, tmp_path: Path) -> None:
    section = cameras.section()
    with Run(tmp_path, {"cameras": section, "detector": fake(seconds=0.1), "workers": 1}) as run:
        run.until_all_analysed(section)
        run.until(lambda run: len(run.results) > 60, "it was overloaded for a while")
        run.until(lambda run: "bottleneck: The detector: busy" in " ".join(ask(run).split()), "it was named")
        assert run.interrupt() == 0
        found = run.report["node"]["bottleneck"]
        # Where others take the cores away from the cameras' workers, that comes first.
        assert found["stage"] == "infer" or "got none for" in found["sentence"], found
        assert found["sentence"] in " ".join(told(run)[-1].split())


def test_a_run_that_is_asked_at_any_moment_does_not_die_of_it(cameras: Cameras, tmp_path: Path) -> None:
    """From the moment on that it starts its workers."""
    section = cameras.section()
    with Run(tmp_path, {"cameras": section, "detector": fake(), "workers": 1}) as run:
        wait_until(run.descendants, "it started its workers")
        over = threading.Event()

        def pester() -> None:
            while not over.is_set() and run.process.poll() is None:
                run.process.send_signal(signal.SIGUSR1)
                time.sleep(0.05)

        thread = threading.Thread(target=pester)
        thread.start()
        try:
            run.until_all_analysed(section)

        finally:
            over.set()
            thread.join()
        assert run.interrupt() == 0, run.stderr
        assert "bottleneck: " in told(run)[-1]


def test_the_live_table_goes_on_below_what_was_said(cameras: Cameras, tmp_path: Path) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text(
        yaml.safe_dump(
            {"cameras": cameras.section(), "detector": fake(seconds=0.1), "workers": 1, "ledger": False}
        )
    )
    with Terminal("run", str(config), "--log-level", "error") as terminal:
        terminal.until("analysed")
        terminal.until("bottleneck")
        terminal.process.send_signal(signal.SIGUSR1)
        said = terminal.until("now: ")
        terminal.until("cam0", after=said)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(PATIENCE_S) == 0
        assert "Traceback" not in terminal.text


class Terminal:
    """``vedette …`` with a terminal of 100 × 40 for its standard error."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vedette.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Terminal:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        os.close(self._ours)

    def until(self, part: str, *, after: int = 0) -> int:
        """Wait for some text; returns how much had been written when it was there."""
        wait_until(lambda: part in self.text[after:], f"{part!r} in {self.text[-2000:]!r}")
        return len(self.text)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:
                return  # the other end is closed
            self.text += data.decode("utf-8", "replace")
