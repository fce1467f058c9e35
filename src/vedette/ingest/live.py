"""What a source that never pauses for us can do besides running: it is watched while it runs, and ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from vedette.causes import Blame
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.rtsp.evidence import LinkEvidence
from vedette.ingest.source import Receiver

__all__ = ["HangUp", "LiveSource"]


@runtime_checkable
class LiveSource(Protocol):
    """A camera. All but ``run`` is called from the event loop that runs it, at any time, and never blocks.

    ``stall_after`` (seconds without a frame that end a session) and ``connect_timeout`` (seconds to connect)
    may be set while a session runs and count from then on.
    """

    stall_after: float
    connect_timeout: float

    async def run(self, receiver: Receiver) -> SessionEnd:
        """See ``Source.run``."""
        ...

    def evidence(self) -> LinkEvidence | None:
        """What is known about the other side's silence; None where nothing is."""
        ...

    def probe(self) -> None:
        """Ask the other side for a sign of life, where the protocol has a way; see ``evidence``."""
        ...

    def hang_up(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        """End the running session with these words. Nothing happens where none runs, or it is ending."""
        ...


class HangUp:
    """Ends a session's opening from outside: what is awaited within ``limit`` raises TimeoutError at once."""

    def __init__(self) -> None:
        self.end: SessionEnd | None = None
        """What the session was told to end with."""
        self._armed = False
        self._limit: asyncio.Timeout | None = None

    def arm(self) -> None:
        """A session begins."""
        self._armed, self.end = True, None

    def disarm(self) -> None:
        """It is over."""
        self._armed = False

    def now(self, end: SessionEnd) -> bool:
        """Tell the session to end; the first word counts. False where there is none to tell."""
        if not self._armed or self.end is not None:
            return False
        self.end = end
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())
        return True

    @contextlib.asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError when the time is up, or the session was told to end."""
        if self.end is not None:
            raise TimeoutError
        try:
            async with asyncio.timeout(seconds) as self._limit:
                yield
        finally:
            self._limit = None
