"""What a plain reader sees of the cameras."""

from __future__ import annotations

import asyncio
import contextlib
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.errors import ConfigError, SourceError
from vedette.sim import AccessUnit, Clip, SentLog, SimulatedCameras, encode_frames
from vedette.sim.faults import NoFaults, Outgoing
from vedette.sim.messages import Request, Response

SPS = 7
KEYFRAME_EVERY = 5


class Recorder(NoFaults):
    """Notes what passes the seam."""

    def __init__(self) -> None:
        self.slots: list[int] = []

    def on_frame(self, camera: str, frame: Outgoing) -> tuple[Outgoing, ...]:
        self.slots.append(frame.slot)
        return (frame,)


async def test_timestamps_go_on_when_the_clip_loops(serve, connect, clip: Clip) -> None:
    server = await serve(cameras=1, fps=200)
    reader = await connect(server)
    info = (await reader.play())["rtp-info"]
    units = await reader.frames(3 * len(clip.units))
    stamps = [unit[0].timestamp for unit in units]
    assert {(b - a) % 2**32 for a, b in pairwise(stamps)} == {90000 // 200}
    assert all(packet.timestamp == unit[0].timestamp for unit in units for packet in unit)
    packets = [packet for unit in units for packet in unit]
    assert all((b.sequence - a.sequence) % 65536 == 1 for a, b in pairwise(packets))
    assert info.endswith(f";seq={packets[0].sequence};rtptime={stamps[0]}")


async def test_a_reader_begins_with_a_keyframe_and_joins_the_timeline_at_one(serve, connect, clip) -> None:
    for seed in range(4):
        recorder = Recorder()
        server = await serve(cameras=1, fps=200, faults=recorder, seed=seed)
        reader = await connect(server)
        await reader.play()
        first = (await reader.frames(30))[0]
        assert first[0].payload[0] & 0x1F == SPS
        slots = recorder.slots
        jumps = [b for a, b in pairwise(slots) if b != (a + 1) % len(clip.units)]
        assert len(jumps) <= 1
        assert all(clip.units[slot].keyframe for slot in (slots[0], *jumps))


async def test_cameras_have_their_own_places_and_phases(clip: Clip) -> None:
    cameras = SimulatedCameras(clip, cameras=50, seed=3).cameras
    assert len({camera.phase for camera in cameras}) == 50
    assert all(0 <= camera.phase < 1 / 50 for camera in cameras)
    assert len({camera.offset for camera in cameras}) > 10
    again = SimulatedCameras(clip, cameras=4, seed=3).cameras
    assert [camera.phase for camera in again] == [camera.phase for camera in cameras[:4]]
    assert SimulatedCameras(clip, cameras=1, seed=4).cameras[0].phase != cameras[0].phase


async def test_sender_reports_tell_when_frames_were_sent(serve, connect) -> None:
    server = await serve(cameras=3)
    phases = set()
    for index in range(3):
        reader = await connect(server, index)
        await reader.play()
        (unit,) = await reader.frames(1)
        arrived = time.time()
        report = reader.reports[0]
        seconds = int.from_bytes(report[8:12], "big") - 2_208_988_800
        wall = seconds + int.from_bytes(report[12:16], "big") / 2**32
        ticks = (unit[0].timestamp - int.from_bytes(report[16:20], "big") + 2**31) % 2**32 - 2**31
        captured = wall + ticks / 90000
        assert int.from_bytes(report[4:8], "big") == unit[0].ssrc
        # Never in the future (but for a clock tick), and not long ago on a busy machine.
        assert -0.001 < arrived - captured < PATIENCE_S
        phases.add(round(captured % 0.02, 4))
    assert len(phases) == 3


async def test_readers_of_one_camera_see_the_same_timeline(serve, connect) -> None:
    server = await serve(cameras=1)
    one, two = await connect(server), await connect(server)
    await one.play()
    await one.frames(3)
    await two.play()
    second = await two.frames(30)
    assert second[0][0].payload[0] & 0x1F == SPS
    payloads: dict[int, list[bytes]] = {}
    while second[-1][0].timestamp not in payloads:
        (unit,) = await one.frames(1)
        payloads[unit[0].timestamp] = [packet.payload for packet in unit]
    # A reader's first stretch is its own: it begins with a keyframe out of turn.
    for unit in second[KEYFRAME_EVERY:]:
        assert [packet.payload for packet in unit] == payloads[unit[0].timestamp]


async def test_a_slow_reader_loses_frames_and_goes_on_at_a_keyframe(serve, connect, clip: Clip) -> None:
    noise = np.random.default_rng(1)
    pictures = (noise.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(12))
    heavy = encode_frames(pictures, fps=100, keyframe_every_s=0.04)
    # The quick reader's frames are so small that even many of them, sent at once, are no pile.
    server = await serve([heavy, clip], cameras=2, max_buffered=100_000)
    largest = max(sum(map(len, unit.payloads)) for unit in heavy.units)
    slow, quick = await connect(server, 0, limit=2**16), await connect(server, 1)
    await slow.play()
    await quick.play()
    while server.cameras[0].counts.dropped < 20:
        await quick.frames(1)
        (held,) = (reader.link.buffered for reader in server.cameras[0].readers)
        assert held <= 100_000 + 2 * largest
    assert server.cameras[1].counts.dropped == 0
    packets = [packet for unit in await _drain(slow) for packet in unit]
    after_gaps = [b for a, b in pairwise(packets) if (b.sequence - a.sequence) % 65536 != 1]
    assert after_gaps
    assert all(packet.payload[0] & 0x1F == SPS for packet in after_gaps)


async def _read_to_the_end(reader) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            await reader.receive()
    assert reader.reader.at_eof()


async def _drain(reader) -> list:
    """Read until a gap in the sequence numbers has gone by."""
    units = []
    while True:
        units += await reader.frames(5)
        numbers = [packet.sequence for unit in units for packet in unit]
        if (numbers[-1] - numbers[0]) % 65536 != len(numbers) - 1:
            return units


async def test_the_sent_log_says_when_each_frame_was_sent(serve, connect, clip: Clip, tmp_path: Path) -> None:
    log = SentLog(tmp_path / "sent.npy", 2, len(clip.units))
    server = await serve(cameras=2, sent_log=log)
    before = time.monotonic()
    reader = await connect(server, 1)
    await reader.play()
    await reader.frames(len(clip.units) + 10)
    times = np.load(tmp_path / "sent.npy", mmap_mode="r")
    assert times.shape == (2, 20)
    assert not times[0].any()
    assert ((times[1] > before) & (times[1] < time.monotonic())).all()


async def test_a_fault_can_withhold_frames_and_answer_requests(serve, connect) -> None:
    class Faulty(Recorder):
        def on_request(self, camera: str, request: Request) -> Response | None:
            return Response(503, close=True) if camera == "cam1" else None

        def on_frame(self, camera: str, frame: Outgoing) -> tuple[Outgoing, ...]:
            super().on_frame(camera, frame)
            broken = AccessUnit(False, (b"\x41broken",))
            return (Outgoing(frame.slot, broken, frame.timestamp),) if len(self.slots) % 2 else ()

    server = await serve(cameras=2, faults=Faulty())
    reader = await connect(server)
    await reader.play()
    units = await reader.frames(3)
    assert [packet.payload for unit in units for packet in unit] == [b"\x41broken"] * 3
    assert server.cameras[0].counts.withheld >= 2
    refused = await connect(server, 1)
    assert (await refused.ask("DESCRIBE"))[0] == 503
    assert await refused.reader.read() == b""


async def test_a_fault_that_raises_stops_no_other_camera(serve, connect) -> None:
    class Raises(NoFaults):
        def on_frame(self, camera: str, frame: Outgoing) -> tuple[Outgoing, ...]:
            if camera == "cam0":
                raise RuntimeError("a broken fault")
            return (frame,)

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    server = await serve(cameras=2, faults=Raises())
    broken, healthy = await connect(server, 0), await connect(server, 1)
    await broken.play()
    await healthy.play()
    await healthy.frames(30)


async def test_stopping_says_goodbye_and_leaves_nothing_behind(serve, connect) -> None:
    tasks = asyncio.all_tasks()
    server = await serve(cameras=2)
    reader = await connect(server)
    await reader.play()
    await reader.frames(1)
    await server.stop()
    await _read_to_the_end(reader)
    assert reader.reports[-1][8:10] == bytes((0x81, 203))
    assert asyncio.all_tasks() == tasks
    assert all(not camera.readers for camera in server.cameras)
    with pytest.raises(ConnectionRefusedError):
        await connect(server)


async def test_it_can_be_started_again_on_the_same_port(serve, connect) -> None:
    server = await serve(cameras=1)
    await server.stop()
    await server.start()
    reader = await connect(server)
    await reader.play()
    await reader.frames(2)


async def test_a_port_in_use_is_named(serve, clip: Clip) -> None:
    server = await serve(cameras=1)
    with pytest.raises(SourceError, match=f"port {server.port}: the port is in use"):
        await SimulatedCameras(clip, port=server.port).start()


def test_no_cameras_or_clips_are_refused(clip: Clip) -> None:
    with pytest.raises(ConfigError):
        SimulatedCameras([])
    with pytest.raises(ConfigError):
        SimulatedCameras(clip, cameras=0)


def test_names_rates_and_logs_must_fit(clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="index"):
        SimulatedCameras(clip, name="door")
    with pytest.raises(ConfigError, match="fps"):
        SimulatedCameras(clip, fps=-1)
    with pytest.raises(ConfigError, match="too few"):
        SimulatedCameras(clip, cameras=2, sent_log=SentLog(tmp_path / "log.npy", 2, 19))


def test_addresses_hold_credentials_only_when_asked_for(clip: Clip) -> None:
    server = SimulatedCameras(clip, user="me", password="a@b/c")
    assert server.url(2) == "rtsp://127.0.0.1:8554/cam2"
    assert server.url(2, credentials=True) == "rtsp://me:a%40b%2Fc@127.0.0.1:8554/cam2"


def test_cameras_share_out_the_clips(clip: Clip) -> None:
    other = encode_frames([np.zeros((48, 64, 3), np.uint8)])
    assert [camera.clip for camera in SimulatedCameras([clip, other], cameras=3).cameras] == [
        clip,
        other,
        clip,
    ]
