"""CPU time of a process by group of its threads. Pure: what was read in, sums out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vedette.supervise.resources import ThreadKey, Times
from vedette.workers.threads import PREFIX

__all__ = ["OTHER", "GroupTimes"]

OTHER = "other"
"""Threads of no group, and what threads did that ended before they were seen again."""


class GroupTimes:
    """Of one process. No sum ever falls: not when a thread ends, nor when it changes its name."""

    def __init__(self, groups: Iterable[str]) -> None:
        self._sums = dict.fromkeys(groups, 0.0)
        self._other = 0.0
        self._threads: dict[ThreadKey, float] = {}
        self._at: float | None = None
        self.cpu: Mapping[str, float] = {}
        """Cores in use since the reading before, on average, by group. Empty before the second one."""

    @property
    def cpu_s(self) -> dict[str, float]:
        """Seconds by group."""
        return {**self._sums, OTHER: self._other}

    def add(self, threads: Mapping[ThreadKey, Times], total: float, at: float) -> None:
        """``threads``: those that live, read before ``total``, the CPU seconds of their process. ``at``:
        monotonic seconds."""
        before = self.cpu_s
        for key, times in threads.items():
            group = times.name.removeprefix(PREFIX)
            if times.name.startswith(PREFIX) and group in self._sums:
                self._sums[group] += max(0.0, times.cpu_s - self._threads.get(key, 0.0))
        self._threads = {key: times.cpu_s for key, times in threads.items()}
        # Times are counted in hundredths: the difference may fall by one, and is kept then.
        self._other = max(self._other, total - sum(self._sums.values()))
        if self._at is not None and at > self._at:
            passed = at - self._at
            self.cpu = {group: (seconds - before[group]) / passed for group, seconds in self.cpu_s.items()}
        self._at = at
