"""Our client against MediaMTX, a server that shares no code with it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
import uvloop

from ingest.rtsp.rtsp_actors import asked
from ingest.rtsp.rtsp_replay import Collector
from patience import NEVER_S, PATIENCE_S
from servers import MediaMTX, free_port
from vedette.causes import Blame
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.frame import Rung
from vedette.ingest.rtsp.client import RtspSource

PICTURES = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25"]
H264 = [*PICTURES, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"]
CODECS = {
    "h264": H264,
    "hevc": [
        *PICTURES,
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none:keyint=10",
    ],
    "mjpeg": [*PICTURES, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-huffman", "default"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaMTX]:
    with MediaMTX(tmp_path_factory.mktemp("mediamtx")) as running:
        for codec, arguments in CODECS.items():
            running.publish(codec, *arguments)
        yield running


def source(url: str) -> RtspSource:
    return RtspSource(
        url,
        clock=SystemClock(),
        connect_timeout=NEVER_S,
        first_frame_timeout=NEVER_S,
        stall_after=NEVER_S,
    )


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.02)


def readers(server: MediaMTX) -> list[dict[str, Any]]:
    sessions = server.api("rtspsessions/list").get("items", [])
    return [session for session in sessions if session["state"] == "read"]


async def watch(url: str, collector: Collector, frames: int) -> None:
    """Run a session until so many frames came, then cancel it."""
    session = asyncio.create_task(source(url).run(collector))
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: len(collector.frames) >= frames or session.done())
        assert not session.done(), session.result()
        session.cancel()
        with pytest.raises(asyncio.CancelledError):
            await session


async def ending(url: str, collector: Collector | None = None) -> SessionEnd:
    async with asyncio.timeout(PATIENCE_S):
        return await source(url).run(collector or Collector())


@pytest.mark.parametrize("codec", CODECS)
async def test_frames_of_a_live_stream_decode(server: MediaMTX, codec: str) -> None:
    collector = Collector()
    await watch(server.url(codec), collector, 25)
    assert collector.info is not None
    assert collector.info.codec == codec
    decoder = av.CodecContext.create(codec, "r")
    decoder.extradata = collector.info.extradata
    first = next(index for index, frame in enumerate(collector.frames) if frame.keyframe)
    pictures = [one for f in collector.frames[first:] for one in decoder.decode(av.Packet(f.data))]
    assert {(picture.width, picture.height) for picture in pictures} == {(160, 96)}
    assert collector.breaks == 0


def test_it_works_under_uvloop(server: MediaMTX) -> None:
    collector = Collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watch(server.url("h264"), collector, 10))
    assert len(collector.frames) >= 10


async def test_the_rung_may_change_while_it_plays(server: MediaMTX) -> None:
    collector = Collector(Rung.PAUSED)
    session = asyncio.create_task(source(server.url("h264")).run(collector))
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: collector.skips >= 5)
        assert not collector.frames
        collector.rung = Rung.KEYFRAMES
        await until(lambda: len(collector.frames) >= 2)
    session.cancel()
    assert all(frame.keyframe for frame in collector.frames)


@pytest.mark.parametrize("methods", ["basic", "digest", "basic, digest"])
async def test_user_and_password_open_a_protected_stream(tmp_path: Path, methods: str) -> None:
    with MediaMTX(tmp_path, user="cam", password="p@w", methods=methods) as protected:
        protected.publish("gate", *H264)
        await watch(protected.url("gate", "cam:p%40w"), Collector(), 3)
        wrong, none = await asyncio.gather(
            ending(protected.url("gate", "cam:wr0ng")), ending(protected.url("gate"))
        )
    assert wrong.reason is none.reason is EndReason.UNAUTHORISED
    assert "wr0ng" not in wrong.detail


async def test_a_missing_path_is_refused(server: MediaMTX) -> None:
    end = await ending(server.url("nobody"))
    assert (end.reason, "404" in end.detail) == (EndReason.REFUSED, True)


async def test_a_closed_port_is_refused() -> None:
    assert (await ending(f"rtsp://localhost:{free_port()}/cam")).reason is EndReason.REFUSED


async def test_an_unknown_host_name_is_said_to_be_one() -> None:
    assert (await ending("rtsp://no-such-host.invalid/cam")).reason is EndReason.NAME_UNKNOWN


async def test_a_server_that_is_killed_ends_the_session(tmp_path: Path) -> None:
    with MediaMTX(tmp_path) as mortal:
        mortal.publish("cam", *H264)
        collector = Collector()
        session = asyncio.create_task(ending(mortal.url("cam"), collector))
        await asyncio.wait_for(collector.first_frame.wait(), PATIENCE_S)
        mortal.stop()
        assert (await session).reason is EndReason.CONNECTION_LOST


async def test_a_publisher_that_leaves_ends_the_session_and_one_that_hangs_stalls_it(tmp_path: Path) -> None:
    with MediaMTX(tmp_path) as running:
        publishers = [running.publish(path, *H264) for path in ("leaves", "hangs")]
        cameras = [source(running.url(path)) for path in ("leaves", "hangs")]
        collectors = [Collector(), Collector()]
        sessions = [
            asyncio.create_task(camera.run(collector))
            for camera, collector in zip(cameras, collectors, strict=True)
        ]
        async with asyncio.timeout(PATIENCE_S):
            for collector in collectors:
                await collector.first_frame.wait()
            publishers[0].kill()
            os.kill(publishers[1].pid, signal.SIGSTOP)
            left = await sessions[0]
            await asked(cameras[1])
            await until(lambda: cameras[1].evidence().answered)
            # Only now may time be up: until then it might be this machine that stands still.
            cameras[1].stall_after = 1.0
            hung = await sessions[1]
    assert [left.reason, hung.reason] == [EndReason.CONNECTION_LOST, EndReason.STALLED]
    assert hung.blame is Blame.CAMERA, hung  # the server itself answers the probe


async def test_cancelling_leaves_no_task_and_no_socket(server: MediaMTX) -> None:
    before = set(asyncio.all_tasks())
    await watch(server.url("h264"), Collector(), 1)
    assert set(asyncio.all_tasks()) == before
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: not readers(server))


async def test_one_source_plays_many_sessions(server: MediaMTX) -> None:
    reader = source(server.url("mjpeg"))
    for _ in range(3):
        collector = Collector()
        session = asyncio.create_task(reader.run(collector))
        await asyncio.wait_for(collector.first_frame.wait(), PATIENCE_S)
        session.cancel()
        await asyncio.wait({session}, timeout=PATIENCE_S)
        assert session.cancelled()
