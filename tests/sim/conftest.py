"""A clip small enough to make in no time, and a reader so plain that it hides nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import pytest

from patience import NEVER_S
from vedette.sim import Clip, SimulatedCameras, encode_frames

KEYFRAME_EVERY = 5


@dataclass
class Packet:
    """An RTP packet, header taken apart."""

    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class RawReader:
    """RTSP by hand over TCP. ``media`` and ``reports`` collect what came interleaved."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
        self.reader, self.writer, self.url = reader, writer, url
        self.media: list[Packet] = []
        self.reports: list[bytes] = []
        self.session = ""
        self._cseq = 0

    async def ask(
        self, method: str, url: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers (lower case) and body of the answer."""
        self._cseq += 1
        if self.session:
            headers.setdefault("Session", self.session)
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await self.answer()

    async def answer(self) -> tuple[int, dict[str, str], str]:
        while (first := await self.reader.readexactly(1)) == b"$":
            await self._interleaved()
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        assert headers.get("cseq", str(self._cseq)) == str(self._cseq)
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, body.decode()

    async def setup(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> dict[str, str]:
        status, headers, _ = await self.ask("SETUP", f"{self.url}/trackID=0", Transport=transport)
        assert status == 200
        self.session = headers["session"].partition(";")[0]
        return headers

    async def play(self) -> dict[str, str]:
        await self.setup()
        status, headers, _ = await self.ask("PLAY")
        assert status == 200
        return headers

    async def frames(self, count: int) -> list[list[Packet]]:
        """The next ``count`` whole access units."""
        units: list[list[Packet]] = [[]]
        while True:
            for packet in self.media:
                units[-1].append(packet)
                if packet.marker:
                    units.append([])
            self.media.clear()
            if len(units) > count:
                return units[:count]
            await self.receive()

    async def receive(self) -> None:
        assert await self.reader.readexactly(1) == b"$"
        await self._interleaved()

    async def _interleaved(self) -> None:
        channel, high, low = await self.reader.readexactly(3)
        data = await self.reader.readexactly(high * 256 + low)
        if channel == 1:
            self.reports.append(data)
            return
        assert data[0] == 0x80
        numbers = (int.from_bytes(data[a:b], "big") for a, b in ((2, 4), (4, 8), (8, 12)))
        self.media.append(Packet(bool(data[1] & 0x80), *numbers, data[12:]))


@pytest.fixture(scope="session")
def clip() -> Clip:
    """20 pictures of 64×48, ever brighter, for 50 fps, a keyframe every 5."""
    pictures = (np.full((48, 64, 3), 10 + 10 * index, np.uint8) for index in range(20))
    return encode_frames(pictures, fps=50, keyframe_every_s=KEYFRAME_EVERY / 50)


@pytest.fixture
async def serve(
    clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[SimulatedCameras]]]:
    """``await serve(cameras=…)``: running cameras on a free port, stopped afterwards.

    They leave nothing out when the machine stands still: what they send after that is late, and complete.
    """
    monkeypatch.setattr("vedette.sim.camera.MAX_LATE_S", NEVER_S)
    async with contextlib.AsyncExitStack() as stack:

        async def start(clips: Clip = clip, **options: object) -> SimulatedCameras:
            server = SimulatedCameras(clips, port=0, **options)  # type: ignore[arg-type]
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Awaitable[RawReader]]]:
    """``await connect(server, 0)``: a raw reader of camera 0, closed afterwards."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(server: SimulatedCameras, index: int = 0, **options: int) -> RawReader:
            reader, writer = await asyncio.open_connection(server.host, server.port, **options)
            stack.callback(writer.close)
            return RawReader(reader, writer, server.url(index))

        yield open_one
