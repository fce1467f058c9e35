"""Waits for what a worker does, which it may never do: it dies, or takes too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from vedette.clock import Clock
from vedette.errors import WorkerError
from vedette.supervise.child import Child
from vedette.supervise.exits import in_words

__all__ = ["until"]

LOOK_EVERY_S = 0.02


async def until(
    happened: Callable[[], bool],
    child: Child,
    clock: Clock,
    *,
    within: float,
    otherwise: str,
    every: float = LOOK_EVERY_S,
    since: Callable[[], float] | None = None,
    last_words: Callable[[], object] = lambda: None,
) -> None:
    """Return when it has ``happened``, which may raise. Raises WorkerError where the worker dies, with what
    it said of that; and with ``otherwise`` where nothing has happened ``within`` so many seconds. ``since``:
    from when these count, in monotonic seconds; None = from now. ``last_words``: hears what it said before it
    died, where nobody else does. ``every``: seconds between two looks."""
    began = clock.monotonic()
    while True:
        alive = child.alive  # first: what it said last was there before it was seen to be dead
        if happened():
            return
        if not alive:
            last_words()
            raise WorkerError(child.kill_reason or f"it died: {in_words(child.exit_code)}")
        if clock.monotonic() - (began if since is None else since()) > within:
            raise WorkerError(otherwise)
        child.flush()
        await asyncio.sleep(every)
