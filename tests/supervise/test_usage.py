"""What processes cost is counted, and what dead ones cost is not forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from vedette.supervise.usage import Usage

BUSY = """
import time
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
print("done", flush=True)
input()
"""


def test_cpu_time_of_dead_processes_stays_in_the_sum() -> None:
    usage = Usage()
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        usage.read([process.pid], memory=True)
        burnt = usage.cpu_s
        assert 0.25 < burnt < 10
        assert usage.pss_mb > 1
        process.communicate(b"\n")
    usage.read([process.pid], memory=True)
    assert usage.cpu_s == burnt
    assert usage.pss_mb == 0
    assert usage.pss_peak_mb > 1


def test_reading_twice_counts_once() -> None:
    usage = Usage()
    usage.read([os.getpid()], memory=False)
    first = usage.cpu_s
    usage.read([os.getpid()], memory=False)
    assert first <= usage.cpu_s < first + 1
    assert usage.pss_mb == 0, "memory was not asked for"


def test_cpu_time_grows_with_work() -> None:
    usage = Usage()
    usage.read([os.getpid()], memory=False)
    before, until = usage.cpu_s, time.process_time() + 0.1
    while time.process_time() < until:
        pass
    usage.read([os.getpid()], memory=False)
    assert usage.cpu_s - before > 0.05


def test_processes_that_do_not_exist_are_no_trouble() -> None:
    usage = Usage()
    usage.read([2**22 + 1, 0x7FFFFFFF], memory=True)
    assert usage.cpu_s == 0
