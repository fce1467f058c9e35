"""How fast a worker's memory grows right now: it is to be replaced before it passes its limit, not after."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

__all__ = ["Growth"]

OVER_S = 24.0
"""Growth that is to be believed goes on for so long: caches fill, and pictures come and go, in less."""

PARTS = 3
"""Of that stretch; it must have grown in each of them."""


class Growth:
    """Of one process. ``note`` what it has every few seconds; moments in monotonic seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=64)

    def note(self, at: float, amount: int) -> None:
        self._seen.append((at, amount))
        while self._seen and at - self._seen[0][0] > OVER_S:
            self._seen.popleft()

    def a_second(self) -> float:
        """Bytes by which it has grown each second, in the part of the stretch in which it grew least. 0.0
        where it did not grow all the time, or nothing is known."""
        if len(self._seen) < 2 * PARTS or self._seen[-1][0] - self._seen[0][0] < OVER_S / 2:
            return 0.0
        seen, size = list(self._seen), len(self._seen) // PARTS
        ends = [seen[0], *(seen[(part + 1) * size - 1] for part in range(PARTS - 1)), seen[-1]]
        rates = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(ends)]
        return max(0.0, min(rates))
