"""The requests of one RTSP session: DESCRIBE, SETUP, PLAY, keep-alive, TEARDOWN."""

from __future__ import annotations

import asyncio
import re

from vedette.clock import Clock
from vedette.errors import redact
from vedette.facts import EndReason
from vedette.ingest.rtsp.auth import split_credentials
from vedette.ingest.rtsp.connection import Connection, SessionOver
from vedette.ingest.rtsp.message import Message
from vedette.ingest.rtsp.sdp import Track, aggregate_control, find_video, resolve_control
from vedette.ingest.rtsp.stream import VideoStream
from vedette.ingest.source import Receiver

__all__ = ["Redirected", "RtspSession"]

# How long an orderly goodbye may take; cancelling a session must be prompt.
_CLOSE_SECONDS = 0.5
# RFC 2326, 12.37: what a session lives without a sign of life, where the server does not say.
_DEFAULT_SESSION_SECONDS = 60
_KEEP_ALIVE_SECONDS = (1.0, 30.0)

_TIMEOUT = re.compile(r";\s*timeout\s*=\s*(\d{1,6})", re.IGNORECASE)
_INTERLEAVED = re.compile(r"interleaved\s*=\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?", re.IGNORECASE)


class Redirected(Exception):  # noqa: N818 - the server's wish, not an error
    """The server wants us to look elsewhere."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location


class RtspSession:
    """Plays the video track of one URL over a connection that stands. Single use.

    ``timeout``: seconds each reply may take.
    """

    def __init__(
        self, connection: Connection, url: str, receiver: Receiver, clock: Clock, *, timeout: float
    ) -> None:
        self.keep_alive_interval = _KEEP_ALIVE_SECONDS[1]
        self._connection = connection
        self._url = self._track_url = url
        self._receiver = receiver
        self._clock = clock
        self._timeout = timeout
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
        """Show that we are still here; nothing waits for the reply."""
        self._connection.send(self._keep_alive_method, self._url).add_done_callback(self._kept_alive)

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
            found = f"only {offered}" if offered else "none"
            raise SessionOver(EndReason.UNSUPPORTED, f"No video that can be decoded ({_quote(found)}).")
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

        connection.carry(rtp, first_packet)
        connection.carry(rtcp, stream.on_rtcp)
        return stream

    async def _request(self, method: str, url: str, headers: dict[str, str]) -> Message:
        reply = await self._connection.request(method, url, headers, timeout=self._timeout)
        if 300 <= reply.status < 400 and (location := reply.header("location")):
            raise Redirected(location)
        if reply.status < 300:
            return reply
        raise _refusal(method, reply, self._connection.has_credentials)

    def _kept_alive(self, future: asyncio.Future[Message]) -> None:
        if future.cancelled() or self._connection.over.done():
            return
        reply = future.result()
        if reply.status == 401 and self._connection.rechallenged(reply):
            self.keep_alive()
        elif reply.status == 454:
            self._connection.finish(EndReason.ENDED, "The server no longer knows the session.")
        elif reply.status >= 400:
            self._keep_alive_method = "OPTIONS"


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


def _refusal(method: str, reply: Message, has_credentials: bool) -> SessionOver:
    if reply.status == 401:
        known = "does not accept the user and password" if has_credentials else "asks for a user and password"
        return SessionOver(EndReason.UNAUTHORISED, f"The server {known}.")
    answer = _quote(f"{reply.status} {reply.phrase}")
    reason = {403: EndReason.UNAUTHORISED, 461: EndReason.UNSUPPORTED}.get(reply.status, EndReason.REFUSED)
    return SessionOver(reason, f"The server answered {method} with {answer}.")


def _quote(text: str) -> str:
    """Words of the server's, fit for a log line."""
    return redact("".join(sign if sign.isprintable() else "?" for sign in text[:120]).strip())
