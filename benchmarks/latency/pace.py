"""How long the detector takes, and when: the same for every arm. Needs nothing: the peer imports it too."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Pace"]


@dataclass(frozen=True)
class Pace:
    """``ms`` a picture; for ``slow_for`` seconds of every ``every`` seconds ``slow_ms`` instead.

    The slow spells go by the machine's monotonic clock (they begin where it is a multiple of ``every``), so
    that whoever measures knows them without being told.
    """

    ms: float = 5.0
    slow_ms: float = 0.0
    slow_for: float = 0.0
    every: float = 0.0

    def seconds(self, now: float) -> float:
        """What a picture costs that is begun at ``now``."""
        slow = self.every > 0 and now % self.every < self.slow_for
        return (self.slow_ms if slow else self.ms) / 1000

    def spells(self, begin: float, end: float) -> list[tuple[float, float]]:
        """The slow spells that lie wholly between two moments."""
        if not (self.every and self.slow_for):
            return []
        first, last = math.ceil(begin / self.every), math.floor((end - self.slow_for) / self.every)
        return [(n * self.every, n * self.every + self.slow_for) for n in range(first, last + 1)]

    def options(self) -> dict[str, Any]:
        """As keyword arguments."""
        return asdict(self)
