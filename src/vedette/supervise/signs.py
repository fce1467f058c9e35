"""Whether a process that says nothing does anything: signs of life that it cannot help giving.

Read from ``/proc``: whether it is stopped, and how long its threads have run and waited for a core. One that
a busy machine starves waits for a core, one that is paged in waits for a disk; one that hangs in a lock does
nothing at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Activity", "Signs", "activity_of"]

LOOKED_WITHIN_S = 1.0
"""Whoever looks less often does not know what was in between: its own machine may have stood still."""


@dataclass(frozen=True)
class Activity:
    """``spent``: nanoseconds that its threads, those that live, have run or waited for a core; None where the
    system does not say. ``busy``: one of them runs, waits for a core, or waits for a disk. ``waited``:
    nanoseconds that each of them has waited for a core."""

    stopped: bool
    busy: bool
    spent: int | None
    waited: Mapping[str, int] = field(default_factory=dict)


def activity_of(pid: int, proc: Path = Path("/proc")) -> Activity:
    """Of a process now. Raises OSError when it is gone."""
    states, spent, waits = set(), 0, {}
    for thread in os.listdir(proc / str(pid) / "task"):
        folder = proc / str(pid) / "task" / thread
        try:
            # A name may hold spaces and brackets; what follows its last bracket holds none.
            states.add((folder / "stat").read_bytes().rpartition(b")")[2].split()[0])
            ran, waited, *_ = (folder / "schedstat").read_bytes().split()
        except FileNotFoundError:
            continue  # the thread ended just now, or the kernel keeps no such figures
        spent += int(ran) + int(waited)
        waits[thread] = int(waited)
    # Nobody has come so far without having run: such a kernel does not count.
    return Activity(b"T" in states, bool(states & {b"R", b"D"}), spent or None, waits)


class Signs:
    """Of one process: since when it has been stopped or still, in monotonic seconds; 0.0 = it is not, or
    nobody knows. ``starved``: seconds for which the thread that did so longest has waited for a core, from
    the first look on."""

    def __init__(self, read: Callable[[int], Activity] = activity_of) -> None:
        self._read = read
        self._spent: int | None = None
        self._looked_at = 0.0
        self._waited: Mapping[str, int] | None = None
        self.stopped_since = self.still_since = self.starved = 0.0

    def look(self, pid: int, now: float) -> None:
        """To be called about ten times a second while the process is silent."""
        try:
            activity = self._read(pid)
        except OSError:
            self.forget()
            return
        known = now - self._looked_at <= LOOKED_WITHIN_S
        still = not activity.busy and activity.spent is not None and activity.spent == self._spent
        self.stopped_since = (self.stopped_since if known else 0.0) or now if activity.stopped else 0.0
        self.still_since = (self.still_since or self._looked_at) if known and still else 0.0
        self._spent, self._looked_at = activity.spent, now
        before = self._waited = activity.waited if self._waited is None else self._waited
        waits = [waited - before.get(thread, waited) for thread, waited in activity.waited.items()]
        self.starved = max(waits, default=0) / 1e9

    def forget(self) -> None:
        """It speaks, or is gone."""
        self._spent, self._looked_at, self._waited = None, 0.0, None
        self.stopped_since = self.still_since = self.starved = 0.0
