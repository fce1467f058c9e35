"""Pictures for those who look: beside the frame's way, few, small, and let go where nobody takes them."""

from __future__ import annotations

import asyncio
import io
import os
import time
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from patience import PATIENCE_S
from vedette.testing import ManualClock
from vedette.workers import showing
from vedette.workers.protocol import Channel, LivePicture, Output, Show, pair
from vedette.workers.showing import WAITING_AT_MOST, Showing

WIDTH, HEIGHT = 640, 360


def picture(value: int = 100) -> Any:
    return av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), value, np.uint8), "rgb24").reformat(
        format="yuv420p"
    )


def output(index: int, captured_at: float) -> Output:
    return Output(
        index=index, epoch=0, seq=0, captured_at=captured_at, emitted_at=0.0, age=0.0, width=WIDTH,
        height=HEIGHT, xyxy=np.zeros((1, 4), np.float32).tobytes(), confidence=b"\0" * 4, class_id=b"\0" * 4,
        track_id=b"\0" * 8, names=["person"],
    )  # fmt: skip


class World:
    """A worker that shows, and the node's end of its channel."""

    def __init__(self) -> None:
        ours, theirs = pair()
        self.node, self._end = Channel(ours), Channel(theirs)
        self.clock, self.takes = ManualClock(), True
        self.troubles: list[str] = []
        self._loop = asyncio.get_running_loop()
        self.showing = Showing(
            self._end,
            told=lambda: self.takes,
            on_loop=self._loop.call_soon_threadsafe,  # type: ignore[arg-type]
            trouble=self.troubles.append,
            clock=self.clock,
        )

    def wants(self, *cameras: int, width: int = 320, every: float = 0.1) -> None:
        self.showing.follow(Show(list(cameras), [width] * len(cameras), [every] * len(cameras)))

    def result(self, index: int, captured_at: float, image: Any = None) -> None:
        self.showing.result(output(index, captured_at), image or picture())

    async def settled(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.showing._busy or self.showing._waiting:
            assert time.monotonic() < until
            await asyncio.sleep(0.005)

    async def come(self) -> list[tuple[LivePicture, tuple[int, int]]]:
        """Those that have come, with the size of each."""
        await self.settled()
        found = []
        while (heard := self.node.receive()) is not None:
            message, (fd,) = heard
            with Image.open(io.BytesIO(os.pread(fd, os.fstat(fd).st_size, 0))) as image:
                found.append((message, image.size))
            os.close(fd)
        return found

    def close(self) -> None:
        self.showing.close()
        self.node.close()
        self._end.close()


def run(test: Any) -> None:
    async def inside() -> None:
        world = World()
        try:
            await test(world)
        finally:
            world.close()

    asyncio.run(inside())


def test_a_picture_is_small_and_comes_with_what_was_found_in_it() -> None:
    async def test(world: World) -> None:
        world.wants(3)
        world.result(3, 10.0)
        ((message, size),) = await world.come()
        assert (message.index, message.captured_at, message.names) == (3, 10.0, ["person"])
        assert (message.width, message.height, size) == (WIDTH, HEIGHT, (320, 180))

    run(test)


def test_it_is_never_enlarged() -> None:
    async def test(world: World) -> None:
        world.wants(3, width=4000)
        world.result(3, 10.0)
        ((_, size),) = await world.come()
        assert size == (WIDTH, HEIGHT)

    run(test)


def test_where_nobody_looks_there_is_not_even_a_thread() -> None:
    async def test(world: World) -> None:
        world.result(3, 10.0)
        assert world.showing._pool is None
        world.wants(3)
        world.result(4, 10.0)
        world.wants()
        world.result(3, 11.0)
        assert await world.come() == []

    run(test)


def test_pictures_are_no_more_often_than_wanted() -> None:
    async def test(world: World) -> None:
        world.wants(3, every=0.1)
        times = []
        for number in range(51):
            world.result(3, float(number))
            times += [message.captured_at for message, _ in await world.come()]
            world.clock.advance(0.04)
        assert 19 <= len(times) <= 22, "two seconds of ten"

    run(test)


def test_of_each_camera_the_newest_waits_and_of_many_cameras_few() -> None:
    async def test(world: World) -> None:
        many = list(range(WAITING_AT_MOST + 3))
        world.wants(*many, every=0.0)
        for moment in (1.0, 2.0):
            for index in many:
                world.result(index, moment)
        # The first is being made; of the others as many wait as may.
        assert len(world.showing._waiting) == WAITING_AT_MOST
        found = [(message.index, message.captured_at) for message, _ in await world.come()]
        assert found[0] == (0, 1.0)
        assert sorted(found[1:]) == [(index, 2.0) for index in range(1, WAITING_AT_MOST + 1)]
        assert world.showing.dropped == 2 * len(many) - len(found)

    run(test)


def test_a_node_that_is_behind_gets_none_and_nothing_is_left_open() -> None:
    async def test(world: World) -> None:
        world.wants(3)
        world.takes = False
        before = len(os.listdir("/proc/self/fd"))
        for number in range(5):
            world.clock.advance(1.0)
            world.result(3, float(number))
            await world.settled()
        assert world.showing.dropped == 5
        assert len(os.listdir("/proc/self/fd")) == before
        world.takes = True
        assert await world.come() == []

    run(test)


def test_a_picture_that_cannot_be_made_is_told_of_once_and_the_next_one_is() -> None:
    async def test(world: World) -> None:
        world.wants(3)
        for number in range(3):
            world.clock.advance(1.0)
            world.result(3, float(number), image=object())
            await world.settled()
        assert world.showing.failed == 3
        assert len(world.troubles) == 1
        world.clock.advance(1.0)
        world.result(3, 9.0)
        assert len(await world.come()) == 1

    run(test)


def test_a_camera_that_went_is_not_shown_any_more() -> None:
    async def test(world: World) -> None:
        world.wants(3, 4)
        world.result(3, 1.0)
        world.result(4, 1.0)
        world.showing.gone(4)
        assert [message.index for message, _ in await world.come()] == [3]

    run(test)


def test_the_thread_rests_longer_than_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []

    async def test(world: World) -> None:
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def later(wait: float, *work: Any) -> asyncio.TimerHandle:
            rests.append(wait)
            return call_later(0, *work)

        monkeypatch.setattr(loop, "call_later", later)
        world.wants(3)
        world.result(3, 1.0)
        await world.settled()

    monkeypatch.setattr(showing.time, "thread_time", iter([5.0, 5.25]).__next__)
    run(test)
    assert 0.75 in rests
