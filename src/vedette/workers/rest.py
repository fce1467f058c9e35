"""How much rest a worker's loop has: the one figure that says whether it can keep up.

A loop that runs all the time, or would run and gets no core, has no rest left, whoever takes the cores. Linux
counts both for each thread.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["Rest", "ThreadTime"]

OVER_S = 1.0
"""Shares are of about so long a stretch."""


class ThreadTime:
    """Seconds that the calling thread ran, and waited for a core, since it began. Use it from one thread."""

    def __init__(self) -> None:
        self._file: BinaryIO | None
        try:
            path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
            self._file = path.open("rb", buffering=0)
        except OSError:
            self._file = None

    def read(self) -> tuple[float, float]:
        """(ran, waited). Where the system does not count the waiting: it is 0."""
        if self._file is not None:
            try:
                self._file.seek(0)
                ran, waited, *_ = self._file.read().split()
                return int(ran) / 1e9, int(waited) / 1e9
            except (OSError, ValueError):
                self._file = None
        return time.thread_time(), 0.0


class Rest:
    """Writes a worker's load into ``row`` of the shared table about once a second. Times in seconds."""

    def __init__(self, row: Any) -> None:
        self._row, self._time = row, ThreadTime()
        self._began = self._turned = 0.0
        self._ran = self._waited = self._late = 0.0

    def turned(self, now: float, pause: float, outbox: int = 0) -> None:
        """The loop turns, after it wanted to pause for ``pause``. ``outbox``: messages that wait."""
        if self._turned:
            self._late = max(self._late, now - self._turned - pause)
        self._turned = now
        if now - self._began < OVER_S:
            return
        ran, waited = self._time.read()
        if self._began:
            passed, row = now - self._began, self._row
            row["waited"] = min(1.0, (waited - self._waited) / passed)
            row["busy"] = min(1.0, (ran - self._ran + waited - self._waited) / passed)
            row["late"], row["outbox"], row["at"] = self._late, outbox, now
        self._began, self._ran, self._waited, self._late = now, ran, waited, 0.0
