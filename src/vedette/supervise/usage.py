"""What a node's processes cost and have: of each the latest and the most, and sums over all of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from vedette.clock import Clock, SystemClock
from vedette.supervise.figures import MachineUsage, Peak, ProcessUsage
from vedette.supervise.gpu import Gpus
from vedette.supervise.groups import GroupTimes
from vedette.supervise.machine import read_machine
from vedette.supervise.resources import Memory, Watched, memory_of, open_files, threads_of, times_of
from vedette.workers.threads import GROUPS

__all__ = ["Usage"]

MEMORY_SHARE = 0.003
"""Of a core. The larger processes are, the more it costs to look at their memory; and the more it takes to
change what they have."""


class Usage:
    """Sums include processes that are dead, by what was last read of them.

    ``read`` may be called from any thread, with ``memory`` from one at a time; the rest from any thread.
    ``store``: the folder of the ledger, whose disk is looked at. ``memory_share``: of a core, that looking
    at memory may take: its figures may be older than the rest.
    """

    def __init__(
        self,
        *,
        gpus: Gpus | None = None,
        store: Path | None = None,
        clock: Clock | None = None,
        memory_share: float = MEMORY_SHARE,
    ) -> None:
        self._gpus, self._store, self._clock = gpus or Gpus(None), store, clock or SystemClock()
        self._memory_share = memory_share
        self._memory: dict[tuple[int, int], tuple[Memory, float]] = {}
        """By process: what it had, and until when that is good enough, in monotonic seconds."""
        self._cpu: dict[tuple[int, int], float] = {}
        self._groups: dict[str, tuple[int, int, GroupTimes]] = {}
        """By worker: its process, when that began, and its threads."""
        self._latest: dict[str, ProcessUsage] = {}
        self._peaks: dict[str, Peak] = {}
        self.machine: MachineUsage | None = None
        """None before the first reading with memory."""
        self.pss_mb = 0.0
        self.pss_peak_mb = 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds, user and system."""
        return sum(list(self._cpu.values()))  # a copy: others may be reading

    @property
    def gpu_memory(self) -> int | None:
        """Bytes of the GPU that has least; None where none is known."""
        return self._gpus.smallest

    @property
    def gpu_free(self) -> int | None:
        """Bytes that are free on the GPU that has least left; None where that is not known."""
        return self._gpus.free

    def of(self, worker: str) -> ProcessUsage | None:
        """The latest of a worker, or of the ``node`` itself; after its death, the last that was read. None
        before the first reading with memory."""
        return self._latest.get(worker)

    def peak_of(self, worker: str) -> Peak:
        """The most that a worker of this name had of each, in all its processes."""
        return self._peaks.get(worker, Peak())

    def read(self, processes: Iterable[Watched], *, memory: bool, cpu: float = 0.0) -> None:
        """Look at these processes. ``memory``: at everything but CPU seconds, too, which costs a
        millisecond or more each. ``cpu``: share of the machine's cores that is in use now."""
        watched = list(processes)
        gpu = self._gpus.memory() if memory else {}
        total = 0
        for process in watched:
            try:
                if memory:
                    total += self._look_at(process, gpu, len(watched)).pss
                else:
                    self._count(process)
            except (OSError, ValueError):
                continue  # it ended just now; what was read before stands
        if memory:
            self._forget_memory(watched)
            self.pss_mb = total / 1e6
            self.pss_peak_mb = max(self.pss_peak_mb, self.pss_mb)
            self.machine = read_machine(cpu, self._store)

    def _count(self, process: Watched) -> tuple[int, float, int]:
        """When it began, its CPU seconds, and how many threads it has."""
        times = times_of(process.pid)
        key = process.pid, times.began
        # Two that read at the same time may come to this line in the other order.
        self._cpu[key] = max(times.cpu_s, self._cpu.get(key, 0.0))
        return times.began, times.cpu_s, times.threads

    def _look_at(self, process: Watched, gpu: Mapping[int, int], among: int) -> ProcessUsage:
        groups = GROUPS.get(process.kind, ())
        # Threads first: they must not have had more than their process.
        threads = threads_of(process.pid) if groups else {}
        began, cpu_s, count = self._count(process)
        at = self._clock.monotonic()
        memory, fds = self._memory_of((process.pid, began), at, among), open_files(process.pid)
        known = self._groups.get(process.name)
        if known is None or known[:2] != (process.pid, began):
            known = self._groups[process.name] = process.pid, began, GroupTimes(groups)
        times = known[2]
        times.add(threads, cpu_s, at)
        found = ProcessUsage(
            worker=process.name,
            pid=process.pid,
            at=at,
            pss=memory.pss,
            uss=memory.uss,
            gpu=gpu.get(process.pid),
            fds=fds,
            threads=count,
            cpu_s=times.cpu_s,
            cpu=times.cpu,
        )
        self._latest[process.name] = found
        self._peaks[process.name] = self.peak_of(process.name).raised_by(found)
        return found

    def _memory_of(self, process: tuple[int, int], now: float, among: int) -> Memory:
        """``among``: how many processes have to do with the same share."""
        known = self._memory.get(process)
        if known is not None and now < known[1]:
            return known[0]
        began = time.thread_time()
        memory = memory_of(process[0])
        cost = time.thread_time() - began
        self._memory[process] = memory, now + cost * among / self._memory_share
        return memory

    def _forget_memory(self, watched: Iterable[Watched]) -> None:
        alive = {process.pid for process in watched}
        self._memory = {key: known for key, known in self._memory.items() if key[0] in alive}
