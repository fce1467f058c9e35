"""Whether a silent process is stopped, still, or only starved. Real processes and simulated ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from integration.harness import wait_until
from vedette.supervise.signs import Activity, Signs, activity_of

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Python processes that run a line, and say when they are about to."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(line: str) -> subprocess.Popen[bytes]:
        code = f"import threading, time; print('x', flush=True); {line}"
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def still(pid: int) -> bool:
    first, second = activity_of(pid), activity_of(pid)
    return not second.busy and first.spent == second.spent


def test_a_process_that_sleeps_is_still(start: Start) -> None:
    pid = start("time.sleep(1000)").pid
    wait_until(lambda: still(pid), "it sleeps")
    activity = activity_of(pid)
    assert not activity.stopped
    assert activity.spent is not None


def test_a_process_that_computes_is_busy_although_it_may_wait_for_a_core(start: Start) -> None:
    pid = start("exec('while True: pass')").pid
    wait_until(lambda: activity_of(pid).busy, "it runs")
    spent = activity_of(pid).spent
    assert spent is not None
    wait_until(lambda: (activity_of(pid).spent or 0) > spent, "and goes on")


def test_a_thread_that_computes_counts_for_a_process_whose_main_thread_sleeps(start: Start) -> None:
    line = "threading.Thread(target=exec, args=('while True: pass',)).start(); time.sleep(1000)"
    pid = start(line).pid
    wait_until(lambda: activity_of(pid).busy, "it runs")


def test_a_stopped_process_is_seen_to_be(start: Start) -> None:
    pid = start("exec('while True: pass')").pid
    assert not activity_of(pid).stopped
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: activity_of(pid).stopped, "it is stopped")
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not activity_of(pid).stopped, "it goes on")


def test_a_process_that_is_gone_raises(start: Start) -> None:
    process = start("pass")
    process.wait()
    with pytest.raises(FileNotFoundError):
        activity_of(process.pid)


def test_a_kernel_that_does_not_count_makes_nobody_still(tmp_path: Path) -> None:
    task = tmp_path / "5" / "task" / "5"
    task.mkdir(parents=True)
    (task / "stat").write_text("5 (a) name) S 1 5 5 0")
    assert activity_of(5, tmp_path) == Activity(stopped=False, busy=False, spent=None)
    (task / "schedstat").write_text("0 0 0\n")
    assert activity_of(5, tmp_path).spent is None
    (task / "schedstat").write_text("7 3 2\n")
    assert activity_of(5, tmp_path).spent == 10
    assert activity_of(5, tmp_path).waited == {"5": 3}


class Simulated:
    """A process, and who looks at it ten times a second."""

    def __init__(self) -> None:
        self.activity = Activity(stopped=False, busy=False, spent=1)
        self.now = 100.0
        self.signs = Signs(lambda _: self.activity)

    def looks(self, seconds: float, ran: int = 0, every: float = 0.1, **changes: bool) -> Signs:
        for _ in range(round(seconds / every)):
            self.now += every
            spent = None if self.activity.spent is None else self.activity.spent + ran
            how = {"stopped": False, "busy": False, **changes}
            self.activity = Activity(**how, spent=spent, waited=self.activity.waited)
            self.signs.look(1, self.now)
        return self.signs


def test_stillness_and_stops_are_dated_from_when_they_were_first_seen() -> None:
    world = Simulated()
    assert world.looks(3).still_since == pytest.approx(100.1)
    world = Simulated()
    signs = world.looks(3, stopped=True)
    assert signs.stopped_since == pytest.approx(100.1)
    assert world.looks(0.1).stopped_since == 0.0


def test_a_process_that_moves_now_and_then_is_not_still() -> None:
    world = Simulated()
    world.looks(1.0)
    assert world.looks(0.1, ran=1).still_since == 0.0
    assert world.looks(0.5).still_since == pytest.approx(101.1)
    assert world.looks(0.1, busy=True).still_since == 0.0


def test_whoever_did_not_look_for_a_while_knows_nothing_of_the_time_between() -> None:
    world = Simulated()
    world.looks(1.0)
    world.now += 600
    signs = world.looks(0.1)
    assert (signs.still_since, signs.stopped_since) == (0.0, 0.0)
    world.now += 600
    assert world.looks(0.1, stopped=True).stopped_since == pytest.approx(world.now)


def test_what_a_process_waited_for_cores_while_it_was_silent_is_that_of_its_worst_thread() -> None:
    world = Simulated()
    world.activity = replace(world.activity, waited={"1": 5 * 10**9, "2": 0})
    assert world.looks(0.1).starved == 0.0, "that was before"
    world.activity = replace(world.activity, waited={"1": 6 * 10**9, "2": 2 * 10**9, "3": 9 * 10**9})
    assert world.looks(0.1).starved == pytest.approx(2.0)
    world.signs.forget()
    assert world.signs.starved == 0.0
    assert world.looks(0.1).starved == 0.0


def test_a_process_that_spoke_begins_afresh() -> None:
    world = Simulated()
    world.looks(1.0)
    world.signs.forget()
    assert world.signs.still_since == 0.0
    assert world.looks(0.2).still_since == pytest.approx(101.1)
