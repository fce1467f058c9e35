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
    """``seconds``: how long, from when it was begun. ``most``: different ones that are held, the latest.
    ``rather_old``: who asks later than that gets the old one, and only has the next one made."""

    def __init__(
        self,
        seconds: float,
        most: int = 64,
        now: Callable[[], float] = time.monotonic,
        *,
        rather_old: bool = False,
    ) -> None:
        self._seconds, self._most, self._now, self._rather_old = seconds, most, now, rather_old
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
        old = found[1] if found is not None and self._rather_old and _well(found[1]) else None
        task.add_done_callback(lambda done: self._made(key, done))
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return old.result() if old is not None else await asyncio.shield(task)

    def forget(self) -> None:
        """Something was changed: make it anew."""
        self._held.clear()

    def _made(self, key: Hashable, task: asyncio.Future[T]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and (found := self._held.get(key)) is not None and found[1] is task:
            del self._held[key]


def _well(made: asyncio.Future[Any]) -> bool:
    return made.done() and not made.cancelled() and made.exception() is None
