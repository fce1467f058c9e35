"""What a node's processes cost: CPU seconds and proportional memory."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

__all__ = ["Usage"]


class Usage:
    """Sums over processes, dead ones included (by what was last read of them)."""

    def __init__(self) -> None:
        self._cpu: dict[tuple[int, float], float] = {}
        self.pss_mb = 0.0
        self.pss_peak_mb = 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds, user and system."""
        return sum(self._cpu.values())

    def read(self, pids: Iterable[int], *, memory: bool) -> None:
        """Look at these processes. Reading ``memory`` (PSS, MB) costs a few milliseconds each."""
        total = 0
        for pid in pids:
            try:
                process = psutil.Process(pid)
                times = process.cpu_times()
                self._cpu[pid, process.create_time()] = times.user + times.system
                if memory:
                    full = process.memory_full_info()
                    total += getattr(full, "pss", full.rss)
            except psutil.Error:
                continue  # it ended just now; what was read before stands
        if memory:
            self.pss_mb = total / 1e6
            self.pss_peak_mb = max(self.pss_peak_mb, self.pss_mb)
