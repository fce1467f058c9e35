"""Which camera crashes the workers that read it: a pure function of who was being decoded when they died.

Decoders are native code, and streams come from outside: a damaged or a hostile one may crash the process that
decodes it, and with it all its other cameras. The shared table says which cameras are inside a decoder
(:class:`vedette.decoding.AtDecoder`); of those that were when a worker crashed, one is to blame.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["CRASHES", "REMEMBERED_S", "Crash", "Suspects", "condemned"]

CRASHES = frozenset(
    -number for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
)
"""Exit codes of processes that native code brought down. Whoever was killed, or ran out of memory, accuses
nobody."""

REMEMBERED_S = 3600.0
"""A camera that was there at two crashes in an hour is more than a bystander."""

REMEMBERED_AT_MOST = 64


@dataclass(frozen=True)
class Crash:
    """A worker that crashed at ``at`` (monotonic seconds), and the cameras that were being decoded in it."""

    at: float
    inside: frozenset[str]


def condemned(history: Iterable[Crash], crash: Crash) -> str | None:
    """The camera to isolate after a crash, if that can be said. ``history``: the crashes before.

    One that was inside alone, at once; else the one that was there most often in the last hour, if that was
    more than once. Of several that were there equally often it is the first by name: if it was another, the
    next crash says so.
    """
    if len(crash.inside) == 1:
        return next(iter(crash.inside))
    lately = [each for each in history if crash.at - each.at < REMEMBERED_S]
    times = Counter(name for each in lately for name in each.inside if name in crash.inside)
    if not times:
        return None
    most = max(times.values())
    return min(name for name, count in times.items() if count == most)


class Suspects:
    """Remembers crashes. Its memory is bounded, and fades after an hour."""

    def __init__(self) -> None:
        self._history: list[Crash] = []

    def died(self, exit_code: int | None, inside: Sequence[str], now: float) -> str | None:
        """A worker died while these cameras were being decoded in it; returns the one to isolate, if any."""
        if exit_code not in CRASHES or not inside:
            return None
        crash = Crash(now, frozenset(inside))
        found = condemned(self._history, crash)
        recent = [each for each in self._history if now - each.at < REMEMBERED_S]
        self._history = [*recent, crash][-REMEMBERED_AT_MOST:]
        return found
