"""What does not end by itself: results, happenings, live pictures. Nobody is asked while nobody listens."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from contextlib import ExitStack
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from fastapi import FastAPI

from fake_node import FakeNode
from patience import PATIENCE_S
from vedette.control.protocol import Gave, Looked
from vedette.web.api.draw import across
from vedette.web.api.feed import Away, Batch, Feed, Missed
from vedette.web.api.live import Lives, View
from vedette.web.node import NodeGoneError
from vedette.web.problems import ProblemError


class Telling(FakeNode):
    """Gives a result of each camera whenever it is asked."""

    def __init__(self) -> None:
        super().__init__(2)
        self.asked = self.looked = self.lost = 0

    async def results(self, after: int, most: int = 500) -> Gave:
        self.asked += 1
        lines = [msgspec.json.encode({"camera": name, "seq": self.asked}) for name in self.cameras]
        return Gave([], 0) if after < 0 else Gave(lines, after + 2, self.lost)

    async def look(
        self, cameras: tuple[str, ...], width: int, since: float = 0.0, dropped: int = 0
    ) -> Looked:
        self.looked += 1
        return await super().look(cameras, width, since, dropped)


async def served(app: FastAPI) -> tuple[uvicorn.Server, asyncio.Task[None], str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return server, task, f"http://127.0.0.1:{port}/api/v1"


async def test_results_and_pictures_flow_until_whoever_looks_has_gone(made: Any) -> None:
    node = Telling()
    node.lost = 3
    _, app, _ = made(asked=node)
    server, task, base = await served(app)
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            async with client.stream("GET", f"{base}/results", params={"camera": "camera_2"}) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                lines = []
                async for line in stream.aiter_lines():
                    lines.append(line)
                    if sum(each.startswith("event: result") for each in lines) >= 3:
                        break
            told = [msgspec.json.decode(line[6:]) for line in lines if line.startswith("data: {")]
            assert {each["camera"] for each in told if "camera" in each} == {"camera_2"}
            assert {"missed": 3} in told
            await asyncio.sleep(0.5)
            asked = node.asked
            await asyncio.sleep(0.3)
            assert node.asked == asked
    finally:
        server.should_exit = True
        await task


async def test_live_pictures_have_one_looker_and_end_with_the_last_viewer() -> None:
    node = Telling()
    lives = Lives(node)
    name = next(each.name for each in FakeNode(8).cameras.values() if each.blind is None)
    node.cameras[name] = FakeNode(8).cameras[name]
    views = [lives.look(View(name, 160, True), 10.0) for _ in range(3)]

    for parts in views:
        part = await anext(parts)
        assert part.startswith(b"--picture\r\nContent-Type: image/jpeg")
    assert lives.looking == 1
    assert lives.viewers == 3
    for parts in views:
        await parts.aclose()  # type: ignore[attr-defined]
    assert lives.looking == lives.viewers == 0
    await asyncio.sleep(0)
    looked = node.looked
    await asyncio.sleep(0.3)
    assert node.looked == looked


async def test_what_a_slow_viewer_misses_is_counted_and_what_a_quick_one_leaves_out_is_not() -> None:
    node = Telling()
    lives = Lives(node)
    name = next(each.name for each in FakeNode(8).cameras.values() if each.blind is None)
    node.cameras[name] = FakeNode(8).cameras[name]
    slow = lives.look(View(name, 160, False), 12.0)
    await anext(slow)
    looked = node.looked
    async with asyncio.timeout(PATIENCE_S):
        while node.looked < looked + 6:  # each look gives another picture, and this one is not taken
            await asyncio.sleep(0.01)
        await anext(slow)
        await slow.aclose()  # type: ignore[attr-defined]
        while lives.untold:
            await asyncio.sleep(0.01)
    assert node.dropped >= 4

    dropped = node.dropped
    quick = lives.look(View(name, 160, False), 0.5)
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2):
            await anext(quick)
    await quick.aclose()  # type: ignore[attr-defined]
    assert node.dropped + lives.untold == dropped


async def test_however_wide_others_look_nobody_gets_a_wider_picture_than_was_asked_for(made: Any) -> None:
    class Widest(FakeNode):
        async def look(
            self, cameras: tuple[str, ...], width: int, since: float = 0.0, dropped: int = 0
        ) -> Looked:
            return await super().look(cameras, 960, since, dropped)

    node = Widest(8)
    seen = next(each.name for each in node.cameras.values() if each.blind is None)
    lives = Lives(node)
    for boxes in (False, True):
        parts = lives.look(View(seen, 320, boxes), 10.0)
        head, _, jpeg = (await anext(parts)).partition(b"\r\n\r\n")
        assert across(jpeg) == 320
        assert int(head.rpartition(b" ")[2]) == len(jpeg) - 2
        await parts.aclose()  # type: ignore[attr-defined]
    client, _, _ = made(asked=node)
    for width in (320, 960):
        snapshot = await client.get(f"cameras/{seen}/snapshot.jpg", params={"width": width})
        some = (await client.get("pictures", params={"cameras": seen, "width": width})).json()["pictures"]
        assert across(snapshot.content) == across(b64decode(some[seen]["jpeg"])) == width


async def test_so_many_may_look_and_no_more() -> None:
    lives = Lives(FakeNode(1))
    lives.viewers = 32

    with pytest.raises(ProblemError, match="already"):
        lives.look(View("camera_1", 160, False), 10.0)


# ---- the feed itself


async def numbers(after: int) -> Batch[int]:
    return Batch([after + 1], after + 1)


async def test_those_who_are_too_slow_are_told_what_they_missed() -> None:
    feed = Feed(numbers, begin=0, every=0.001, room=5)

    with feed.listening() as slow:
        async with asyncio.timeout(PATIENCE_S):
            while not slow._missed:
                await asyncio.sleep(0.001)
        found = await slow.take(1.0)

    missed, *rest = found
    assert isinstance(missed, Missed)
    assert len(rest) == 5
    assert rest[0] == missed.count + 1


async def test_all_who_listen_are_served_by_one_question() -> None:
    asked = 0

    async def ask(after: int) -> Batch[int]:
        nonlocal asked
        asked += 1
        return await numbers(after)

    feed = Feed(ask, begin=0, every=0.01)
    with feed.listening() as one, feed.listening(lambda number: number % 2 == 0) as other:
        await asyncio.sleep(0.1)
        first, second = await one.take(1.0), await other.take(1.0)
    assert asked <= len(first) + 1
    assert all(isinstance(each, int) and each % 2 == 0 for each in second)
    before = asked
    await asyncio.sleep(0.05)
    assert asked == before
    assert feed.listeners == 0


async def test_a_node_that_goes_is_told_of_once_and_asked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.web.api.feed.AWAY_AGAIN_S", 0.01)
    begun: list[int] = []

    async def ask(after: int) -> Batch[int]:
        begun.append(after)
        if len(begun) < 4:
            raise NodeGoneError("no node answers")
        return Batch([7], 7)

    feed = Feed(ask, begin=-1, every=0.01)
    with feed.listening() as listener:
        assert await listener.take(1.0) == [Away("no node answers")]
        assert 7 in await listener.take(1.0)
    assert begun[:4] == [-1] * 4


async def test_no_more_look_or_listen_however_many_ask_in_the_same_moment() -> None:
    node = FakeNode(8)
    name = next(each.name for each in node.cameras.values() if each.blind is None)
    lives, view = Lives(node), View(name, 160, False)
    asked = [lives.look(view, 12.0) for _ in range(40)]
    shown = await asyncio.gather(*(anext(each, None) for each in asked))
    assert sum(each is not None for each in shown) == 32
    for each in asked:
        await each.aclose()  # type: ignore[attr-defined]
    assert lives.viewers == 0

    feed = Feed(numbers, begin=0, every=0.001)
    coming = [feed.listening() for _ in range(70)]
    with ExitStack() as listening:
        for each in coming[:64]:
            listening.enter_context(each)
        with pytest.raises(ProblemError, match="64 listen already"):
            listening.enter_context(coming[64])
    assert feed.listeners == 0
