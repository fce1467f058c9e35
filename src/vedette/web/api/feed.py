"""Something numbered that the node is asked for again and again, once for all who listen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import msgspec

from vedette.control.protocol import ControlError
from vedette.web.node import NodeGoneError
from vedette.web.problems import ProblemError

__all__ = ["Away", "Batch", "Feed", "Listener", "Missed", "events"]

LISTENERS_AT_MOST = 64
AWAY_AGAIN_S = 1.0

T = TypeVar("T")


class Batch(NamedTuple, Generic[T]):
    """What came at once. ``last``: the number to go on from; ``missed``: there was no room for."""

    items: Sequence[T]
    last: int
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Missed:
    """So many were left out: by the node, or because whoever listens was too slow."""

    count: int


@dataclass(frozen=True, slots=True)
class Away:
    """The node does not answer; it is asked on."""

    why: str


class Listener(Generic[T]):
    """One who listens. ``room``: items that wait for it at most; the oldest make room, and are counted."""

    def __init__(self, wants: Callable[[T], bool], room: int) -> None:
        self._wants, self._room = wants, room
        self._waiting: deque[T] = deque()
        self._missed = 0
        self._away: str | None = None
        self._news = asyncio.Event()

    def put(self, batch: Batch[T]) -> None:
        self._missed += batch.missed
        for item in batch.items:
            if self._wants(item):
                self._waiting.append(item)
        while len(self._waiting) > self._room:
            self._waiting.popleft()
            self._missed += 1
        if self._waiting or self._missed:
            self._news.set()

    def away(self, why: str) -> None:
        self._away = why
        self._news.set()

    async def take(self, within: float) -> list[T | Missed | Away]:
        """All that waits, after waiting for something; empty where nothing came in that time."""
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            return []
        self._news.clear()
        found: list[T | Missed | Away] = []
        if self._away is not None:
            found.append(Away(self._away))
            self._away = None
        if self._missed:
            found.append(Missed(self._missed))
            self._missed = 0
        found.extend(self._waiting)
        self._waiting.clear()
        return found


class Feed(Generic[T]):
    """``ask(after)``: what is numbered above. ``begin``: what to ask with at first. Nobody is asked while
    nobody listens."""

    def __init__(
        self, ask: Callable[[int], Awaitable[Batch[T]]], *, begin: int, every: float, room: int = 1000
    ) -> None:
        self._ask, self._begin, self._every, self._room = ask, begin, every, room
        self._listeners: set[Listener[T]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def check_room(self) -> None:
        """Raises ProblemError where too many listen."""
        if len(self._listeners) >= LISTENERS_AT_MOST:
            raise ProblemError("too-many", f"{LISTENERS_AT_MOST} listen already, which is the most")

    @contextmanager
    def listening(self, wants: Callable[[T], bool] = lambda _: True) -> Iterator[Listener[T]]:
        """Until the end of the block. Raises ProblemError where too many listen: of many who ask at once none
        has begun when they are asked whether there is room."""
        self.check_room()
        listener: Listener[T] = Listener(wants, self._room)
        self._listeners.add(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="vedette-feed")
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _run(self) -> None:
        after, away = self._begin, False
        while True:
            try:
                batch = await self._ask(after)
            except (NodeGoneError, ControlError) as err:
                if not away:
                    for listener in self._listeners:
                        listener.away(str(err))
                # Whoever comes back may be another one, which counts anew.
                after, away = self._begin, True
                await asyncio.sleep(AWAY_AGAIN_S)
                continue
            away = False
            after = batch.last
            for listener in self._listeners:
                listener.put(batch)
            await asyncio.sleep(self._every)


async def events(
    listener: Listener[T], write: Callable[[T], bytes], *, still_after: float
) -> AsyncIterator[bytes]:
    """Server-sent events (WHATWG HTML, 9.2). Every ``still_after`` seconds without any a comment, so that
    proxies keep the connection, and so that it is noticed who has gone."""
    yield b"retry: 2000\n\n"
    while True:
        found = await listener.take(still_after)
        if not found:
            yield b": still here\n\n"
            continue
        yield b"".join(_event(each, write) for each in found)


def _event(told: T | Missed | Away, write: Callable[[T], bytes]) -> bytes:
    match told:
        case Missed(count):
            return b'event: missed\ndata: {"missed":%d}\n\n' % count
        case Away(why):
            return b"event: away\ndata: " + msgspec.json.encode({"detail": why}) + b"\n\n"
    return write(told)
