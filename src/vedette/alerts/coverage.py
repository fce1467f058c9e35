"""Once a day: which cameras saw too little of the last 24 hours. Pure but for the one who is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["Coverage", "CoverageCheck"]

Coverage = Callable[[str, float], float | None]
"""Share of the last so many seconds that a camera was seen; None where too little is known."""

DAY_S = 86_400.0
LOOK_EVERY_S = 3600.0
"""Until there is something to tell; then once a day. The first look is this long after the start."""
ASKED_AT_MOST = 50
"""Cameras asked about in one go: each may cost a query."""


class CoverageCheck:
    """Asks about a few cameras at a time; has all answers of a pass together at its end."""

    def __init__(self, coverage: Coverage, below: float) -> None:
        self._coverage, self._below = coverage, below
        self._next: float | None = None
        self._waiting: list[str] = []
        self._found: dict[str, float] = {}

    def look(self, cameras: Iterable[str], now: float) -> list[tuple[str, float]]:
        """Cameras below, the worst first; empty unless a pass has just ended."""
        if self._next is None:
            self._next = now + LOOK_EVERY_S
        if not self._waiting:
            if now < self._next:
                return []
            self._waiting = sorted(cameras, reverse=True)
            self._next = now + LOOK_EVERY_S
        for _ in range(min(ASKED_AT_MOST, len(self._waiting))):
            name = self._waiting.pop()
            share = self._coverage(name, DAY_S)
            if share is not None and share < self._below:
                self._found[name] = share
        if self._waiting or not self._found:
            return []
        found, self._found = self._found, {}
        self._next = now + DAY_S
        return sorted(found.items(), key=lambda item: item[1])
