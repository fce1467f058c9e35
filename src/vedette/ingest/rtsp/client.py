"""RTSP over TCP: the way cameras are read. An asyncio client that hands over whole frames as they arrive."""

from __future__ import annotations

from vedette.causes import Blame
from vedette.clock import Clock
from vedette.errors import redact
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.live import HangUp
from vedette.ingest.rtsp.auth import Authenticator, split_credentials
from vedette.ingest.rtsp.connect import Address, Connector
from vedette.ingest.rtsp.connection import Connection, SessionOver
from vedette.ingest.rtsp.evidence import LinkEvidence
from vedette.ingest.rtsp.session import Redirected, RtspSession
from vedette.ingest.rtsp.watch import watch
from vedette.ingest.source import Receiver

__all__ = ["RtspSource"]

_MAX_REDIRECTS = 3
# An opening takes a connect and three to six replies; a server that uses up the time of each, and redirects
# to another that does, must not hold a place among those that connect for minutes.
_OPENING_IN_TIMEOUTS = 3.0
_LATE = {
    EndReason.NAME_UNKNOWN: "The host name was not resolved within",
    EndReason.UNREACHABLE: "No connection within",
    EndReason.TLS: "No encrypted connection within",
}


class RtspSource:
    """One camera over RTSP with interleaved RTP. Opens nothing until ``run``; usable for many sessions.

    Times in seconds: ``connect_timeout`` for connecting and for each reply, and three times that for all of
    them; ``first_frame_timeout`` from PLAY to the first frame; ``stall_after`` without a frame. They may be
    set while a session runs, which notices within two seconds. ``verify_tls``: check the
    certificate of an rtsps:// server.
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
        self.connect_timeout = connect_timeout
        self.first_frame_timeout = first_frame_timeout
        self.stall_after = stall_after
        self._url = url
        self._clock = clock
        self._user_agent = user_agent
        self._verify_tls = verify_tls
        self._hang_up = HangUp()
        self._connection: Connection | None = None
        self._playing: RtspSession | None = None
        self._began = 0.0

    def __repr__(self) -> str:
        return f"RtspSource({redact(split_credentials(self._url)[0])!r})"

    async def run(self, receiver: Receiver) -> SessionEnd:
        """Open, read until the end, close, and say why it ended."""
        self._began = self._clock.monotonic()
        self._hang_up.arm()
        try:
            address = Address.of(self._url)
            for _ in range(_MAX_REDIRECTS + 1):
                try:
                    return await self._session(address, receiver)
                except Redirected as redirect:
                    address = address.redirected(redirect.location)
            return SessionEnd(EndReason.REFUSED, f"More than {_MAX_REDIRECTS} redirects.")
        except SessionOver as over:
            return over.end
        finally:
            self._hang_up.disarm()

    def evidence(self) -> LinkEvidence | None:
        """What is known about the camera's silence; None while there is no connection."""
        return None if self._connection is None else self._connection.evidence()

    def probe(self) -> None:
        """Ask the camera for a sign of life, so that ``evidence`` can tell; at most twice a second."""
        if self._playing is not None:
            self._playing.probe()

    def hang_up(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        """End the running session for this reason, unless it has ended already. From the event loop only."""
        if self._hang_up.now(SessionEnd(reason, detail, blame)) and self._connection is not None:
            self._connection.finish(reason, detail, blame)

    async def _session(self, address: Address, receiver: Receiver) -> SessionEnd:
        connection = self._connection = await self._connect(address)
        session = RtspSession(connection, address.url, receiver, self._clock, patience=self._patience)
        try:
            await session.play()
            self._playing = session
            return await watch(self, connection, session, self._clock)
        finally:
            self._playing = self._connection = None
            await session.close()

    def _patience(self) -> float:
        """Seconds that the next step of the opening may take. Raises SessionOver when there are none left."""
        left = self._began + _OPENING_IN_TIMEOUTS * self.connect_timeout - self._clock.monotonic()
        if left <= 0:
            raise SessionOver(EndReason.UNREACHABLE, "The server takes too long to open the stream.")
        return min(left, self.connect_timeout)

    async def _connect(self, address: Address) -> Connection:
        authenticator = Authenticator(address.credentials)
        connector = Connector(address, verify_tls=self._verify_tls)
        limit = self._patience()

        def protocol() -> Connection:
            return Connection(authenticator, self._clock, user_agent=self._user_agent)

        try:
            async with self._hang_up.limit(limit):
                connection, sock = await connector.connect(protocol)
        except TimeoutError as err:
            if self._hang_up.end is not None:
                raise SessionOver.of(self._hang_up.end) from err
            reason = connector.waits_for
            raise SessionOver(reason, f"{_LATE[reason]} {limit:g} s.") from err
        connection.socket = sock
        if (end := self._hang_up.end) is not None:  # in the moment between
            connection.finish(end.reason, end.detail, end.blame)
        return connection
