"""Answers that go on and on, and WebSockets: they end when whoever asked may no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Streams"]

LOOKED_AT_EVERY_S = 1.0

Holds = Callable[[], bool]


class Streams:
    """All that are open. ``every_s``: how often it is asked of each whether it still may be."""

    def __init__(self, every_s: float = LOOKED_AT_EVERY_S) -> None:
        self._every_s = every_s
        self._open: dict[object, tuple[Holds, Callable[[], None]]] = {}
        self._watch: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def watched(self, holds: Holds, end: Callable[[], None]) -> Iterator[None]:
        """``end`` is called, once, when ``holds`` says no."""
        key = object()
        self._open[key] = holds, end
        if (
            self._watch is None
            or self._watch.done()
            or self._watch.get_loop() is not asyncio.get_running_loop()
        ):
            self._watch = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._open.pop(key, None)

    async def _look(self) -> None:
        while self._open:
            await asyncio.sleep(self._every_s)
            for key, (holds, end) in list(self._open.items()):
                if not holds():
                    self._open.pop(key, None)
                    end()
