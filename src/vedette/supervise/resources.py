"""What a process has and what it has cost, read from ``/proc``.

Reading is all that is done here: :mod:`vedette.supervise.usage` keeps what was read. Functions raise OSError
when the process is gone or may not be looked at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Memory", "ThreadKey", "Times", "Watched", "memory_of", "open_files", "threads_of", "times_of"]

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watched(NamedTuple):
    """A process to look at. ``kind``: camera, inference, or node."""

    name: str
    kind: str
    pid: int


@dataclass(frozen=True, slots=True)
class Times:
    """Of a process or a thread. ``began``: ticks from the machine's start to its own, which tells it from a
    later one with the same number. ``cpu_s``: seconds, user and system. ``threads``: of its process."""

    name: str
    began: int
    cpu_s: float
    threads: int


class Memory(NamedTuple):
    """Bytes. ``pss``: each shared page counted in parts, one for each process that has it. ``uss``: what
    would be free if the process ended."""

    pss: int
    uss: int


ThreadKey = tuple[int, int]
"""A thread's number and when it began."""


def times_of(pid: int) -> Times:
    """Of a process, threads that have ended included."""
    return _times(f"/proc/{pid}/stat")


def threads_of(pid: int) -> dict[ThreadKey, Times]:
    """Of each thread that lives."""
    found: dict[ThreadKey, Times] = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            times = _times(f"/proc/{pid}/task/{thread}/stat")
        except OSError:
            continue  # it ended just now
        found[int(thread), times.began] = times
    return found


def open_files(pid: int) -> int:
    """How many file descriptors it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_of(pid: int) -> Memory:
    """Costs the kernel a walk over the process's pages: 3 to 8 ms for a hundred megabytes."""
    try:
        text = _contents(f"/proc/{pid}/smaps_rollup")
    except PermissionError:
        return _roughly(pid)
    sizes = {line[0]: int(line[1]) * 1024 for line in map(bytes.split, text.splitlines()[1:])}
    own = (b"Private_Clean:", b"Private_Dirty:", b"Private_Hugetlb:")
    # Huge pages of hugetlbfs are in no Pss.
    huge = sizes.get(b"Private_Hugetlb:", 0) + sizes.get(b"Shared_Hugetlb:", 0)
    return Memory(sizes.get(b"Pss:", 0) + huge, sum(sizes.get(name, 0) for name in own))


def resident_of(pid: int) -> int | None:
    """Bytes that a process has in memory and shares with no file: about its USS, for next to no cost. None
    where it is gone."""
    try:
        return _roughly(pid).uss
    except (OSError, ValueError):
        return None


def _roughly(pid: int) -> Memory:
    """Where pages may not be counted: all that is resident, and of it what is not shared."""
    _, resident, shared, *_ = _contents(f"/proc/{pid}/statm").split()
    return Memory(int(resident) * _PAGE, (int(resident) - int(shared)) * _PAGE)


def _times(path: str) -> Times:
    # A name may hold spaces and brackets; what follows its last bracket holds none.
    head, _, tail = _contents(path).rpartition(b")")
    fields = tail.split()
    name = head.partition(b"(")[2].decode("utf-8", "replace")
    cpu_s = (int(fields[11]) + int(fields[12])) * _TICK_S
    return Times(name, began=int(fields[19]), cpu_s=cpu_s, threads=int(fields[17]))


def _contents(path: str) -> bytes:
    # A third of what a file object costs, and there are hundreds of threads.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, 4096)  # the kernel makes these at once, and none is longer
    finally:
        os.close(file)
