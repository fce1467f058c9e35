"""Answers that are held for a moment: whoever asks meanwhile gets the same, and waits for it if it is being
made just now."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Held"]

T = TypeVar("T")


class Held(Generic[T]):
    """``seconds``: how long, from when it was begun. ``most``: different ones that are held, the latest."""

    def __init__(self, seconds: float, most: int = 64, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._now = seconds, most, now
        self._held: OrderedDict[Hashable, tuple[float, asyncio.Future[T]]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` returns, or returned a moment ago; what it raises is raised for all who waited, and
        not held."""
        found = self._held.get(key)
        if found is not None and self._now() - found[0] < self._seconds:
            return await asyncio.shield(found[1])
        # A task of its own: that one of those who wait goes away is no reason to stop.
        task = asyncio.ensure_future(make())
        self._held[key] = self._now(), task
        self._held.move_to_end(key)
        task.add_done_callback(lambda done: self._made(key, done))
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Something was changed: make it anew."""
        self._held.clear()

    def _made(self, key: Hashable, task: asyncio.Future[T]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and (found := self._held.get(key)) is not None and found[1] is task:
            del self._held[key]
