"""The listening socket: there, gone (connections are refused), or deaf (nobody answers)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable

from vedette.errors import SourceError

__all__ = ["Listener"]

_BACKLOG = 4096
"""A thousand readers may connect in one moment."""

_FILLERS = 2
"""A queue of length 0 holds one connection; the second is for systems that count differently."""


class Listener:
    """Accepts connections and makes a protocol for each by ``protocol``."""

    def __init__(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._protocol = protocol
        self._servers: list[asyncio.Server] = []
        self._deaf: list[socket.socket] = []
        self._fillers: list[socket.socket] = []

    async def open(self, host: str, port: int) -> int:
        """Listen, unless it does; returns the port, which is a free one where ``port`` was 0.

        Raises:
            SourceError: the port is in use, or the address is not ours.
        """
        if any(server.is_serving() for server in self._servers):
            return port
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._protocol, host, port, backlog=_BACKLOG)
        except (OSError, OverflowError) as error:
            raise SourceError(f"cannot listen on {host} port {port}: {_reason(error)}") from error
        self._servers = [server]
        return int(server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """From now on connections are refused. Those that were accepted are left alone."""
        for server in self._servers:
            server.close()
        for each in (*self._deaf, *self._fillers):
            each.close()
        self._deaf, self._fillers = [], []

    async def wait_closed(self) -> None:
        for server in self._servers:
            await server.wait_closed()
        self._servers = []

    def deafen(self) -> None:
        """From now on those who connect get no answer, as if nothing were there.

        The socket stays; its queue of length 0 is filled by connections of our own that nobody accepts, and
        the kernel then leaves SYNs unanswered. (On Linux; elsewhere a connection may come about and be mute.)
        """
        for server in self._servers:
            for listening in server.sockets:
                # A copy: the event loop closes its own, and for no moment is the port refused.
                kept = socket.socket(fileno=os.dup(listening.fileno()))
                kept.listen(0)
                self._deaf.append(kept)
            server.close()
        self._servers = []
        for kept in self._deaf:
            self._fill(kept)

    async def hear(self) -> None:
        """End of :meth:`deafen`; without it, nothing changes."""
        for filler in self._fillers:
            filler.close()
        deaf, self._deaf, self._fillers = self._deaf, [], []
        loop = asyncio.get_running_loop()
        for kept in deaf:
            self._servers.append(await loop.create_server(self._protocol, sock=kept, backlog=_BACKLOG))

    def _fill(self, kept: socket.socket) -> None:
        for _ in range(_FILLERS):
            filler = socket.socket(kept.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            self._fillers.append(filler)
            with contextlib.suppress(OSError):
                filler.connect_ex(kept.getsockname())


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return (
        "the port is in use" if number == errno.EADDRINUSE else str(getattr(error, "strerror", None) or error)
    )
