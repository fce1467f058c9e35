"""Recorded servers, played back: into our parser directly, or over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from vedette.clock import SystemClock
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.rtsp.message import Message
from vedette.ingest.rtsp.sdp import Track, find_video
from vedette.ingest.rtsp.stream import VideoStream
from vedette.ingest.rtsp.wire import Wire

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.rtsp"))


class Collector:
    """A receiver that keeps what it is told."""

    def __init__(self, rung: Rung = Rung.ALL) -> None:
        self.rung = rung
        self.info: StreamInfo | None = None
        self.frames: list[EncodedFrame] = []
        self.skips = 0
        self.breaks = 0
        self.missing = 0
        self.first_frame = asyncio.Event()

    def opened(self, info: StreamInfo) -> None:
        assert self.info is None
        self.info = info

    def frame(self, frame: EncodedFrame) -> None:
        assert self.info is not None
        self.frames.append(frame)
        self.first_frame.set()

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        self.skips += count

    def broken(self, count: int = 1) -> None:
        self.breaks += count

    def lost(self, packets: int) -> None:
        self.missing += packets


def split_replies(recording: bytes) -> list[bytes]:
    """The replies to DESCRIBE, SETUP and PLAY, and the interleaved data after them."""
    parts, at = [], 0
    for _ in range(3):
        head_end = recording.index(b"\r\n\r\n", at) + 4
        size = recording[at:head_end].lower().partition(b"content-length:")[2].split()
        end = head_end + (int(size[0]) if size else 0)
        parts.append(recording[at:end])
        at = end
    return [*parts, recording[at:]]


def track_of(recording: bytes) -> Track:
    track, _ = find_video(split_replies(recording)[0].partition(b"\r\n\r\n")[2])
    assert track is not None
    return track


def packets_of(recording: bytes, channel: int = 0) -> list[bytes]:
    """The whole interleaved packets of one channel."""
    data, found, at = split_replies(recording)[3], [], 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == channel and end <= len(data):
            found.append(data[at + 4 : end])
        at = end
    return found


def parse(recording: bytes, receiver: Collector, chunks: Iterable[bytes]) -> VideoStream:
    """Feed pieces of a recording to our parser, without a socket."""
    goodbyes: list[Message] = []
    stream = VideoStream(
        track_of(recording), receiver, SystemClock(), send_rtcp=lambda _: None, on_goodbye=lambda: None
    )
    wire = Wire(goodbyes.append)
    wire.channels[0], wire.channels[1] = stream.on_rtp, stream.on_rtcp
    for chunk in chunks:
        wire.feed(chunk)
    return stream


@contextlib.asynccontextmanager
async def scripted(parts: Sequence[bytes], *, linger: float = 0.0, then: bytes = b"") -> AsyncIterator[str]:
    """A server that answers the n-th request with the n-th part (the last two with PLAY), then closes.

    ``linger``: seconds it stays open after that. ``then``: sent at the end of it.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            for number, part in enumerate(parts):
                if number < 3:
                    await reader.readuntil(b"\r\n\r\n")
                writer.write(part)
                await writer.drain()
            if linger:
                await asyncio.sleep(linger)
                writer.write(then)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
    finally:
        server.close()
