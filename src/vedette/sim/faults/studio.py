"""Makes altered clips off the event loop, each once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from vedette.sim.clip import Clip
from vedette.sim.faults.kinds import Options
from vedette.sim.faults.variants import variant

__all__ = ["Studio"]

MAX_KEPT = 64
"""Altered clips held in memory; the least recently used go first. Cameras that play one hold it, too."""

_NICE = 10
"""The cameras come first."""


class Studio:
    """One thread, which runs behind whatever else wants the processor."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._made: OrderedDict[tuple[object, ...], tuple[Clip, Future[Clip]]] = OrderedDict()

    async def make(self, clip: Clip, kind: str, options: Options, place: int) -> Clip:
        """``clip`` with the fault; the same object for all who ask for the same.

        Raises:
            SourceError: it cannot be decoded or encoded.
        """
        key = (id(clip), kind, *sorted(options.items()), place)
        if key not in self._made:
            self._pool = self._pool or ThreadPoolExecutor(1, "altered-clips", _be_nice)
            # The clip is kept with it, so that its id stays its own.
            self._made[key] = (clip, self._pool.submit(variant, clip, kind, options, place))
            while len(self._made) > MAX_KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return await asyncio.shield(asyncio.wrap_future(self._made[key][1]))

    def close(self) -> None:
        """Make nothing more; what is being made is left to end by itself."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        self._made = OrderedDict((key, made) for key, made in self._made.items() if made[1].done())


def _be_nice() -> None:
    # On Linux niceness is a thread's own.
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
