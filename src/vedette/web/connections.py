"""Connections to the dashboard, before anything is asked: how many, how long they take, how much they send.

Whoever can reach the port can do all of this without a name or a password, and what serves HTTP beneath us
holds each line of a request, and its address, however long they are, and waits for them for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

__all__ = ["Connection"]

_REFUSED = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
TOO_LARGE = _REFUSED % b"431 Request Header Fields Too Large"
TOO_MANY = _REFUSED % b"503 Service Unavailable"


class Connection(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """uvicorn's, with limits. Times in seconds, by the loop's clock."""

    MOST = 512
    """At once, WebSockets among them. Where one is too many, the one makes room that has asked nothing for
    the longest time."""
    LARGEST_HEAD = 64 * 1024
    """Bytes of a request before its body; what was read at once may be some more."""
    HEAD_WITHIN_S = 15.0
    STUCK_S = 60.0
    """So long may somebody take nothing of what is sent to them, or not let go of what is over."""
    LOOK_EVERY_S = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._asks_since: float | None = None
        """Since when it is to ask something; None while it is answered."""
        self._stuck_since: float | None = None
        self._next_look: asyncio.TimerHandle | None = None
        self._upgraded = False

    # ---- what the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._asks_since = self.loop.time()
        self._look_later()
        if len(self.connections) > self.MOST and not self._made_room():
            self._hang_up(TOO_MANY)

    def data_received(self, data: bytes) -> None:
        before, is_a_head = self.cycle, _is_a_head(self.cycle)
        super().data_received(data)
        if self.cycle is not before:
            self._head, self._asks_since = 0, None
        elif is_a_head and not self._upgraded:
            self._head += len(data)
            if self._asks_since is None:
                self._asks_since = self.loop.time()
            if self._head > self.LARGEST_HEAD:
                self._hang_up(TOO_LARGE)

    def handle_websocket_upgrade(self, *args: Any) -> None:
        # From now on another one is asked whether somebody is still there.
        self._upgraded, self._asks_since, self._stuck_since = True, None, None
        super().handle_websocket_upgrade(*args)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck_since = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    # ---- what becomes of it

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _made_room(self) -> bool:
        """Whether another one was hung up on, that asks nothing."""
        idle = [
            each
            for each in self.connections
            if isinstance(each, Connection) and each is not self and not each._answering
        ]
        if not idle:
            return False
        longest = min(idle, key=lambda each: each._asks_since or self.loop.time())
        self.connections.discard(longest)
        longest.transport.abort()
        return True

    def _hang_up(self, said: bytes) -> None:
        """``said``: where no answer is on its way that it would get into."""
        if not self._answering and not self.transport.is_closing():
            self.transport.write(said)
        self.transport.close()

    def _look_later(self) -> None:
        self._next_look = self.loop.call_later(self.LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        now, transport = self.loop.time(), cast(asyncio.Transport, self.transport)
        if self._stuck_since is None and transport.is_closing():
            self._stuck_since = now
        if _over(self._asks_since, self.HEAD_WITHIN_S, now) or _over(self._stuck_since, self.STUCK_S, now):
            transport.abort()
        else:
            self._look_later()


def _is_a_head(cycle: Any) -> bool:
    """Whether what comes now is the beginning of another request than this one."""
    return cycle is None or cycle.response_complete or not cycle.more_body


def _over(since: float | None, within: float, now: float) -> bool:
    return since is not None and now - since > within
