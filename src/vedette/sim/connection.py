"""One RTSP connection (RFC 2326): requests in, responses out, at most one reader on it."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from vedette.sim import sdp
from vedette.sim.auth import Guard
from vedette.sim.camera import SimulatedCamera
from vedette.sim.faults.seam import Silence
from vedette.sim.link import Link, TcpLink, UdpLink
from vedette.sim.messages import BadRequestError, Request, RequestParser, Response
from vedette.sim.reader import Reader

if TYPE_CHECKING:
    from vedette.sim.server import SimulatedCameras

__all__ = ["Connection"]

SESSION_TIMEOUT_S = 60
"""Told to readers, who send keep-alives well within it. A session here lives as long as its connection."""

_PAIR = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?$")


class Connection(asyncio.Protocol):
    """Serves one client of ``server``."""

    def __init__(self, server: SimulatedCameras, guard: Guard) -> None:
        self._server, self._guard = server, guard
        self._parser = RequestParser()
        self._transport: asyncio.Transport
        self._reader: Reader | None = None
        self._session = ""
        self._playing = False
        self._mute = False
        self._unanswered: list[Request] = []
        self.camera = ""
        """Name of the camera that the last request was for; "" before there was one."""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._methods: dict[str, Callable[[Request, SimulatedCamera], Response]] = {
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "TEARDOWN": self._teardown,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Written at once, not at the end of the loop's turn: the moment of sending is what counts here.
        self._transport.set_write_buffer_limits(high=0)
        self._server.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        if self._reader is not None:
            self._reader.link.discard()
        self._server.left(self)
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        try:
            for request in self._parser.feed(data):
                self._take(request)
                if self._transport.is_closing():
                    return
        except BadRequestError:
            self._transport.write(Response(400).encode(None))
            self._transport.close()

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    def end(self) -> None:
        """Say goodbye and close, without waiting for a reader that takes nothing."""
        if self._reader is not None and self._playing and not self._mute:
            self._reader.bye()
        self.cut()

    def cut(self) -> None:
        """Close without a word."""
        self._leave()
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def reset(self) -> None:
        """Break off: what the other side gets is RST, not FIN."""
        self._leave()
        if (plain := self._transport.get_extra_info("socket")) is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def mute(self) -> None:
        """Read nothing, answer nothing, close nothing. What the reader is sent is not held up here."""
        if not self._mute and not self.closing:
            self._mute = True
            self._transport.pause_reading()
            self._server.muted(self, True)

    def unmute(self) -> None:
        """Go on where :meth:`mute` left off: requests that wait are answered now."""
        if not self._mute or self.closing:
            return
        self._mute = False
        self._server.muted(self, False)
        self._transport.resume_reading()
        waiting, self._unanswered = self._unanswered, []
        for request in waiting:
            if not self.closing:
                self._take(request)

    def _take(self, request: Request) -> None:
        if self._mute:
            # No more than had been read when the silence began.
            self._unanswered.append(request)
        else:
            self._answer(request)

    def _answer(self, request: Request) -> None:
        response = self._respond(request)
        if isinstance(response, Silence):
            self.mute()
            self._unanswered.append(request)
            return
        self._transport.write(response.encode(request.headers.get("cseq")))
        if response.close:
            self._transport.close()
        elif self._transport.get_write_buffer_size() > self._server.max_buffered * 2:
            # It asks and asks, and never reads the answers.
            self._transport.abort()

    def _respond(self, request: Request) -> Response | Silence:
        camera = self._server.camera_at(_path(request.url))
        if camera is not None:
            self.camera = camera.name
        if (fault := self._server.faults.on_request(camera.name if camera else "", request)) is not None:
            return fault
        if request.method == "OPTIONS":
            return Response(
                headers=[("Public", f"OPTIONS, {', '.join(self._methods)}, GET_PARAMETER, SET_PARAMETER")]
            )
        if not self._guard.admits(request):
            return Response(401, [self._guard.challenge()])
        if self._session and request.headers.get("session", self._session) != self._session:
            return Response(454)
        if request.method in ("GET_PARAMETER", "SET_PARAMETER"):
            return Response(headers=self._session_header())
        if request.method not in self._methods:
            return Response(405)
        if camera is None:
            return Response(404)
        return self._methods[request.method](request, camera)

    def _describe(self, request: Request, camera: SimulatedCamera) -> Response:
        base = request.url.rstrip("/") + "/"
        body = sdp.describe(camera.clip, name=camera.name, host=self._server.host, fps=camera.fps)
        return Response(200, [("Content-Base", base), ("Content-Type", "application/sdp")], body)

    def _setup(self, request: Request, camera: SimulatedCamera) -> Response:
        if self._playing:
            return Response(455)
        if self._reader is not None and self._reader.camera is not camera:
            return Response(459)
        for offer in request.headers.get("transport", "").split(","):
            if (made := self._link(offer.strip())) is not None:
                link, transport = made
                if self._reader is not None:
                    self._reader.link.discard()
                self._reader = self._server.reader(camera, link)
                self._session = self._session or secrets.token_hex(8)
                transport += f";ssrc={camera.ssrc:08X}"
                return Response(200, [("Transport", transport), *self._session_header(timeout=True)])
        return Response(461)

    def _link(self, offer: str) -> tuple[Link, str] | None:
        """A link for one transport a client offers, and how it is named in the answer."""
        words = offer.split(";")
        options = dict(word.partition("=")[::2] for word in words[1:])
        if "multicast" in options:
            return None
        if words[0].upper() == "RTP/AVP/TCP":
            channels = _pair(options.get("interleaved", "0-1"), 255)
            if channels is None:
                return None
            answer = f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"
            return TcpLink(self._transport, channels), answer
        ports = _pair(options.get("client_port", ""), 65535)
        if words[0].upper() not in ("RTP/AVP", "RTP/AVP/UDP") or ports is None:
            return None
        peer = self._transport.get_extra_info("peername")[0]
        ours = self._server.udp.numbers
        answer = f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={ours[0]}-{ours[1]}"
        return UdpLink(self._server.udp, peer, ports), answer

    def _play(self, request: Request, camera: SimulatedCamera) -> Response:
        reader = self._reader
        if reader is None or reader.camera is not camera:
            return Response(455)
        if not self._playing:
            self._playing = True
            self._server.play(reader)
        url = f"{request.url.rstrip('/').removesuffix('/' + sdp.TRACK)}/{sdp.TRACK}"
        info = f"url={url};seq={reader.sequence};rtptime={camera.timestamp(camera.number)}"
        return Response(200, [("RTP-Info", info), ("Range", "npt=now-"), *self._session_header()])

    def _pause(self, request: Request, camera: SimulatedCamera) -> Response:
        if self._reader is None:
            return Response(455)
        self._leave()
        return Response(200, self._session_header())

    def _teardown(self, request: Request, camera: SimulatedCamera) -> Response:
        headers = self._session_header()
        if self._reader is not None and self._playing:
            self._reader.bye()
        self._leave()
        if self._reader is not None:
            self._reader.link.discard()
        self._reader, self._session = None, ""
        return Response(200, headers)

    def _leave(self) -> None:
        if self._reader is not None and self._playing:
            self._reader.camera.readers.remove(self._reader)
        self._playing = False

    def _session_header(self, *, timeout: bool = False) -> list[tuple[str, str]]:
        suffix = f";timeout={SESSION_TIMEOUT_S}" if timeout else ""
        return [("Session", self._session + suffix)] if self._session else []


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _pair(text: str, largest: int) -> tuple[int, int] | None:
    """``4-5`` or ``4`` (then 4 and 5), each from 0 to ``largest``."""
    if (match := _PAIR.match(text)) is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if max(first, second) <= largest else None
