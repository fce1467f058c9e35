"""How much rest a loop has: measured on threads that do what they are told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.workers.rest import Rest, ThreadTime
from vedette.workers.table import Table


def burn(seconds: float) -> float:
    """How long it really was: to a guest of a busy host, standing still may look like running."""
    began = now = time.thread_time()
    while now < began + seconds:
        now = time.thread_time()
    return now - began


def on_a_thread(work: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def row() -> Any:
    table = Table.create(1, 1)
    table.release()
    return table.loads[1]


class Turns:
    """A loop's turns at moments that the test says; the thread's own time is real."""

    def __init__(self) -> None:
        self.row = row()
        self.rest = Rest(self.row)
        self.now = 100.0

    def turn(self, after: float, pause: float = 0.1, outbox: int = 0) -> None:
        self.now += after
        self.rest.turned(self.now, pause, outbox)


def test_a_thread_that_runs_has_run_and_one_that_sleeps_has_not() -> None:
    def work() -> tuple[float, float, float, float]:
        times = ThreadTime()
        before, began = times.read(), time.thread_time()
        time.sleep(0.1)
        slept, awake = times.read(), time.thread_time() - began
        burnt = burn(0.1)
        after = times.read()
        return slept[0] - before[0], awake, after[0] - slept[0], burnt

    slept, awake, ran, burnt = on_a_thread(work)
    assert slept == pytest.approx(awake, abs=0.05)
    assert ran == pytest.approx(burnt, abs=0.05)


def test_two_threads_on_one_core_wait_for_each_other() -> None:
    if not Path("/proc/self/schedstat").exists():
        return  # a system that does not count it says 0, and that is what the other tests see
    core = {min(os.sched_getaffinity(0))}
    endless = "print(flush=True)\nwhile True: pass"

    def work() -> tuple[float, float, float]:
        os.sched_setaffinity(0, core)  # of this thread alone
        times = ThreadTime()
        # A process, because threads of Python wait for each other without wanting a core.
        with subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            before = after = times.read()
            burnt, until = 0.0, time.monotonic() + PATIENCE_S
            # The other one may stand still, too.
            while burnt < 0.3 or (after[1] - before[1] <= 0.1 and time.monotonic() < until):
                burnt += burn(0.1)
                after = times.read()
            other.kill()
        return after[0] - before[0], after[1] - before[1], burnt

    ran, waited, burnt = on_a_thread(work)
    assert ran == pytest.approx(burnt, abs=0.1)
    assert waited > 0.1


def test_nothing_is_said_before_a_second_has_passed() -> None:
    turns = Turns()
    for _ in range(9):
        turns.turn(0.1)
    assert turns.row["at"] == 0
    for _ in range(3):
        turns.turn(0.1)
    assert turns.row["at"] > 100


def test_the_share_in_which_the_thread_ran_is_its_load() -> None:
    turns, times = Turns(), ThreadTime()
    turns.turn(0.1)
    before = sum(times.read())
    burn(0.3)
    burnt = sum(times.read())
    for _ in range(11):
        turns.turn(0.1)
    assert turns.row["busy"] == pytest.approx(min(1.0, burnt - before), abs=0.25)
    turns.turn(1.1)
    # Next to nothing, where the machine did not stand still just then.
    assert turns.row["busy"] < (sum(times.read()) - burnt) / 1.1 + 0.1, "of the last second alone"


def test_no_share_is_more_than_all() -> None:
    turns = Turns()
    turns.turn(0.1)
    burn(0.2)
    turns.turn(0.05)
    turns.turn(1.0)
    assert 0 <= turns.row["waited"] <= 1
    assert 0 <= turns.row["busy"] <= 1
    turns.rest._ran = -1e9  # as if a counter had stepped
    turns.turn(1.5)
    assert turns.row["busy"] == 1.0


def test_the_worst_turn_of_a_second_is_how_late_it_is() -> None:
    turns = Turns()
    turns.turn(0.1)
    for after in (0.1, 0.1, 0.45, 0.12, 0.1, 0.1, 0.1, 0.1):
        turns.turn(after)
    assert turns.row["late"] == pytest.approx(0.35)
    for _ in range(11):
        turns.turn(0.1)
    assert turns.row["late"] == pytest.approx(0.0, abs=1e-6)


def test_what_waits_for_the_node_is_there_too() -> None:
    turns = Turns()
    turns.turn(0.1)
    turns.turn(1.1, outbox=7)
    assert turns.row["outbox"] == 7


def test_whatever_the_moments_are_the_figures_are_figures() -> None:
    rng = np.random.default_rng(3)
    turns = Turns()
    for _ in range(500):
        turns.turn(float(rng.exponential(0.3)), pause=float(rng.uniform(0, 0.2)))
        assert np.isfinite([turns.row[name] for name in ("busy", "waited", "late", "at")]).all()
        assert turns.row["late"] >= 0
