"""The requests of one RTSP session: DESCRIBE, SETUP, PLAY, keep-alive, TEARDOWN."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from vedette.causes import Blame
from vedette.clock import Clock
from vedette.facts import EndReason
from vedette.ingest.rtsp.auth import split_credentials
from vedette.ingest.rtsp.connection import Connection, SessionOver
from vedette.ingest.rtsp.message import Message
from vedette.ingest.rtsp.sdp import Track, aggregate_control, find_video, resolve_control
from vedette.ingest.rtsp.stream import VideoStream
from vedette.ingest.rtsp.wording import foreign, secrets_of
from vedette.ingest.source import Receiver

__all__ = ["Redirected", "RtspSession"]

# How long an orderly goodbye may take; cancelling a session must be prompt.
_CLOSE_SECONDS = 0.5
# RFC 2326, 12.37: what a session lives without a sign of life, where the server does not say.
_DEFAULT_SESSION_SECONDS = 60
_KEEP_ALIVE_SECONDS = (1.0, 30.0)
_SECONDS_BETWEEN_PROBES = 0.5

_TIMEOUT = re.compile(r";\s*timeout\s*=\s*(\d{1,6})", re.IGNORECASE)
_INTERLEAVED = re.compile(r"interleaved\s*=\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?", re.IGNORECASE)


class Redirected(Exception):  # noqa: N818 - the server's wish, not an error
    """The server wants us to look elsewhere."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location


class RtspSession:
    """Plays the video track of one URL over a connection that stands. Single use.

    ``patience``: seconds the next reply may take.
    """

    def __init__(
        self,
        connection: Connection,
        url: str,
        receiver: Receiver,
        clock: Clock,
        *,
        patience: Callable[[], float],
    ) -> None:
        self.keep_alive_interval = _KEEP_ALIVE_SECONDS[1]
        self._connection = connection
        self._url = self._track_url = url
        self._receiver = receiver
        self._clock = clock
        self._patience = patience
        self._secrets = secrets_of(url, connection.credentials)
        self._stream: VideoStream | None = None
        self._set_up = False
        self._keep_alive_method = "GET_PARAMETER"

    @property
    def last_frame_at(self) -> float | None:
        return self._stream.last_frame_at if self._stream else None

    @property
    def foreign_packets(self) -> int:
        return self._stream.foreign_packets if self._stream else 0

    async def play(self) -> None:
        """From nothing to frames coming in. Raises SessionOver or Redirected."""
        track = await self._describe()
        stream = await self._setup(track)
        await self._request("PLAY", self._url, {"Range": "npt=0.000-"})
        self._connection.playing = True
        stream.open()

    def keep_alive(self) -> None:
        """Show that we are still here, and ask whether the server is; nothing waits for the reply."""
        self._ask(self._kept_alive)

    def probe(self) -> None:
        """Ask the server for a sign of life, unless that was done just now."""
        if self._clock.monotonic() - self._connection.asked_at >= _SECONDS_BETWEEN_PROBES:
            self.keep_alive()

    async def close(self) -> None:
        """Take leave, and say what became of the last frame."""
        try:
            await self._connection.close(self._url if self._set_up else None, seconds=_CLOSE_SECONDS)
        finally:
            if self._stream is not None:
                self._stream.close()

    async def _describe(self) -> Track:
        reply = await self._request("DESCRIBE", self._url, {"Accept": "application/sdp"})
        base = _base(reply, self._url)
        track, offered = find_video(reply.body)
        if track is None:
            found = f"only {foreign(offered, self._secrets)}" if offered else "none"
            raise SessionOver(EndReason.UNSUPPORTED, f"No video that can be decoded ({found}).")
        if track.unsupported:
            raise SessionOver(EndReason.UNSUPPORTED, f"The server sends {track.unsupported}.")
        self._url = resolve_control(base, aggregate_control(reply.body))
        self._track_url = resolve_control(base, track.control)
        return track

    async def _setup(self, track: Track) -> VideoStream:
        transport = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
        reply = await self._request("SETUP", self._track_url, transport)
        session = reply.header("session")
        self._connection.session = session.partition(";")[0].strip()
        timeout = _TIMEOUT.search(session)
        seconds = int(timeout[1]) if timeout else _DEFAULT_SESSION_SECONDS
        self.keep_alive_interval = min(max(seconds / 2, _KEEP_ALIVE_SECONDS[0]), _KEEP_ALIVE_SECONDS[1])
        self._set_up = True
        rtp, rtcp = _channels(reply)
        connection = self._connection
        self._stream = stream = VideoStream(
            track,
            self._receiver,
            self._clock,
            send_rtcp=lambda packet: connection.send_packet(rtcp, packet),
            on_goodbye=lambda: connection.finish(EndReason.ENDED, "The sender said goodbye (RTCP BYE)."),
        )

        def first_packet(data: bytes, start: int, stop: int) -> None:
            # It may come with the reply to PLAY or before it, and the end right behind it.
            connection.playing = True
            connection.carry(rtp, stream.on_rtp)
            stream.on_rtp(data, start, stop)

        def report(data: bytes, start: int, stop: int) -> None:
            connection.answered()
            stream.on_rtcp(data, start, stop)

        connection.carry(rtp, first_packet)
        connection.carry(rtcp, report)
        return stream

    async def _request(self, method: str, url: str, headers: dict[str, str]) -> Message:
        reply = await self._connection.request(method, url, headers, timeout=self._patience())
        if 300 <= reply.status < 400 and (location := reply.header("location")):
            raise Redirected(location)
        if reply.status < 300:
            return reply
        raise self._refusal(method, reply)

    def _refusal(self, method: str, reply: Message) -> SessionOver:
        if reply.status == 401:
            known = "does not accept the user and password"
            if self._connection.credentials is None:
                known = "asks for a user and password"
            return SessionOver(EndReason.UNAUTHORISED, f"The server {known}.", Blame.OPERATOR)
        answer = foreign(f"{reply.status} {reply.phrase}", self._secrets)
        reason = EndReason.UNSUPPORTED if reply.status == 461 else EndReason.REFUSED
        return SessionOver(reason, f"The server answered {method} with {answer}.")

    def _ask(self, answered: Callable[[asyncio.Future[Message]], None]) -> None:
        self._connection.send(self._keep_alive_method, self._url).add_done_callback(answered)

    def _kept_alive(self, future: asyncio.Future[Message]) -> None:
        if future.cancelled() or self._connection.over.done():
            return
        reply = future.result()
        if reply.status == 401 and self._connection.rechallenged(reply):
            # Once: a server that calls every nonce stale would have us ask as fast as the network goes.
            self._ask(self._kept_alive_at_last)
        else:
            self._kept_alive_at_last(future)

    def _kept_alive_at_last(self, future: asyncio.Future[Message]) -> None:
        if future.cancelled() or self._connection.over.done():
            return
        status = future.result().status
        if status == 454:
            self._connection.finish(EndReason.ENDED, "The server no longer knows the session.")
        elif status >= 400:
            self._keep_alive_method = "OPTIONS"
        else:
            self._connection.accepted()


def _base(reply: Message, requested: str) -> str:
    """What control URLs are relative to."""
    for name in ("content-base", "content-location"):
        url = reply.header(name)
        if re.match(r"rtsps?://", url, re.IGNORECASE):
            return split_credentials(url)[0]
    return requested


def _channels(reply: Message) -> tuple[int, int]:
    """Channels of RTP and RTCP: the server may choose others than we asked for."""
    transport = reply.header("transport")
    match = _INTERLEAVED.search(transport)
    if match is None:
        if transport and "TCP" not in transport.upper():
            raise SessionOver(EndReason.UNSUPPORTED, "The server does not send over TCP.")
        return 0, 1
    rtp = int(match[1])
    rtcp = int(match[2]) if match[2] else rtp + 1
    if max(rtp, rtcp) > 255 or rtp == rtcp:
        raise SessionOver(EndReason.CORRUPT, "The server chose channels that do not exist.")
    return rtp, rtcp
