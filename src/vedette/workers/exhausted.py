"""A worker that has no memory left ends: what it would do next is anybody's guess, and a new one is quick."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["OUT_OF_MEMORY", "Pool", "end_on_exhaustion", "exhausted", "watch_task"]

OUT_OF_MEMORY = 71
"""The exit code: that of the system's ``EX_OSERR``."""


def exhausted(where: str) -> None:
    """Never returns. Says nothing to the node but by how it ends: messages need memory."""
    try:
        sys.stderr.write(f"vedette: a worker has no memory left ({where})\n")
    finally:
        os._exit(OUT_OF_MEMORY)


def end_on_exhaustion(loop: asyncio.AbstractEventLoop) -> None:
    """For whatever is called back from this loop."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), MemoryError):
            exhausted("its loop")
        loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def watch_task(task: asyncio.Task[Any]) -> None:
    """For a task that nobody waits for."""

    def ended(task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and isinstance(task.exception(), MemoryError):
            exhausted(task.get_name())

    task.add_done_callback(ended)


class Pool(ThreadPoolExecutor):
    """The same for threads: what they raise would be kept for somebody who never asks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(_guarded, fn, *args, **kwargs)


def _guarded(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return fn(*args, **kwargs)
    except MemoryError:
        exhausted("a thread")
