"""What processes cost is counted, and what dead ones cost is not forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from vedette.supervise.resources import Watched
from vedette.supervise.usage import Usage
from vedette.testing import ManualClock

BUSY = """
import time
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
print("done", flush=True)
input()
"""


def of(pid: int) -> Watched:
    return Watched(f"worker-{pid}", "camera", pid)


def test_cpu_time_of_dead_processes_stays_in_the_sum() -> None:
    usage = Usage()
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        usage.read([of(process.pid)], memory=True)
        burnt = usage.cpu_s
        assert 0.25 < burnt < 10
        assert usage.pss_mb > 1
        process.communicate(b"\n")
    usage.read([of(process.pid)], memory=True)
    assert usage.cpu_s == burnt
    assert usage.pss_mb == 0
    assert usage.pss_peak_mb > 1


def test_reading_twice_counts_once() -> None:
    usage = Usage()
    usage.read([of(os.getpid())], memory=False)
    first = usage.cpu_s
    usage.read([of(os.getpid())], memory=False)
    assert first <= usage.cpu_s < first + 1
    assert usage.pss_mb == 0, "memory was not asked for"


def test_cpu_time_grows_with_work() -> None:
    usage = Usage()
    usage.read([of(os.getpid())], memory=False)
    before, until = usage.cpu_s, time.process_time() + 0.1
    while time.process_time() < until:
        pass
    usage.read([of(os.getpid())], memory=False)
    assert usage.cpu_s - before > 0.05


def test_processes_that_do_not_exist_are_no_trouble() -> None:
    usage = Usage()
    usage.read([of(2**22 + 1), of(0x7FFFFFFF)], memory=True)
    assert usage.cpu_s == 0


def test_of_each_worker_the_latest_and_the_most_are_kept_beyond_its_death() -> None:
    usage = Usage()
    assert usage.of("cameras-0") is None
    files = [open(os.devnull) for _ in range(20)]  # noqa: SIM115 - they are to be open for a while
    usage.read([Watched("cameras-0", "camera", os.getpid())], memory=True)
    with_files = usage.of("cameras-0")
    for file in files:
        file.close()
    usage.read([Watched("cameras-0", "camera", os.getpid())], memory=True)
    usage.read([Watched("cameras-0", "camera", 0x7FFFFFFF)], memory=True)
    latest, peak = usage.of("cameras-0"), usage.peak_of("cameras-0")
    assert with_files is not None
    assert latest is not None
    assert latest.pid == os.getpid(), "what was read last stands"
    assert latest.fds == with_files.fds - 20
    assert peak.fds == with_files.fds
    assert peak.pss >= latest.pss >= latest.uss > 0
    assert latest.at > with_files.at
    assert usage.of("cameras-1") is None


def test_the_successor_of_a_worker_begins_its_own_seconds_and_keeps_the_peak() -> None:
    usage = Usage()
    usage.read([Watched("cameras-0", "camera", os.getpid())], memory=True)
    first, peak = usage.of("cameras-0"), usage.peak_of("cameras-0")
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        usage.read([Watched("cameras-0", "camera", process.pid)], memory=True)
        process.communicate(b"\n")
    second = usage.of("cameras-0")
    assert first is not None
    assert second is not None
    assert second.pid == process.pid
    assert second.cpu == {}, "nothing is known of the time before"
    assert sum(second.cpu_s.values()) < sum(first.cpu_s.values())
    assert second.pss < first.pss <= usage.peak_of("cameras-0").pss
    assert usage.peak_of("cameras-0").threads >= peak.threads


HELD = 30 << 20
# A process of its own, whose memory nothing else changes: that of the tests shrinks when it likes.
HOLDS_WHEN_TOLD = f"""
import os
print("begun", flush=True)
input()
held = bytearray(os.urandom({HELD}))
print("held", flush=True)
input()
"""


def test_memory_that_costs_much_to_look_at_is_looked_at_less_often() -> None:
    clock = ManualClock()
    usage, sparing = Usage(clock=clock, memory_share=1e9), Usage(clock=clock, memory_share=1e-9)

    def pss() -> tuple[int, int]:
        found = []
        for each in (usage, sparing):
            each.read([Watched("cameras-0", "camera", process.pid)], memory=True)
            latest = each.of("cameras-0")
            assert latest is not None
            assert latest.at == clock.monotonic()
            found.append(latest.pss)
        return found[0], found[1]

    with subprocess.Popen(
        [sys.executable, "-S", "-c", HOLDS_WHEN_TOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        before, before_sparing = pss()
        process.stdin.write("\n")
        assert process.stdout.readline() == "held\n"
        clock.advance(2)
        now, now_sparing = pss()
        assert now > before + HELD * 0.8
        assert now_sparing == before_sparing
        clock.advance(1e12)
        assert pss()[1] > before_sparing + HELD * 0.8
        process.stdin.write("\n")


def test_the_machine_is_looked_at_with_the_memory() -> None:
    usage = Usage()
    usage.read([of(os.getpid())], memory=False)
    assert usage.machine is None
    usage.read([of(os.getpid())], memory=True, cpu=0.5)
    assert usage.machine is not None
    assert usage.machine.cpu == 0.5
    assert usage.machine.disk_free is None, "there is no ledger"
