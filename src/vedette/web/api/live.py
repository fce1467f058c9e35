"""Live pictures: one looker for each camera however many look, and none when nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from vedette.control.protocol import ControlError, Looked, Picture
from vedette.web.api.draw import across, drawn
from vedette.web.node import Node, NodeGoneError
from vedette.web.problems import ProblemError

__all__ = ["BOUNDARY", "Lives", "View"]

VIEWERS_AT_MOST = 32
LOOK_EVERY_S = 0.08
"""Some more often than the fastest viewer is given pictures."""
AWAY_AGAIN_S = 1.0
SHOWN_AGAIN_S = 5.0
"""Where there is no new picture the last one is sent again, so that it is noticed who has gone."""
NOTHING_FOR_S = 30.0
"""A camera that gives none for so long ends the stream; the page says why it is not seen."""
DRAW_AT_ONCE = 2
"""Threads; drawing must not take the cores that cameras need."""
NO_WIDTH = 16
"""Of no camera."""
BOUNDARY = "picture"


class View(NamedTuple):
    """What somebody looks at. ``width``: pixels at most."""

    camera: str
    width: int
    boxes: bool


class Lives:
    """Of one dashboard."""

    def __init__(self, asked: Node) -> None:
        self._asked = asked
        self._looking: dict[View, _Looker] = {}
        self._drawing = asyncio.Semaphore(DRAW_AT_ONCE)
        self._telling: set[asyncio.Task[Looked | None]] = set()
        self.viewers = 0
        self.untold = 0
        """Pictures left out because a viewer took them too slowly, of which the node does not know yet."""

    async def picture(self, picture: Picture, *, width: int, boxes: bool) -> bytes:
        """JPEG, ``width`` pixels wide at most, with its boxes if wanted. The node makes pictures as wide
        as the widest that anybody wants."""
        try:
            if not (boxes and picture.xyxy) and across(picture.jpeg) <= width:
                return picture.jpeg
            async with self._drawing:
                return await asyncio.to_thread(drawn, picture, width=width, boxes=boxes)
        except OSError:
            return picture.jpeg

    def look(self, view: View, fps: float) -> AsyncIterator[bytes]:
        """Parts of a ``multipart/x-mixed-replace``, at most ``fps`` a second; those that are too many for
        whoever looks are left out. Raises ProblemError where too many look."""
        if self.viewers >= VIEWERS_AT_MOST:
            raise ProblemError(
                "too-many", f"{VIEWERS_AT_MOST} look at live pictures already, which is the most"
            )
        return self._parts(view, fps)

    async def _parts(self, view: View, fps: float) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        seen, last, news = 0, b"", loop.time()
        if self.viewers >= VIEWERS_AT_MOST:
            return  # many asked at once, before any of them had begun
        self.viewers += 1
        try:
            with self._looker(view) as looker:
                while loop.time() - news < NOTHING_FOR_S:
                    number, jpeg = await looker.newer(seen, SHOWN_AGAIN_S)
                    if number > seen:
                        seen, last, news = number, jpeg, loop.time()
                    if last:
                        before = looker.number
                        try:
                            yield _part(last)
                        finally:
                            # The newest of those that came while this one was on its way is sent next.
                            self.untold += max(0, looker.number - before - 1)
                    await asyncio.sleep(1 / fps)
        finally:
            self.viewers -= 1

    @contextmanager
    def _looker(self, view: View) -> Iterator[_Looker]:
        looker = self._looking.get(view)
        if looker is None:
            looker = self._looking[view] = _Looker(self, view)
        looker.viewers += 1
        try:
            yield looker
        finally:
            looker.viewers -= 1
            if not looker.viewers and self._looking.get(view) is looker:
                del self._looking[view]
                looker.end()
                self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        """Nobody may look again soon."""
        if self.untold:
            task = asyncio.create_task(self.asked((), NO_WIDTH))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def asked(self, cameras: tuple[str, ...], width: int, since: float = 0.0) -> Looked | None:
        """What the node has, which hears what was left out; None where it does not answer."""
        dropped, self.untold = self.untold, 0
        try:
            return await self._asked.look(cameras, width, since, dropped)
        except (NodeGoneError, ControlError):
            self.untold += dropped
            return None

    @property
    def looking(self) -> int:
        """How many lookers there are."""
        return len(self._looking)


class _Looker:
    """Keeps the newest picture of a view."""

    def __init__(self, lives: Lives, view: View) -> None:
        self._lives, self._view = lives, view
        self.viewers = 0
        self.number, self._jpeg = 0, b""
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._run(), name=f"look at {view.camera}")

    async def newer(self, than: int, within: float) -> tuple[int, bytes]:
        """The newest one, after waiting for one that is newer; its number, and JPEG."""
        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(lambda: self.number > than)
        except TimeoutError:
            pass
        return self.number, self._jpeg

    def end(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        since = 0.0
        while True:
            looked = await self._lives.asked((self._view.camera,), self._view.width, since)
            if looked is None:
                await asyncio.sleep(AWAY_AGAIN_S)
                continue
            picture = looked.pictures.get(self._view.camera)
            if picture is not None and picture.captured_at > since:
                since = picture.captured_at
                jpeg = await self._lives.picture(picture, width=self._view.width, boxes=self._view.boxes)
                async with self._changed:
                    self.number, self._jpeg = self.number + 1, jpeg
                    self._changed.notify_all()
            await asyncio.sleep(LOOK_EVERY_S)


def _part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
