"""``python -m benchmarks.dashboard``: cameras fail, one each second; what does an open dashboard cost them?

One node under faults, as in ``benchmarks.resources.soak``. Stretches in which a real browser has the first
page open, with its wall of live pictures, take turns with stretches in which nobody looks. Of both: the age
of all results that left in them, and the cores that the node with its workers, and the dashboard's process,
took. The browser stands on the same machine because there is no other, at the scheduler's idle priority:
elsewhere it would cost the cameras nothing either.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.report import markdown, write_json
from benchmarks.resources.soak import Ages
from benchmarks.streams.kinds import CAMERA_KINDS, config_of
from vedette.chaos.run import Chaos, Listeners, run_chaos
from vedette.results import Result
from vedette.sim.faults import RandomFaults, Schedule, Who, plan
from vedette.units import parse_duration
from vedette.web.keeper import listen

SHORTEST_S, LONGEST_S = 1.0, 5.0
SETTLE_S = 5.0
"""After the page was opened or left: what comes then is of neither kind."""

COLUMNS = {
    "dashboard": "{dashboard}",
    "stretches": "{stretches}",
    "results/s": "{results:.1f}",
    "age p50 ms": "{p50:.0f}",
    "p95": "{p95:.0f}",
    "p99": "{p99:.0f}",
    "cores, node and workers": "{cores:.3f}",
    "cores, dashboard": "{web_cores:.3f}",
}


class Kind:
    """What came of all stretches of a kind."""

    def __init__(self, name: str) -> None:
        self.name, self.ages = name, Ages()
        self.stretches, self.seconds = 0, 0.0
        self.whole_s, self.cpu, self.web_cpu = 0.0, 0.0, 0.0
        """Of stretches that were not cut off by the end, at which processes are gone with what they took."""

    def row(self) -> dict[str, Any]:
        return {
            "dashboard": self.name,
            "stretches": self.stretches,
            "results": self.ages.count / self.seconds,
            **{f"p{share}": self.ages.quantile_ms(share / 100) for share in (50, 95, 99)},
            "cores": self.cpu / self.whole_s,
            "web_cores": self.web_cpu / self.whole_s,
        }


class Turns:
    """``now``: the kind that results count for; None in between."""

    def __init__(self, url: str, stretch_s: float) -> None:
        self.kinds = (Kind("nobody looks"), Kind("open"))
        self.now: Kind | None = None
        self.over = threading.Event()
        self._url, self._stretch_s = url, stretch_s
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.over.set()
        self._thread.join()

    def saw(self, result: Result) -> None:
        if (kind := self.now) is not None:
            kind.ages.note(result.age)

    def _run(self) -> None:
        with _page() as page:
            closed, opened = self.kinds
            while not self.over.is_set():
                page.goto("about:blank")
                self._stretch(closed)
                if self.over.is_set():
                    return
                page.goto(self._url)
                self._stretch(opened)

    def _stretch(self, kind: Kind) -> None:
        if self.over.wait(SETTLE_S):
            return
        before, began = _cpu(), time.monotonic()
        self.now = kind
        cut = self.over.wait(self._stretch_s)
        self.now = None
        after, took = _cpu(), time.monotonic() - began
        kind.stretches += 1
        kind.seconds += took
        if not cut:
            kind.whole_s += took
            kind.cpu += after[0] - before[0]
            kind.web_cpu += after[1] - before[1]


@contextmanager
def _page() -> Iterator[Page]:
    """A browser that takes what nobody else wants of the machine."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium: run `make setup`, or install it")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        idle = Path(folder) / "chromium"
        idle.write_text(f'#!/bin/sh\nexec chrt --idle 0 {chromium} "$@"\n')
        idle.chmod(0o755)
        arguments = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=idle, args=arguments)
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 800})
        finally:
            browser.close()


def _cpu() -> tuple[float, float]:
    """Seconds that the node with its workers, those that have ended included, and the dashboard's process,
    have taken so far. Simulated cameras and the browser are processes of their own, and not counted."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    mine, web = ended.ru_utime + ended.ru_stime, 0.0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            words, times = process.cmdline(), process.cpu_times()
        except psutil.Error:
            continue
        spent = times.user + times.system
        if "vedette.workers" in words:
            web += spent if "web" in words else 0.0
            mine += 0.0 if "web" in words else spent
        elif process.pid == psutil.Process().pid:
            mine += spent
    return mine, web


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--for", dest="seconds", type=parse_duration, default=1800.0)
    parser.add_argument("--stretch", type=parse_duration, default=60.0)
    parser.add_argument("--detector", default="5", help="milliseconds of a fake one, or bundled")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="dashboard")
    options = parser.parse_args()
    before = machine()
    with listen("127.0.0.1:0") as probe:
        port = probe.getsockname()[1]
    names = [f"cam{number}" for number in range(options.cameras)]
    # So many cameras, each once in so many seconds: one of them each second.
    entry = RandomFaults(CAMERA_KINDS, float(options.cameras), SHORTEST_S, LONGEST_S, Who(tuple(names)))
    events = plan(Schedule(random=(entry,)), names, options.seconds, options.seed)
    turns = Turns(f"http://127.0.0.1:{port}/", options.stretch)
    config = config_of(options.cameras, options.detector).with_web(f"127.0.0.1:{port}")
    outcome = run_chaos(
        config,
        Chaos(events=events, seconds=options.seconds, seed=options.seed),
        say=lambda line: print(line, flush=True),
        listeners=Listeners(on_result=turns.saw, on_begin=lambda _: turns.start()),
    )
    turns.stop()
    rows = [kind.row() for kind in turns.kinds]
    broken = [problem for problems in outcome.checks.values() for problem in problems]
    print(f"\n{markdown(rows, COLUMNS)}\n\nfaults {len(events)}; p99 {_ratio(rows):.3f} times; {broken}")
    command = " ".join(["python -m benchmarks.dashboard", *sys.argv[1:]])
    more = {"faults": len(events), "p99_ratio": _ratio(rows), "broken": broken}
    print("written to", write_json(options.name, rows, command, before, **more).name)


def _ratio(rows: list[dict[str, Any]]) -> float:
    return float(rows[1]["p99"] / rows[0]["p99"]) if rows[0]["p99"] else 0.0


if __name__ == "__main__":
    main()
