"""What an arm measures in its own process: when each result reached the user, and how old it was.
Needs numpy only: the peer's environment imports it too."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Recorder"]


class Recorder:
    """Notes every result; :meth:`measure` waits for all cameras, warms up, and prints events for the harness.

    ``sent``: the simulator's log, float64 [cameras, frames of the clip] in monotonic seconds.
    """

    def __init__(self, sent: Path, cameras: int) -> None:
        self._sent = np.asarray(np.load(sent, mmap_mode="r"))
        self._cameras = cameras
        self._rows: list[tuple[float, int, int, float]] = []
        self._first: dict[int, float] = {}
        self._unreadable = 0

    def result(self, camera: int, index: int | None, now: float) -> None:
        """A result of frame ``index`` reached the user at ``now``."""
        if camera not in self._first:
            self._first[camera] = now
        if index is None or index >= self._sent.shape[1]:
            self._unreadable += 1
            return
        self._rows.append((now, camera, index, float(self._sent[camera, index])))

    def measure(self, *, warm_up: float, seconds: float, give_up: float = 300.0) -> None:
        """Print ``live``, ``begin`` and ``end`` as they come, then wait for standard input to end."""
        deadline = time.monotonic() + give_up
        while len(self._first) < self._cameras and time.monotonic() < deadline:
            time.sleep(0.05)
        say("live", at=max(self._first.values(), default=0.0), cameras=len(self._first))
        time.sleep(warm_up)
        say("begin", at=(begin := time.monotonic()))
        time.sleep(seconds)
        say("end", at=(end := time.monotonic()))
        sys.stdin.read()
        say("result", **self._summary(begin, end))

    def _summary(self, begin: float, end: float) -> dict[str, Any]:
        table = np.array([row for row in self._rows if begin <= row[0] < end]).reshape(-1, 4)
        ages = (table[:, 0] - table[:, 3]) * 1000
        each = np.bincount(table[:, 1].astype(int), minlength=self._cameras) / max(1.0, len(table))
        shares = each * self._cameras - 1
        names = ("age_p50_ms", "age_p95_ms", "age_p99_ms", "age_max_ms")
        quantiles = np.percentile(ages, [50, 95, 99, 100]) if len(ages) else [np.nan] * 4
        return {
            **dict(zip(names, np.round(quantiles, 2).tolist(), strict=True)),
            "results": len(table),
            "analysed_per_s": round(len(table) / (end - begin), 1),
            "share_least_pct": round(100 * float(shares.min()), 1),
            "share_most_pct": round(100 * float(shares.max()), 1),
            "unreadable": self._unreadable,
            "age_below_zero": int((ages < 0).sum()),
        }


def say(event: str, **facts: Any) -> None:
    """One line of JSON for the harness."""
    print(json.dumps({"event": event, **facts}), flush=True)
