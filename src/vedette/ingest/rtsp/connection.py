"""One TCP connection to an RTSP server: requests and their replies, and interleaved packets in between."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import Any, cast

from vedette.causes import Blame
from vedette.clock import Clock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.rtsp.auth import Authenticator, Credentials
from vedette.ingest.rtsp.evidence import LinkEvidence, judge, tcp_state
from vedette.ingest.rtsp.message import Message, MessageError, build_reply, build_request
from vedette.ingest.rtsp.rtp import RtpError
from vedette.ingest.rtsp.stream import ReceiverError
from vedette.ingest.rtsp.wire import PacketHandler, Wire

__all__ = ["Connection", "SessionOver"]

# We send some hundred bytes at a time; a server that leaves this much unread is not reading at all.
_MAX_UNSENT = 64 * 1024
# A session needs four replies, then one or two a minute. A server that talks this much wants something else.
_MAX_MESSAGES_A_SECOND = 200
# What the system says of a connection that nobody answers any more, as opposed to one that was cut off.
_NETWORK = frozenset({errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN})


class SessionOver(Exception):  # noqa: N818 - an ending is a value, not an error
    """Carries the ending out of the depth in which it was found."""

    def __init__(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        super().__init__(detail)
        self.end = SessionEnd(reason, detail, blame)

    @classmethod
    def of(cls, end: SessionEnd) -> SessionOver:
        return cls(end.reason, end.detail, end.blame)


class Connection(asyncio.Protocol):
    """Parses as it reads: packets are handled inside ``data_received``, without a task or an await.

    ``over`` becomes the session's ending, once; or raises what the receiver raised. ``socket``: asked for
    evidence, if it is given.
    """

    def __init__(self, authenticator: Authenticator, clock: Clock, *, user_agent: str) -> None:
        self.socket: socket.socket | None = None
        self.over: asyncio.Future[SessionEnd] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.playing = False
        self.session = ""
        self._authenticator = authenticator
        self._clock = clock
        self._heard_at = self._answered_at = clock.monotonic()
        self._asked_at: float | None = None
        self._answers = 0
        self._second, self._messages = 0.0, 0
        self._user_agent = user_agent
        self._transport: asyncio.Transport | None = None
        self._wire = Wire(self._on_message)
        self._sequence = 0
        self._pending: dict[str, asyncio.Future[Message]] = {}

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._heard_at = self._answered_at = self._clock.monotonic()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._clock.monotonic()
        try:
            self._wire.feed(data)
        except ReceiverError as error:
            self._fail(error.__cause__ or error)
        except (MessageError, RtpError) as error:
            self._give_up(f"The server sent {error}.")
        except Exception as error:
            # Whatever a hostile server finds in our parsing must end its own session and nothing else.
            self._give_up(f"What the server sent could not be read ({type(error).__name__}).")

    def eof_received(self) -> None:
        self._lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(error)
        if not self.closed.done():
            self.closed.set_result(None)

    def _lost(self, error: Exception | None) -> None:
        number = error.errno if isinstance(error, OSError) else None
        # A connection is closed in order when a server is restarted, too: only a goodbye is an end.
        if number in _NETWORK:
            reason = EndReason.CONNECTION_LOST if self._answers else EndReason.UNREACHABLE
            self.finish(reason, "The connection broke: nobody acknowledges any more.", Blame.NETWORK)
        elif not self._answers:
            self.finish(EndReason.REFUSED, "The server closed the connection without an answer.")
        elif error is not None:
            self.finish(EndReason.CONNECTION_LOST, "The connection was reset.")
        elif self.playing:
            self.finish(EndReason.CONNECTION_LOST, "The server closed the connection without a goodbye.")
        else:
            self.finish(
                EndReason.CONNECTION_LOST, "The server closed the connection before it played anything."
            )

    # What the session calls.

    @property
    def credentials(self) -> Credentials | None:
        return self._authenticator.credentials

    @property
    def asked_at(self) -> float:
        """Monotonic seconds of the last request; minus infinity before the first."""
        return float("-inf") if self._asked_at is None else self._asked_at

    def answered(self) -> None:
        """The server showed that it is there: not only its network, itself."""
        self._answered_at = self._clock.monotonic()

    def evidence(self) -> LinkEvidence:
        """What is known about the other side's silence."""
        now, asked = self._clock.monotonic(), self._asked_at
        transport = self._transport
        return LinkEvidence(
            silent_s=now - self._heard_at,
            unanswered_s=now - self._answered_at,
            probe_s=None if asked is None else now - asked,
            answered=asked is not None and self._answered_at > asked,
            unsent=transport.get_write_buffer_size() if transport and not transport.is_closing() else 0,
            tcp=tcp_state(self.socket),
        )

    def carry(self, channel: int, handler: PacketHandler) -> None:
        """Give the packets of an interleaved channel to a handler."""
        self._wire.channels[channel] = handler

    def finish(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        """The session is over; the first one to say so is right. No packet is handled after that."""
        self._wire.channels.clear()
        if not self.over.done():
            self.over.set_result(SessionEnd(reason, detail, blame))

    def send_packet(self, channel: int, packet: bytes) -> None:
        """Send an interleaved packet."""
        self._write(b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet)

    def send(self, method: str, url: str, headers: dict[str, str] | None = None) -> asyncio.Future[Message]:
        """Send a request; the future becomes its reply. An earlier one still unanswered is given up."""
        self._sequence += 1
        self._asked_at = self._clock.monotonic()
        lines = {"CSeq": str(self._sequence), "User-Agent": self._user_agent} | (headers or {})
        if self.session:
            lines["Session"] = self.session
        if authorization := self._authenticator.header(method, url):
            lines["Authorization"] = authorization
        for abandoned in self._pending.values():
            abandoned.cancel()
        reply = asyncio.get_running_loop().create_future()
        self._pending = {str(self._sequence): reply}
        self._write(build_request(method, url, lines))
        return reply

    async def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, *, timeout: float
    ) -> Message:
        """Send a request, answer challenges, and return the last reply. Raises SessionOver."""
        reply = await self._reply(method, url, headers, timeout)
        # A first challenge, and one more for a nonce that ran out.
        for _ in range(2):
            if reply.status != 401 or not self.rechallenged(reply):
                break
            reply = await self._reply(method, url, headers, timeout)
        if reply.status < 400:
            self._authenticator.accepted()
        return reply

    async def _reply(self, method: str, url: str, headers: dict[str, str] | None, timeout: float) -> Message:
        reply = self.send(method, url, headers)
        waited: list[asyncio.Future[Any]] = [reply, self.over]
        await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if reply.done() and not reply.cancelled():
            return reply.result()
        if self.over.done():
            raise SessionOver.of(self.over.result())
        blame, why = judge(self.evidence())
        detail = f"No answer to {method} within {timeout:g} s" + (f": {why}." if why else ".")
        raise SessionOver(EndReason.UNREACHABLE, detail, blame)

    def accepted(self) -> None:
        """A request with our credentials went through."""
        self._authenticator.accepted()

    def rechallenged(self, reply: Message) -> bool:
        """True when a reply brought a challenge that another attempt can answer."""
        return self._authenticator.challenged(reply.headers.get("www-authenticate", []))

    async def close(self, teardown_url: str | None, *, seconds: float) -> None:
        """Close the socket within ``seconds``; with TEARDOWN where there is a session."""
        self.finish(EndReason.CLOSED, "")
        if not self.over.cancelled():
            self.over.exception()  # a receiver's error is raised by run, or a cancellation outranks it
        transport = self._transport
        if transport is None:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    if teardown_url and not transport.is_closing():
                        answer: list[asyncio.Future[Any]] = [self.send("TEARDOWN", teardown_url), self.closed]
                        await asyncio.wait(answer, return_when=asyncio.FIRST_COMPLETED)
                    transport.close()
                    await asyncio.wait({self.closed})
        finally:
            transport.abort()

    # What comes in and goes out.

    def _on_message(self, message: Message) -> None:
        self._count()
        self.answered()
        if message.method:
            self._on_request(message)
            return
        sequence = message.header("cseq").strip()
        if not sequence and len(self._pending) == 1:
            sequence = next(iter(self._pending))
        self._answers += 1
        reply = self._pending.pop(sequence, None)
        if reply is not None and not reply.done():
            reply.set_result(message)

    def _count(self) -> None:
        """Raises MessageError when a server talks without end: each message costs work."""
        if self._heard_at - self._second >= 1.0:
            self._second, self._messages = self._heard_at, 0
        self._messages += 1
        if self._messages > _MAX_MESSAGES_A_SECOND:
            raise MessageError("one message after the other")

    def _on_request(self, message: Message) -> None:
        known = message.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "TEARDOWN")
        status, phrase = (200, "OK") if known else (501, "Not Implemented")
        headers = {"CSeq": message.header("cseq")[:32]}
        if message.method == "OPTIONS":
            headers["Public"] = "OPTIONS, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
        self._write(build_reply(status, phrase, headers))
        if message.method == "TEARDOWN":
            self.finish(EndReason.ENDED, "The server ended the session.")

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self.finish(EndReason.CORRUPT, "The server does not read what it is sent.")
            return
        self._transport.write(data)

    def _give_up(self, detail: str) -> None:
        """Nothing that follows can be read either: no orderly end."""
        self.finish(EndReason.CORRUPT, detail)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: BaseException) -> None:
        self._wire.channels.clear()
        if not self.over.done():
            self.over.set_exception(error)
