"""RTSP over TCP: the way cameras are read. An asyncio client that hands over whole frames as they arrive."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from vedette.clock import Clock
from vedette.errors import redact
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.rtsp.auth import Authenticator, Credentials, same_host, split_credentials
from vedette.ingest.rtsp.connection import Connection, SessionOver
from vedette.ingest.rtsp.session import Redirected, RtspSession
from vedette.ingest.source import Receiver

__all__ = ["RtspSource"]

_PORTS = {"rtsp": 554, "rtsps": 322}
_MAX_REDIRECTS = 3
# How late our own timers may be before we blame ourselves and not the camera (suspended, or overloaded).
_WATCHDOG_SLACK = 1.0


@dataclass(frozen=True, slots=True)
class _Address:
    """Where to connect. ``url`` is without credentials."""

    url: str
    host: str
    port: int
    tls: bool
    credentials: Credentials | None

    @staticmethod
    def of(url: str) -> _Address:
        bare, credentials = split_credentials(url)
        try:
            parts = urlsplit(bare)
            scheme, port = parts.scheme.lower(), parts.port
        except ValueError as err:
            raise SessionOver(EndReason.REFUSED, "The address is not a valid URL.") from err
        if scheme not in _PORTS or not parts.hostname:
            raise SessionOver(EndReason.REFUSED, "The address is not an rtsp:// or rtsps:// URL.")
        return _Address(bare, parts.hostname, port or _PORTS[scheme], scheme == "rtsps", credentials)

    def redirected(self, location: str) -> _Address:
        """Where a redirect points. Credentials go along only to the same host, and never in the clear."""
        there = _Address.of(location)
        if there.credentials is None and same_host(self.url, there.url):
            return _Address(there.url, there.host, there.port, there.tls, self.credentials)
        return there


class RtspSource:
    """One camera over RTSP with interleaved RTP. Opens nothing until ``run``; usable for many sessions.

    Times in seconds: ``connect_timeout`` for connecting and for each reply, ``first_frame_timeout`` from
    PLAY to the first frame, ``stall_after`` without a frame (read anew at each check, so its owner may
    change it while a session runs). ``verify_tls``: check the certificate of an rtsps:// server.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        connect_timeout: float = 5.0,
        first_frame_timeout: float = 10.0,
        stall_after: float = 10.0,
        user_agent: str = "Vedette",
        verify_tls: bool = True,
    ) -> None:
        self.stall_after = stall_after
        self._url = url
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._first_frame_timeout = first_frame_timeout
        self._user_agent = user_agent
        self._verify_tls = verify_tls

    def __repr__(self) -> str:
        return f"RtspSource({redact(split_credentials(self._url)[0])!r})"

    async def run(self, receiver: Receiver) -> SessionEnd:
        """Open, read until the end, close, and say why it ended."""
        try:
            address = _Address.of(self._url)
            for _ in range(_MAX_REDIRECTS + 1):
                try:
                    return await self._session(address, receiver)
                except Redirected as redirect:
                    address = address.redirected(redirect.location)
            return SessionEnd(EndReason.REFUSED, f"More than {_MAX_REDIRECTS} redirects.")
        except SessionOver as over:
            return over.end

    async def _session(self, address: _Address, receiver: Receiver) -> SessionEnd:
        connection = await self._connect(address)
        session = RtspSession(connection, address.url, receiver, self._clock, timeout=self._connect_timeout)
        try:
            await session.play()
            return await self._watch(connection, session)
        finally:
            await session.close()

    async def _watch(self, connection: Connection, session: RtspSession) -> SessionEnd:
        """Frames come by themselves; what is left is to keep the session alive and to notice its end."""
        now = self._clock.monotonic()
        patience_until, keep_alive_at = now + self._first_frame_timeout, now + session.keep_alive_interval
        while True:
            last = session.last_frame_at
            deadline = patience_until if last is None else max(last + self.stall_after, patience_until)
            if now >= deadline:
                return self._stalled(session)
            if now >= keep_alive_at:
                session.keep_alive()
                keep_alive_at = now + session.keep_alive_interval
            # The first frame makes the deadline an earlier one than we knew when we went to sleep.
            wake_at = min(deadline, keep_alive_at, now + self.stall_after)
            await asyncio.wait({connection.over}, timeout=wake_at - now)
            if connection.over.done():
                return connection.over.result()
            now = self._clock.monotonic()
            if session.last_frame_at is not None:
                patience_until = float("-inf")
            if now - wake_at > _WATCHDOG_SLACK:
                # We were late ourselves: first read what lies in the socket, then judge.
                patience_until = max(patience_until, now + _WATCHDOG_SLACK)

    def _stalled(self, session: RtspSession) -> SessionEnd:
        if session.last_frame_at is not None:
            return SessionEnd(EndReason.STALLED, f"No frame for {self.stall_after:g} s.")
        detail = f"No frame within {self._first_frame_timeout:g} s of PLAY"
        if session.foreign_packets:
            detail += f"; {session.foreign_packets} packets were of a payload type that was not announced"
        return SessionEnd(EndReason.STALLED, detail + ".")

    async def _connect(self, address: _Address) -> Connection:
        loop = asyncio.get_running_loop()
        authenticator = Authenticator(address.credentials)

        def protocol() -> Connection:
            return Connection(authenticator, user_agent=self._user_agent)

        try:
            async with asyncio.timeout(self._connect_timeout):
                context = _tls_context(self._verify_tls) if address.tls else None
                _, connection = await loop.create_connection(
                    protocol, address.host, address.port, ssl=context
                )
        except TimeoutError as err:
            detail = f"No connection within {self._connect_timeout:g} s."
            raise SessionOver(EndReason.UNREACHABLE, detail) from err
        except (OSError, UnicodeError) as err:
            raise _connect_failure(err) from err
        return connection


@lru_cache(maxsize=2)
def _tls_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect_failure(error: Exception) -> SessionOver:
    # With several addresses to a name asyncio joins what went wrong into one text.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return SessionOver(EndReason.REFUSED, "The connection was refused.")
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return SessionOver(EndReason.UNREACHABLE, "The host name is unknown.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return SessionOver(EndReason.UNREACHABLE, f"The certificate does not hold: {error.verify_message}.")
    if isinstance(error, ssl.SSLError):
        return SessionOver(EndReason.UNREACHABLE, "No encrypted connection came about.")
    number = error.errno if isinstance(error, OSError) else None
    detail = os.strerror(number) if number else "no connection came about"
    return SessionOver(EndReason.UNREACHABLE, f"The server cannot be reached: {detail}.")
