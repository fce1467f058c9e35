"""An RTSP server that answers in order and then does as it is told; and sockets that do not even that."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from ingest.rtsp.rtsp_replay import FIXTURES, split_replies
from vedette.ingest.rtsp.client import RtspSource

RECORDINGS = {path.stem: path.read_bytes() for path in FIXTURES}
DESCRIBE, SETUP, PLAY, MEDIA = split_replies(RECORDINGS["gstreamer-h264"])
# Made for these tests, for camera.test, until 2126; nothing else trusts it.
CERTIFICATE = Path(__file__).parent / "fixtures" / "self_signed.pem"

Treat = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One connection of a client's, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard: list[bytes] = []

    async def request(self) -> bytes:
        self.heard.append(await self.reader.readuntil(b"\r\n\r\n"))
        return self.heard[-1]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: str, *headers: str, body: bytes = b"") -> bytes:
        """Read a request and answer it; returns the request."""
        asked = await self.request()
        lines = [f"RTSP/1.0 {status}", f"CSeq: {sequence(asked)}", *headers, f"Content-Length: {len(body)}"]
        await self.send("\r\n".join([*lines, "", ""]).encode() + body)
        return asked

    async def play(self, *, timeout: int = 60, media: bytes = MEDIA) -> None:
        """DESCRIBE, SETUP and PLAY go well, and pictures come."""
        await self.answer("200 OK", body=DESCRIBE.partition(b"\r\n\r\n")[2])
        session = (f"Session: 77;timeout={timeout}", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        await self.answer("200 OK", *session)
        await self.answer("200 OK", session[0])
        await self.send(media)

    def cut_cable(self) -> None:
        """From now on the kernel drops whatever comes for this connection (Linux), as if it never came."""
        drop_all = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))
        program = struct.pack("@HP", 1, ctypes.addressof(drop_all))
        so_attach_filter = 26
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, so_attach_filter, program)

    def reset(self) -> None:
        self.writer.transport.abort()

    async def left(self) -> None:
        """Until the client goes."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self.reader.read(65536):
                pass


async def asked(camera: RtspSource) -> None:
    """Ask for a sign of life, as soon as that may be done."""
    began = time.monotonic()
    while True:
        camera.probe()
        before, evidence = time.monotonic(), camera.evidence()
        assert evidence is not None, "the session is over"
        if evidence.probe_s is not None and evidence.probe_s <= before - began:
            return
        await asyncio.sleep(0.01)


def sequence(request: bytes) -> str:
    return request.partition(b"CSeq: ")[2].partition(b"\r\n")[0].decode()


@contextlib.asynccontextmanager
async def acting(treat: Treat, *, tls: bool = False, userinfo: str = "") -> AsyncIterator[str]:
    """A server that treats each visit so, and closes it. Gives its URL."""
    visits: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await treat(Visit(reader, writer))
        except asyncio.CancelledError:
            pass  # the test is over; the protocol's own callback would log it
        finally:
            visits.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_tls() if tls else None)
    scheme, port = "rtsps" if tls else "rtsp", server.sockets[0].getsockname()[1]
    try:
        yield f"{scheme}://{userinfo}{'@' if userinfo else ''}127.0.0.1:{port}/cam"
    finally:
        server.close()
        for visit in visits:
            visit.cancel()
        if visits:
            await asyncio.wait(visits)


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
