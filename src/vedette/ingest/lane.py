"""Where a camera's frames are decoded: on the event loop while that is short, in a pool when it is not.

Decoding inline costs no thread switch and hands the frame on at once; but a 4K frame would hold up every
other camera of the loop for 20 ms. Each camera decides by its own decode times.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from vedette.clock import Clock
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.source import Receiver

__all__ = ["SHORT_S", "Lane"]

SHORT_S = 0.004
"""A frame of 720p takes about 1.5 ms, 1080p 3.3 ms, 4K 15 ms on one core of a server."""

BACKLOG_AT_MOST = 16
"""Frames that wait for the pool. More would be history; the next keyframe is a place to start afresh."""


class Lane:
    """Hands a session's frames to its receiver, inline or in order through ``pool``.

    Without a ``pool`` (sources with threads of their own) frames are always decoded where they are.
    ``alive`` is called after each frame on the thread it came in on: a loop that has much to read is no loop
    that hangs, and what cannot wait is looked for in between.
    ``connected`` is called when a session has opened.
    """

    def __init__(
        self,
        receiver: Receiver,
        clock: Clock,
        pool: Executor | None,
        alive: Callable[[], None] = lambda: None,
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._receiver, self._clock, self._pool, self._alive = receiver, clock, pool, alive
        self._connected = connected
        self._smoothed = 0.0
        self._backlog: deque[EncodedFrame] = deque()
        self._draining = False
        self._until_keyframe = False
        self._lock = threading.Lock()
        self.left_out = 0
        """Frames that found the backlog full, or came after one that did."""

    def hand_to(self, receiver: Receiver, connected: Callable[[], None] = lambda: None) -> None:
        """From the next frame on, frames go there; ``connected`` is called for later sessions."""
        self._receiver, self._connected = receiver, connected

    @property
    def backlog(self) -> int:
        """Frames that wait to be decoded."""
        return len(self._backlog)

    @property
    def rung(self) -> Rung:
        return self._receiver.rung

    @property
    def slow(self) -> bool:
        """Whether this camera's frames are too large to work on inline."""
        return self._pool is not None and self._smoothed > SHORT_S

    def opened(self, info: StreamInfo) -> None:
        self._until_keyframe = False
        self._receiver.opened(info)
        self._connected()

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        self._receiver.skipped(count, behind=behind)
        if self._pool is not None:
            self._alive()

    def broken(self, count: int = 1) -> None:
        self._receiver.broken(count)

    def lost(self, packets: int) -> None:
        self._receiver.lost(packets)

    def frame(self, frame: EncodedFrame) -> None:
        if self._until_keyframe and not frame.keyframe:
            self.left_out += 1
            self._receiver.skipped(behind=True)
            return
        self._until_keyframe = False
        if self._pool is None or not (self.slow or self._draining):
            self._timed(self._receiver.frame, frame)
            self._alive()
            return
        if len(self._backlog) >= BACKLOG_AT_MOST:
            self._until_keyframe = True
            self.left_out += 1
            self._receiver.skipped(behind=True)
            return
        with self._lock:
            self._backlog.append(frame)
            if self._draining:
                return
            self._draining = True
        self._pool.submit(self._drain)

    def _drain(self) -> None:
        assert self._pool is not None
        with self._lock:
            if not self._backlog:
                self._draining = False
                return
            frame = self._backlog.popleft()
        try:
            self._timed(self._receiver.frame, frame)
            # One frame at a time, then to the back of the line: slow cameras share the pool fairly.
            self._pool.submit(self._drain)
        except BaseException:
            # Whoever waits for this lane to settle must not wait for ever.
            self._draining = False
            raise

    async def settle(self) -> None:
        """After a session: leave out what still waits, and come back when nothing is being decoded."""
        with self._lock:
            left = len(self._backlog)
            self._backlog.clear()
        if left:
            self._receiver.skipped(left, behind=True)
        while self._draining:
            await asyncio.sleep(0.005)

    def _timed(self, deliver: Callable[[EncodedFrame], None], frame: EncodedFrame) -> None:
        began = self._clock.monotonic()
        deliver(frame)
        self._smoothed += 0.1 * (self._clock.monotonic() - began - self._smoothed)
