"""A thousand failures, and a recovery after each: nothing of them is left. About 20 s."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import uvloop

from ingest.rtsp.rtsp_actors import MEDIA, Visit, acting
from ingest.rtsp.rtsp_replay import Collector
from ingest_media import Notebook, make_clip
from patience import PATIENCE_S
from servers import free_port
from vedette.causes import Blame
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.container import ContainerSource
from vedette.ingest.live import LiveSource
from vedette.ingest.rtsp.client import RtspSource

LOOPS = 1000
CONTAINER_LOOPS = 100
AT_ONCE = 10
# Fewer than one object in two loops, and two kilobytes in each: what is left of the allocator's own ways.
MOST_OBJECTS = LOOPS // 2
MOST_GROWTH = LOOPS * 2048

Loop = Callable[[], Awaitable[SessionEnd]]


class Held(NamedTuple):
    files: int
    threads: int
    tasks: int


class Left:
    """What a process holds, to be compared."""

    def __init__(self) -> None:
        self.held = Held(psutil.Process().num_fds(), threading.active_count(), len(asyncio.all_tasks()))
        for _ in range(3):
            gc.collect()
        # glibc keeps what TLS let go for the next handshake: megabytes, up and down.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)
        self.objects = len(gc.get_objects())
        self.memory = psutil.Process().memory_full_info().uss

    def held_no_more_than(self, before: Left) -> bool:
        return all(now <= then for now, then in zip(self.held, before.held, strict=True))

    async def is_all(self) -> int:
        """Assert that there is no more now; what still closes gets its time. Returns how many bytes more."""
        for _ in range(int(PATIENCE_S / 0.05)):
            now = Left()
            if now.held_no_more_than(self):
                break
            await asyncio.sleep(0.05)
        # Fewer is no leak: a connection of an earlier round may have closed since.
        assert now.held_no_more_than(self), f"{now.held} now, {self.held} before"
        assert now.objects - self.objects < MOST_OBJECTS
        return int(now.memory - self.memory)


async def repeat(loops: dict[EndReason, Loop], times: int) -> Counter[EndReason]:
    """Each kind of failure in turn, a few at once."""
    ends: Counter[EndReason] = Counter()
    kinds = list(loops.items())

    async def lane(first: int) -> None:
        for number in range(first, times, AT_ONCE):
            wanted, loop = kinds[number % len(kinds)]
            end = await loop()
            assert end.reason is wanted, end
            ends[end.reason] += 1

    async with asyncio.timeout(3 * PATIENCE_S):
        await asyncio.gather(*(lane(first) for first in range(AT_ONCE)))
    return ends


async def plays_on(visit: Visit) -> None:
    await visit.play(media=MEDIA[:20_000])
    await visit.answer("200 OK")  # to TEARDOWN, or to a sign of life


async def drops(visit: Visit) -> None:
    await visit.play(media=MEDIA[:20_000])
    visit.reset()


async def knows_nobody(visit: Visit) -> None:
    while True:
        await visit.answer("401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"')


async def babbles(visit: Visit) -> None:
    await visit.reader.read(1)
    await visit.send(b"\x00\xff nothing that anybody knows\r\n")
    await visit.left()


async def hung_up_on(source: LiveSource, playing: Callable[[], bool], task: asyncio.Task[SessionEnd]) -> None:
    while not playing() and not task.done():
        await asyncio.sleep(0.001)
    source.probe()
    source.evidence()
    source.hang_up(EndReason.STALLED, "no picture", Blame.CAMERA)


async def rtsp_loops(stack: AsyncExitStack) -> dict[EndReason, Loop]:
    async def url(scene: Callable[[Visit], Awaitable[None]], *, tls: bool = False) -> str:
        return await stack.enter_async_context(acting(scene, tls=tls, userinfo="me:password"))

    healthy, lost, locked = await url(plays_on), await url(drops), await url(knows_nobody)
    garbage, untrusted = await url(babbles), await url(plays_on, tls=True)

    def camera(url: str) -> RtspSource:
        limits = dict.fromkeys(("connect_timeout", "first_frame_timeout", "stall_after"), PATIENCE_S)
        return RtspSource(url, clock=SystemClock(), **limits)

    async def recover() -> None:
        """A session that is well, until it is hung up on."""
        assert (await stall()).reason is EndReason.STALLED

    async def stall() -> SessionEnd:
        source, collector = camera(healthy), Collector()
        task = asyncio.create_task(source.run(collector))
        await hung_up_on(source, lambda: bool(collector.frames), task)
        return await task

    def fails(url: str) -> Loop:
        async def loop() -> SessionEnd:
            end = await camera(url).run(Collector())
            await recover()
            return end

        return loop

    return {
        EndReason.CONNECTION_LOST: fails(lost),
        EndReason.REFUSED: fails(f"rtsp://127.0.0.1:{free_port()}/cam"),
        EndReason.UNAUTHORISED: fails(locked),
        EndReason.STALLED: stall,
        EndReason.CORRUPT: fails(garbage),
        EndReason.TLS: fails(untrusted),
    }


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_thousand_failures_of_a_camera_leave_nothing(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def thousand() -> Counter[EndReason]:
        async with AsyncExitStack() as stack:
            loops = await rtsp_loops(stack)
            # As many as are measured: until then the allocator and OpenSSL take what they go on to use again,
            # 15 MB in the first thousand and nothing in the thousands that follow.
            await repeat(loops, LOOPS)
            await settled()
            return await leaves_nothing(loops, LOOPS)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        ends = runner.run(thousand())
    assert min(ends.values()) >= LOOPS // 7
    assert ends.total() == LOOPS


async def leaves_nothing(loops: dict[EndReason, Loop], times: int) -> Counter[EndReason]:
    """What leaks grows with every round; what the allocator keeps does so once."""
    grew: list[int] = []
    while len(grew) < 3 and min(grew, default=MOST_GROWTH) >= MOST_GROWTH:
        before = Left()
        ends = await repeat(loops, times)
        await settled()
        grew.append(await before.is_all())
    assert min(grew) < MOST_GROWTH, grew
    return ends


async def settled() -> None:
    """Both ends of the last connections are closed: as many files for a whole second."""
    files, same = -1, 0
    while same < 4:
        await asyncio.sleep(0.25)
        before, files = files, psutil.Process().num_fds()
        same = same + 1 if files == before else 0


def http(status: str, body: bytes, *, then: str = "close") -> Callable[[Visit], Awaitable[None]]:
    async def serve(visit: Visit) -> None:
        await visit.request()
        await visit.send(f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode() + body)
        if then == "wait":
            await visit.left()

    return serve


async def container_loops(stack: AsyncExitStack, ts: bytes) -> dict[EndReason, Loop]:
    async def url(scene: Callable[[Visit], Awaitable[None]], scheme: str = "http") -> str:
        served = await stack.enter_async_context(acting(scene, userinfo="me:password"))
        return served.replace("rtsp:", f"{scheme}:")

    def camera(url: str) -> ContainerSource:
        return ContainerSource(url, clock=SystemClock(), connect_timeout=PATIENCE_S, stall_after=PATIENCE_S)

    def fails(url: str) -> Loop:
        return lambda: camera(url).run(Notebook())

    healthy = await url(http("200 OK", ts, then="wait"))

    async def stall() -> SessionEnd:
        source, notebook = camera(healthy), Notebook()
        task = asyncio.create_task(source.run(notebook))
        await hung_up_on(source, notebook.enough.is_set, task)
        return await task

    return {
        EndReason.CONNECTION_LOST: fails(await url(http("200 OK", ts))),
        EndReason.REFUSED: fails(await url(http("404 Not Found", b""))),
        EndReason.UNAUTHORISED: fails(await url(http("401 Unauthorized", b""))),
        EndReason.STALLED: stall,
        EndReason.TLS: fails(await url(babbles, "https")),
    }


async def test_a_hundred_failures_through_libavformat_leave_nothing(tmp_path: Path) -> None:
    ts = make_clip(tmp_path, "h264.ts", frames=60).read_bytes()
    async with AsyncExitStack() as stack:
        loops = await container_loops(stack, ts)
        await repeat(loops, CONTAINER_LOOPS // 2)
        await settled()
        ends = await leaves_nothing(loops, CONTAINER_LOOPS)
    assert ends.total() == CONTAINER_LOOPS
