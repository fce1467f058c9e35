"""Faults of connections, lines and timestamps, as a plain reader meets them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.errors import ConfigError
from vedette.sim import Clip, SimulatedCameras, encode_frames
from vedette.sim.faults.board import FaultNote

SPS = 7


async def falls_silent(reader) -> None:
    """Read what is under way, until nothing comes any more."""
    silences = 0
    # Where the machine stood still, time may be up once while packets lie there unread, but not twice.
    while silences < 2:
        try:
            async with asyncio.timeout(0.3):
                await reader.receive()
            silences = 0
        except TimeoutError:
            silences += 1
    reader.media.clear()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


async def how_it_ends(reader) -> str:
    """``reset`` or ``closed``, after whatever still comes."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while True:
                await reader.receive()
        except asyncio.IncompleteReadError:
            return "closed"
        except ConnectionResetError:
            return "reset"


async def playing(connect, server, index: int = 0, **options: int):
    reader = await connect(server, index, **options)
    await reader.play()
    await reader.frames(2)
    return reader


def is_keyframe(unit) -> bool:
    return unit[0].payload[0] & 0x1F == SPS


@contextlib.asynccontextmanager
async def undisturbed(connect, server: SimulatedCameras, index: int = 1):
    """Camera ``index`` sends every frame, in step, for the length of the block."""
    reader = await playing(connect, server, index)
    stamps: list[int] = []

    async def read() -> None:
        while True:
            stamps.extend(unit[0].timestamp for unit in await reader.frames(1))

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert stamps
    counts = server.cameras[index].counts
    assert {(b - a) % 2**32 for a, b in pairwise(stamps)} <= {90000 // 50}
    assert counts.dropped == counts.withheld == 0


async def test_stall_sends_nothing_yet_answers_and_goes_on_with_a_keyframe(serve, connect) -> None:
    server = await serve(cameras=2)
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        before = time.monotonic()
        began = await server.set_fault("cam0", "stall")
        assert before <= began <= time.monotonic()
        await falls_silent(reader)
        assert (await reader.ask("GET_PARAMETER"))[0] == 200
        await until(lambda: server.cameras[0].counts.withheld > 5)
        await server.clear_fault("cam0", "stall")
        assert is_keyframe((await reader.frames(1))[0])


async def test_hang_reads_and_answers_nothing_and_closes_nothing(serve, connect) -> None:
    server = await serve(cameras=2)
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        await server.set_fault("cam0", "hang")
        await falls_silent(reader)
        asked = asyncio.create_task(reader.ask("GET_PARAMETER"))
        late = await connect(server, 0)
        described = asyncio.create_task(late.ask("DESCRIBE"))
        _, waiting = await asyncio.wait([asked, described], timeout=0.4)
        assert waiting == {asked, described}
        await server.clear_fault("cam0", "hang")
        assert (await asked)[0] == (await described)[0] == 200
        reader.media.clear()
        await reader.frames(2)


async def test_connections_that_hang_are_limited(serve, connect, monkeypatch) -> None:
    monkeypatch.setattr("vedette.sim.server.MAX_MUTE", 3)
    server = await serve(cameras=1)
    await server.set_fault("cam0", "hang")
    readers = [await connect(server) for _ in range(5)]
    for asked, reader in enumerate(readers, 1):
        task = asyncio.create_task(reader.ask("DESCRIBE"))
        await until(lambda asked=asked: len(server._mute) + server.abandoned == asked)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert server.abandoned == 2
    assert await how_it_ends(readers[0]) == "reset"
    assert len(server.connections("cam0")) == 3


async def test_drop_resets_and_the_camera_is_well_at_once(serve, connect) -> None:
    server = await serve(cameras=2)
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        await server.set_fault("cam0", "drop")
        assert await how_it_ends(reader) == "reset"
        await playing(connect, server)


async def plays_on(connect, server) -> None:
    reader = await playing(connect, server)
    while True:
        await reader.receive()


async def test_flap_resets_again_and_again(serve, connect) -> None:
    server = await serve(cameras=1)
    await server.set_fault("cam0", "flap", period=0.2)
    for _ in range(3):
        # It may be cut before it plays.
        with pytest.raises(ConnectionResetError):
            await plays_on(connect, server)
    await server.clear_fault("cam0", "flap")
    reader = await playing(connect, server)
    await reader.frames(30)


async def test_end_says_goodbye(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await playing(connect, server)
    await server.set_fault("cam0", "end")
    assert await how_it_ends(reader) == "closed"
    assert reader.reports[-1][8:10] == bytes((0x81, 203))


@pytest.mark.parametrize("status", [503, 404])
async def test_refuse_cuts_and_turns_away_this_camera_only(serve, connect, status: int) -> None:
    server = await serve(cameras=2)
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        await server.set_fault("cam0", "refuse", status=status)
        assert await how_it_ends(reader) == "closed"
        refused = await connect(server)
        assert (await refused.ask("DESCRIBE"))[0] == status
        assert await refused.reader.read() == b""
        await server.clear_fault("cam0", "refuse")
        await playing(connect, server)


async def test_refuse_may_leave_running_sessions_alone(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await playing(connect, server)
    await server.set_fault("cam0", "refuse", cut=False)
    assert (await (await connect(server)).ask("DESCRIBE"))[0] == 503
    assert (await reader.ask("GET_PARAMETER"))[0] == 200
    await reader.frames(5)


@pytest.mark.parametrize("user", ["viewer", None])
async def test_wrong_password_cuts_and_asks_for_another(serve, connect, user: str | None) -> None:
    server = await serve(cameras=1, user=user, password="right" if user else None, auth="basic")
    reader = await connect(server)
    if user is None:
        await reader.play()
    else:
        await reader.ask("OPTIONS")
    await server.set_fault("cam0", "wrong_password")
    assert await how_it_ends(reader) == "closed"
    again = await connect(server)
    status, headers, _ = await again.ask("DESCRIBE", Authorization="Basic dmlld2VyOnJpZ2h0")
    assert (status, headers["www-authenticate"][:5]) == (401, "Basic")
    await server.clear_fault("cam0", "wrong_password")
    assert (await again.ask("DESCRIBE", Authorization="Basic dmlld2VyOnJpZ2h0"))[0] == 200


async def test_slow_lets_no_more_through_than_the_line_and_drops_what_overflows(
    serve, connect, clip: Clip
) -> None:
    noise = np.random.default_rng(1)
    pictures = (noise.integers(0, 255, (144, 176, 3), np.uint8) for _ in range(10))
    heavy = encode_frames(pictures, fps=50, keyframe_every_s=0.1)
    # The line is what overflows, never the simulator, however much it has to catch up with.
    server = await serve([heavy, clip], cameras=2, max_buffered=2**30)
    camera = server.cameras[0]
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        await server.set_fault("cam0", "slow", kbps=800, buffer=64)
        # Frames from before it lie in the socket, as many as there are.
        await skip_to(reader, camera.timestamp(camera.number))
        largest = max(sum(map(len, unit.payloads)) for unit in heavy.units)
        began, received = time.monotonic(), 0
        # Twice as much as the line holds, and all that comes in three seconds of it.
        while received < 300_000 or camera.counts.dropped <= 5:
            await reader.receive()
            received += sum(len(packet.payload) for packet in reader.media)
            reader.media.clear()
            held = [each.link.buffered for each in camera.readers]
            assert max(held) <= 64 * 1024 + 2 * largest
        assert received < 100_000 * (time.monotonic() - began) + 2 * 64 * 1024
        await server.clear_fault("cam0", "slow")
        reader.media.clear()
        units = [await reader.frames(1) for _ in range(60)]
        packets = [packet for (unit,) in units[-10:] for packet in unit]
        assert all((b.sequence - a.sequence) % 65536 == 1 for a, b in pairwise(packets))


async def skip_to(reader, stamp: int) -> None:
    """Read until the first frame that was due at this RTP timestamp or later."""
    (unit,) = await reader.frames(1)
    while (unit[0].timestamp - stamp) % 2**32 >= 2**31:
        (unit,) = await reader.frames(1)


async def arrivals(reader, count: int) -> tuple[list[float], list[int]]:
    """When each frame came, and its timestamp."""
    times, stamps = [], []
    for _ in range(count):
        (unit,) = await reader.frames(1)
        times.append(time.monotonic())
        stamps.append(unit[0].timestamp)
    return times, stamps


async def test_jitter_is_uneven_and_in_order_and_loses_nothing(serve, connect) -> None:
    server = await serve(cameras=2)
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        await server.set_fault("cam0", "jitter", by="100ms")
        times, stamps = await arrivals(reader, 50)
        assert {(b - a) % 2**32 for a, b in pairwise(stamps)} == {90000 // 50}
        delays = [at - (stamp - stamps[0]) % 2**32 / 90000 for at, stamp in zip(times, stamps, strict=True)]
        assert max(delays) - min(delays) > 0.04


async def test_burst_holds_frames_back_and_sends_them_together(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await playing(connect, server)
    await server.set_fault("cam0", "burst", hold=0.4)
    await reader.frames(20)
    times, stamps = await arrivals(reader, 60)
    while sum(b - a > 0.2 for a, b in pairwise(times)) < 3:
        more, after = await arrivals(reader, 1)
        times, stamps = times + more, stamps + after
    assert {(b - a) % 2**32 for a, b in pairwise(stamps)} == {90000 // 50}
    await server.clear_fault("cam0", "burst")
    await reader.frames(40)


async def test_loss_leaves_packets_out_as_the_numbers_tell(serve, connect) -> None:
    server = await serve(cameras=2)
    async with undisturbed(connect, server):
        reader = await playing(connect, server)
        await server.set_fault("cam0", "loss", share="20%")
        reader.media.clear()
        while len(reader.media) < 200:
            await reader.receive()
        numbers = [packet.sequence for packet in reader.media]
        sent = (numbers[-1] - numbers[0]) % 65536 + 1
        assert 0.08 < 1 - len(numbers) / sent < 0.35


async def the_jump(reader, last: int) -> float:
    """Seconds by which timestamps jump, once. Frames from before it lie in the socket, as many as there are;
    ``last``: the timestamp of the one before those."""
    step = 0.02
    while abs(step - 0.02) <= 0.001:
        (unit,) = await reader.frames(1)
        last, step = unit[0].timestamp, seconds(unit[0].timestamp - last)
    stamps = [last] + [unit[0].timestamp for unit in await reader.frames(20)]
    assert {(b - a) % 2**32 for a, b in pairwise(stamps)} == {90000 // 50}
    return step


def seconds(ticks: int) -> float:
    """Of a difference of RTP timestamps."""
    return ((ticks + 2**31) % 2**32 - 2**31) / 90000


@pytest.mark.parametrize("by", [-1000.0, 3600.0])
@pytest.mark.parametrize("rtcp", [True, False])
async def test_timestamps_jump_and_reports_follow_or_not(serve, connect, by: float, rtcp: bool) -> None:
    server = await serve(cameras=1)
    reader = await playing(connect, server)
    (before,) = await reader.frames(1)
    await server.set_fault("cam0", "pts_jump", by=by, rtcp=rtcp)
    assert await the_jump(reader, before[0].timestamp) == pytest.approx(by + 0.02, abs=0.001)
    # A new session has its sender report first.
    again = await playing(connect, server)
    report, (unit,) = again.reports[0], await again.frames(1)
    reported = seconds(unit[0].timestamp - int.from_bytes(report[16:20], "big"))
    assert abs(reported - (0 if rtcp else by)) < PATIENCE_S


async def test_a_timestamp_gap_leaves_a_stretch_out(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await playing(connect, server)
    (before,) = await reader.frames(1)
    await server.set_fault("cam0", "timestamp_gap", by=2)
    assert await the_jump(reader, before[0].timestamp) == pytest.approx(2.02, abs=0.001)


async def test_restart_cuts_refuses_and_comes_back(serve, connect) -> None:
    server = await serve(cameras=2)
    readers = [await playing(connect, server, index) for index in range(2)]
    await server.set_fault("*", "restart")
    assert [await how_it_ends(reader) for reader in readers] == ["closed", "closed"]
    with pytest.raises(ConnectionRefusedError):
        await connect(server)
    await server.clear_fault("*", "restart")
    await playing(connect, server, 1)


async def test_outage_answers_nobody_and_comes_back(serve, connect) -> None:
    server = await serve(cameras=2)
    readers = [await playing(connect, server, index) for index in range(2)]
    await server.set_fault("*", "outage")
    for reader in readers:
        await falls_silent(reader)
    with socket.socket() as probe:
        probe.setblocking(False)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.get_running_loop().sock_connect(probe, (server.host, server.port))
    await server.clear_fault("*", "outage")
    for reader in readers:
        assert is_keyframe((await reader.frames(1))[0])
    await playing(connect, server)


async def test_stopping_during_an_outage_leaves_nothing_behind(serve, connect) -> None:
    tasks = asyncio.all_tasks()
    server = await serve(cameras=1)
    await playing(connect, server)
    await server.set_fault("*", "outage")
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await connect(server)
    assert asyncio.all_tasks() == tasks
    await server.start()
    await playing(connect, server)


async def test_udp_readers_meet_the_same_faults(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await connect(server)
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as media:
        media.bind(("127.0.0.1", 0))
        media.setblocking(False)
        port = media.getsockname()[1]
        await reader.setup(f"RTP/AVP;unicast;client_port={port}-{port}")
        assert (await reader.ask("PLAY"))[0] == 200

        async def numbers(count: int) -> list[int]:
            found: list[int] = []
            while len(found) < count:
                data = await loop.sock_recv(media, 2048)
                if data[1] & 0x7F == 96:
                    found.append(int.from_bytes(data[2:4], "big"))
            return found

        await server.set_fault("cam0", "loss", share=0.3)
        found = await numbers(100)
        assert (found[-1] - found[0]) % 65536 > 105
        await server.set_fault("cam0", "stall")
        silent = False
        while not silent:
            try:
                async with asyncio.timeout(0.2):
                    await numbers(1)
            except TimeoutError:
                silent = True


async def test_beginnings_and_ends_are_told(serve) -> None:
    server = await serve(cameras=1)
    notes: list[FaultNote] = []
    server.on_fault(notes.append)
    began = await server.set_fault("cam0", "stall")
    ended = await server.clear_fault("cam0", "stall")
    await server.set_fault("cam0", "drop")
    told = [(note.event.kind, note.ended) for note in notes]
    assert told == [("stall", False), ("stall", True), ("drop", False), ("drop", True)]
    assert [note.at for note in notes[:2]] == [began, ended]
    await server.clear_fault("cam0", "stall")
    assert len(notes) == 4


@pytest.mark.parametrize(
    ("camera", "kind", "options"),
    [
        ("cam7", "stall", {}),
        ("cam0", "stal", {}),
        ("cam0", "slow", {"kbps": "fast"}),
        ("cam0", "slow", {"speed": 3}),
        ("cam0", "restart", {}),
        ("*", "stall", {}),
    ],
)
async def test_what_does_not_exist_cannot_be_set(serve, camera: str, kind: str, options: dict) -> None:
    server = await serve(cameras=1)
    with pytest.raises(ConfigError):
        await server.set_fault(camera, kind, **options)
