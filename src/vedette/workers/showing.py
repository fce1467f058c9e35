"""Pictures of cameras that somebody looks at: what a camera worker does for it.

A frame's result has left before anything happens here, and where nobody looks nothing does. A thread of its
own scales the decoder's picture down and makes a JPEG of it, in a file without a name, which goes to the node
with what was found in it. Nothing waits for a picture: of each camera one waits at most, the newest; where
the node does not take one, it is let go.

That thread rests between two pictures, so that many eyes on many cameras take a quarter of a core at most.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vedette.clock import Clock
from vedette.workers.exhausted import Pool
from vedette.workers.protocol import Channel, LivePicture, MessageTooLong, Output, Show
from vedette.workers.threads import name_thread

if TYPE_CHECKING:
    from vedette.ingest.convert import Converter

__all__ = ["Showing"]

WAITING_AT_MOST = 8
"""Cameras. Each picture that waits is as large as the camera's own."""

RESTS = 3.0
"""So many times as long as a picture took, in CPU time, nothing is done after it."""

QUALITY = 80
"""Of JPEGs. They are looked at for a moment."""


class Showing:
    """Of one worker. ``told``: whether the node has taken all that was said to it; ``on_loop`` has something
    done by the worker's loop, from any thread; ``trouble`` is told what cannot be shown, once. All methods
    are for the loop."""

    def __init__(
        self,
        node: Channel,
        *,
        told: Callable[[], bool],
        on_loop: Callable[[Callable[[], None]], None],
        trouble: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._node, self._told, self._on_loop, self._trouble = node, told, on_loop, trouble
        self._clock = clock
        self.wanted: dict[int, tuple[int, float]] = {}
        """Cameras that somebody looks at: how wide, and seconds from one picture to the next."""
        self._due: dict[int, float] = {}
        self._waiting: dict[int, tuple[Output, Any]] = {}
        self._converters: dict[int, Converter] = {}
        self._busy = False
        self._pool: Pool | None = None
        self.dropped = self.failed = 0
        """Pictures that there was no room for, or that could not be made."""

    def follow(self, show: Show) -> None:
        """Show these cameras from now on, and no others."""
        self.wanted = {
            index: (width, every)
            for index, width, every in zip(show.cameras, show.widths, show.every, strict=True)
        }
        for known in (self._due, self._waiting, self._converters):
            # A copy: the thread may be at it.
            for index in list(known):
                if index not in self.wanted:
                    known.pop(index, None)
        if self._pool is None and self.wanted:
            self._pool = Pool(1, "show", initializer=name_thread, initargs=("show",))
            self._pool.submit(_warm)

    def result(self, output: Output, image: Any) -> None:
        """A result has left. ``image``: its picture as the decoder gave it, None where it was not kept."""
        wanted = self.wanted.get(output.index)
        if wanted is None or image is None:
            return
        now, due = self._clock.monotonic(), self._due.get(output.index, 0.0)
        if now < due:
            return
        if output.index not in self._waiting and len(self._waiting) >= WAITING_AT_MOST:
            self.dropped += 1
            return
        # Its frames come when they come: one that was late makes the next one no later.
        self._due[output.index] = max(now, due + wanted[1])
        self.dropped += output.index in self._waiting
        self._waiting[output.index] = output, image
        self._go_on()

    def gone(self, index: int) -> None:
        """A camera is not this worker's any more. Who looks at it looks at what another one makes of it."""
        self._waiting.pop(index, None)
        self._converters.pop(index, None)

    def close(self) -> None:
        """Pictures that were not begun are given up."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _go_on(self) -> None:
        if self._busy or not self._waiting or self._pool is None:
            return
        index = next(iter(self._waiting))
        output, image = self._waiting.pop(index)
        self._busy = True
        self._pool.submit(self._make, output, image, self.wanted[index][0])

    def _make(self, output: Output, image: Any, width: int) -> None:
        """In the thread for it."""
        began, fd, problem = time.thread_time(), None, ""
        try:
            fd = self._jpeg(output.index, image, width)
        except MemoryError:
            raise
        except Exception as err:  # of one picture: the next one may be fine
            problem = f"{type(err).__name__}: {err}"
        took = time.thread_time() - began
        self._on_loop(lambda: self._made(output, fd, problem, took))

    def _jpeg(self, index: int, image: Any, width: int) -> int:
        from vedette.ingest.convert import Converter
        from vedette.quality.review.pictures import encode_into

        # Only this thread has it; taken out, it is not forgotten half-way.
        converter = self._converters.pop(index, None) or Converter()
        small = converter.glimpse(image, width)
        if index in self.wanted:
            self._converters[index] = converter
        fd = os.memfd_create("live", os.MFD_CLOEXEC)
        try:
            with os.fdopen(fd, "w+b", closefd=False) as file:
                encode_into(file, small, QUALITY)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _made(self, output: Output, fd: int | None, problem: str, took: float) -> None:
        asyncio.get_running_loop().call_later(RESTS * took, self._rested)
        if fd is not None:
            if output.index in self.wanted:
                self.dropped += not self._sent(output, fd)
            os.close(fd)
            return
        self.failed += 1
        if self.failed == 1:
            self._trouble(f"a picture cannot be shown: {problem}")

    def _rested(self) -> None:
        self._busy = False
        self._go_on()

    def _sent(self, output: Output, fd: int) -> bool:
        """False where the node is behind: it has more important things to hear."""
        if not self._told():
            return False
        picture = LivePicture(
            output.index,
            output.captured_at,
            output.width,
            output.height,
            output.xyxy,
            output.confidence,
            output.track_id,
            output.names,
        )
        try:
            return self._node.send(picture, [fd])
        except MessageTooLong:
            return False


def _warm() -> None:
    """What a JPEG needs is imported before there is a frame that waits for it."""
    import vedette.ingest.convert
    import vedette.quality.review.pictures  # noqa: F401
