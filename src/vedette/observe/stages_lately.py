"""What frames took in each stage lately: what is counted since the start says little of now."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

__all__ = ["KEPT_EVERY_S", "OVER_S", "StagesLately"]

OVER_S = 300.0
KEPT_EVERY_S = 30.0


class StagesLately:
    """Keeps counts of before. From any thread."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, NDArray[np.int64]]] = deque()
        self._guard = threading.Lock()

    def over(self, now: float, counts: NDArray[np.int64]) -> tuple[float, NDArray[np.int64]]:
        """``counts``: any shape, since the start, as of ``now`` (seconds). Returns over how many seconds, and
        what was counted in them: of the last five minutes, half a minute more at most; of less after it was
        asked for the first time, and of more where nobody asked for a while."""
        with self._guard:
            if not self._kept or now - self._kept[-1][0] >= KEPT_EVERY_S:
                self._kept.append((now, counts))
            while len(self._kept) > 1 and now - self._kept[1][0] >= OVER_S:
                self._kept.popleft()
            began, before = self._kept[0]
        return now - began, np.maximum(counts - before, 0)
