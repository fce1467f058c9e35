"""Answers that are held for a moment: whoever asks meanwhile gets the same, and waits for it if it is being
made just now."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

__all__ = ["Held"]

T = TypeVar("T")


class Held(Generic[T]):
    """``seconds``: how long, from when it was begun, at least; where making it took so long that ``share`` of
    the time would go into it, longer. ``most``: different ones that are held, the latest.
    ``rather_old``: who asks later than that gets the old one, and only has the next one made."""

    def __init__(
        self,
        seconds: float,
        most: int = 64,
        now: Callable[[], float] = time.monotonic,
        *,
        rather_old: bool = False,
        share: float = 1.0,
    ) -> None:
        self._share, self._took = share, dict[Hashable, float]()
        self._seconds, self._most, self._now, self._rather_old = seconds, most, now, rather_old
        self._held: OrderedDict[Hashable, tuple[float, asyncio.Future[T]]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` returns, or returned a moment ago; what it raises is raised for all who waited, and
        not held."""
        found = self._held.get(key)
        holds = max(self._seconds, self._took.get(key, 0.0) / self._share)
        if found is not None and self._now() - found[0] < holds:
            return await asyncio.shield(found[1])
        # A task of its own: that one of those who wait goes away is no reason to stop.
        task = asyncio.ensure_future(make())
        self._held[key] = self._now(), task
        self._held.move_to_end(key)
        old = found[1] if found is not None and self._rather_old and _well(found[1]) else None
        task.add_done_callback(lambda done: self._made(key, done))
        while len(self._held) > self._most:
            self._took.pop(self._held.popitem(last=False)[0], None)
        return old.result() if old is not None else await asyncio.shield(task)

    def forget(self) -> None:
        """Something was changed: make it anew."""
        self._held.clear()
        self._took.clear()

    def _made(self, key: Hashable, task: asyncio.Future[T]) -> None:
        found = self._held.get(key)
        if found is None or found[1] is not task:
            return
        self._took[key] = self._now() - found[0]
        if task.cancelled() or task.exception() is not None:
            del self._held[key]


def _well(made: asyncio.Future[Any]) -> bool:
    return made.done() and not made.cancelled() and made.exception() is None
