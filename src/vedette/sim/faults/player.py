"""Plays a plan on running cameras, and keeps account of what happened when."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

import msgspec

from vedette.clock import Clock, SystemClock
from vedette.errors import ConfigError, VedetteError
from vedette.sim.faults.board import FaultNote
from vedette.sim.faults.schedule import EVERY, FaultEvent

if TYPE_CHECKING:
    from vedette.sim.server import SimulatedCameras

__all__ = ["FaultLog", "Player", "say"]

_log = logging.getLogger(__name__)

AHEAD_S = 10.0
"""Altered clips are made this long before they are needed, or before the cameras start."""


class Player:
    """Begins and ends each event of ``events`` (ordered by start) at its moment, counted from ``start``."""

    def __init__(
        self, server: SimulatedCameras, events: Sequence[FaultEvent], *, clock: Clock | None = None
    ) -> None:
        self._server, self._events = server, events
        self._clock = clock or SystemClock()
        self._task: asyncio.Task[None] | None = None
        self._playing: set[asyncio.Task[None]] = set()
        self.began_at = 0.0
        """Monotonic second that all events count from; 0.0 before the start."""

    async def prepare(self) -> None:
        """Make the altered clips that are known already, so that none is late.

        Raises:
            SourceError: one cannot be made.
        """
        seen = set()
        for event in self._events:
            what = (event.kind, self._place_free(event), *sorted(event.options.items()))
            if event.kind != "freeze" and what not in seen:
                seen.add(what)
                await self._server.board.prepare(event)

    def _place_free(self, event: FaultEvent) -> int:
        camera = self._server.named(event.camera)
        return id(camera.clip) if camera is not None else 0

    def start(self) -> None:
        """Time begins now."""
        self.began_at = self._clock.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Play no more. What is active stays so until the server stops."""
        tasks = [*self._playing, *((self._task,) if self._task else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    async def finished(self) -> None:
        """Returns when every event is over."""
        if self._task is not None:
            await asyncio.gather(self._task)
        await asyncio.gather(*self._playing)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for event in self._events:
            await self._until(event.start - AHEAD_S)
            task = loop.create_task(self._play(event))
            self._playing.add(task)
            task.add_done_callback(self._playing.discard)

    async def _play(self, event: FaultEvent) -> None:
        board = self._server.board
        try:
            clips = await board.prepare(event, self.began_at + event.start)
            await self._until(event.start)
            await board.begin(event, clips)
            await self._until(event.end)
            await board.end(event.id, event.camera)
        except VedetteError as error:
            # One fault that cannot be shown; the others can.
            _log.error("fault %s (%s of %s) failed: %s", event.id, event.kind, event.camera, error)

    async def _until(self, seconds: float) -> None:
        wait = self.began_at + seconds - self._clock.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)


class FaultLog:
    """A file with a JSON object in a line for each beginning and each end.

    ``what`` (began or ended), ``monotonic`` and ``wall`` (seconds), and the event's own fields.

    Raises:
        ConfigError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: IO[bytes] = path.open("wb", buffering=0)
        except OSError as error:
            raise ConfigError(f"fault log {path}: {error.strerror or error}") from error

    def __enter__(self) -> FaultLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, note: FaultNote) -> None:
        line = {
            "what": "ended" if note.ended else "began",
            "monotonic": note.at,
            "wall": note.wall,
            **msgspec.to_builtins(note.event),
        }
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            _log.error("the fault log cannot be written: %s", error.strerror or error)


def say(note: FaultNote, since: float) -> None:
    """A line for people, on standard error."""
    event = note.event
    whom = "all cameras" if event.camera == EVERY else event.camera
    options = " ".join(f"{name}={value}" for name, value in event.options.items())
    what = f"{event.kind} of {whom} {'ends' if note.ended else 'begins'}"
    print(f"{note.at - since:8.2f} s  {what}  {'' if note.ended else options}".rstrip(), file=sys.stderr)
