"""The ledger's time: µs since 1970 that never run backwards, whatever the machine's clock does. Pure."""

from __future__ import annotations

__all__ = ["JUMP_S", "LedgerClock"]

JUMP_S = 5.0
"""The machine's clock ran ahead by so much while ours stood still: it slept, or somebody set the clock."""

SLOWER = 0.1
"""Where the machine's clock was set back, the ledger's time goes slower by this until they agree again."""


class LedgerClock:
    """Maps monotonic seconds to ledger time. ``tick`` is to be called about once a second."""

    def __init__(self, monotonic: float, wall: float, not_before: int = 0) -> None:
        """``not_before``: µs; everything in the ledger is older."""
        self._ticked, self._time = monotonic, max(wall, not_before / 1e6)
        self._speed = 1.0

    def when(self, monotonic: float) -> int:
        return round(self._at(monotonic) * 1e6)

    def _at(self, monotonic: float) -> float:
        passed = monotonic - self._ticked
        return self._time + passed * (self._speed if passed > 0 else 1.0)

    def tick(self, monotonic: float, wall: float) -> tuple[int, int] | None:
        """Follow the machine's clock; (start, end) in µs of a stretch that nobody lived through, or None."""
        before, now = self._time, self._at(monotonic)
        ahead = wall - now
        # From here on, and not from the last tick: what was said of the time since then stays true.
        self._ticked, self._time = monotonic, max(now, wall)
        self._speed = 1.0 - min(SLOWER, max(0.0, -ahead))
        if ahead <= JUMP_S:
            return None
        start = round(before * 1e6)
        return start, start + round(ahead * 1e6)
