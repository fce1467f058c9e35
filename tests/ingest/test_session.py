"""A camera's life, session after session, over a source that does what its script says."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.errors import SourceError
from vedette.facts import EndReason, SessionEnd, SessionEnded
from vedette.frame import EncodedFrame, StreamInfo
from vedette.ingest.lane import Lane
from vedette.ingest.reconnect import HEALTHY_AFTER_S, Backoff
from vedette.ingest.session import keep_watching
from vedette.ingest.source import Receiver
from vedette.pipeline import Pipeline
from vedette.settings import CameraSettings
from vedette.testing import ManualClock, PacketSequence
from vedette.track.tracker import NoTracker
from vedette.workers.table import CameraState, Table

REFUSED = SessionEnd(EndReason.REFUSED, "404")


class Scripted:
    """A source: each session gives so many frames, lasts so long on the clock, and ends as it is told.

    When the script is over it stays open until it is cancelled.
    """

    def __init__(self, clock: ManualClock, *script: tuple[int, float, SessionEnd | Exception]) -> None:
        self._clock, self._script = clock, list(script)
        self.packets = PacketSequence()
        self.sessions = 0
        self.cancelled = False

    async def run(self, receiver: Receiver) -> SessionEnd:
        self.sessions += 1
        if not self._script:
            receiver.opened(self.packets.stream)
            return await self._stay_open()
        frames, seconds, end = self._script.pop(0)
        if frames:
            receiver.opened(self.packets.stream)
        sent = self.packets.frames(self._clock.now)
        for _ in range(frames):
            receiver.frame(next(sent))
        await asyncio.sleep(0)
        self._clock.advance(seconds)
        if isinstance(end, Exception):
            raise end
        return end

    async def _stay_open(self) -> SessionEnd:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return REFUSED


class NoWaiting(Backoff):
    """Says what it was asked, and lets a test not wait."""

    def __init__(self) -> None:
        super().__init__(random.Random(1))
        self.lived: list[float] = []

    def after(self, reason: EndReason, lived: float, now: float | None = None) -> float:
        self.lived.append(lived)
        return super().after(reason, lived, now) / 100


class Turnstile:
    """Lets everybody in, and remembers how often somebody came and went."""

    def __init__(self) -> None:
        self.entered = self.left = 0

    async def enter(self) -> None:
        self.entered += 1

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def leave(self) -> None:
        self.left += 1


class Life:
    """keep_watching and all that it needs."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.table = Table.create(1, 1)
        self.row = self.table.rows[0]
        self.told: list[SessionEnded] = []
        self.states: list[CameraState] = []
        self.backoff = NoWaiting()
        self.gate = Turnstile()
        self.pipeline = Pipeline(
            0,
            CameraSettings(name="gate", url="rtsp://127.0.0.1/gate", track_grace=0.0),
            table=self.table,
            worker=1,
            clock=self.clock,
            observer=self,
            make_tracker=NoTracker,
            ring=lambda: None,
        )

    def fact(self, fact: Any) -> None:
        pass

    def asks(self, index: int, captured: float) -> None: ...

    def found(self, index: int, found: Any) -> None: ...

    def result(self, output: Any, image: Any, shown: float) -> None:
        pass

    def watch(self, source: Any, *, ends: bool = False) -> asyncio.Task[SessionEnd]:
        return asyncio.create_task(
            keep_watching(
                source,
                self.pipeline,
                Lane(self.pipeline, SystemClock(), None),
                self.backoff,
                self.gate,
                clock=self.clock,
                set_state=self.states.append,
                tell=self.told.append,
                ends=ends,
            )
        )


@pytest.fixture
def life() -> Iterator[Life]:
    life = Life()
    yield life
    os.close(life.table.fd)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.005)


async def closed(task: asyncio.Task[SessionEnd]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_clip_that_is_over_is_not_opened_again(life: Life) -> None:
    source = Scripted(life.clock, (5, 0.2, SessionEnd(EndReason.ENDED)))
    end = await life.watch(source, ends=True)
    assert end.reason is EndReason.ENDED
    assert source.sessions == 1
    [told] = life.told
    assert (told.camera, told.reason, told.frames, told.retry_in) == ("gate", EndReason.ENDED, 5, None)
    assert life.states == [CameraState.CONNECTING]


async def test_a_camera_is_tried_again_and_each_end_is_told_with_its_wait(life: Life) -> None:
    stalled = SessionEnd(EndReason.STALLED, "nothing for 10 s")
    source = Scripted(life.clock, (0, 0.1, REFUSED), (3, 60.0, stalled), (0, 0.1, REFUSED))
    task = life.watch(source)
    await until(lambda: source.sessions == 4)
    assert [(told.reason, told.detail, told.frames) for told in life.told] == [
        (EndReason.REFUSED, "404", 0),
        (EndReason.STALLED, "nothing for 10 s", 3),
        (EndReason.REFUSED, "404", 0),
    ]
    assert all(told.retry_in is not None and told.retry_in > 0 for told in life.told)
    assert life.states == [CameraState.CONNECTING, CameraState.WAITING] * 3 + [CameraState.CONNECTING]
    await closed(task)


async def test_an_attempt_that_ran_into_its_time_limit_was_not_healthy(life: Life) -> None:
    unreachable = SessionEnd(EndReason.UNREACHABLE, "no answer")
    long = HEALTHY_AFTER_S + 1
    source = Scripted(life.clock, *[(0, long, unreachable)] * 4, (2, long, unreachable))
    task = life.watch(source)
    await until(lambda: source.sessions == 6)
    assert life.backoff.lived == [0, 0, 0, 0, long]
    waits = [told.retry_in or 0 for told in life.told]
    assert waits[3] > 4 * waits[0], "waits grow"
    assert waits[4] < waits[2], "and start small again after a session that gave pictures"
    await closed(task)


async def test_what_a_source_cannot_read_ends_its_session_in_our_words(life: Life) -> None:
    source = Scripted(life.clock, (0, 0.1, SourceError("no decoder for 'xyz'")))
    task = life.watch(source)
    await until(lambda: source.sessions == 2)
    assert (life.told[0].reason, life.told[0].detail) == (EndReason.UNSUPPORTED, "no decoder for 'xyz'")
    await closed(task)


async def test_a_codec_that_nothing_decodes_ends_the_session_and_not_the_camera(life: Life) -> None:
    class Exotic:
        sessions = 0

        async def run(self, receiver: Receiver) -> SessionEnd:
            self.sessions += 1
            receiver.opened(StreamInfo("no_such_codec"))
            return REFUSED

    source = Exotic()
    task = life.watch(source)
    await until(lambda: source.sessions == 2)
    assert life.told[0].reason is EndReason.UNSUPPORTED
    assert "no_such_codec" in life.told[0].detail
    await closed(task)


async def test_each_session_begins_an_epoch_and_accounts_for_its_frames(life: Life) -> None:
    ended = SessionEnd(EndReason.UNREACHABLE, "reset")
    source = Scripted(life.clock, (3, 0.1, ended), (4, 0.1, ended), (5, 0.1, ended))
    task = life.watch(source)
    await until(lambda: source.sessions == 4)
    await until(lambda: life.row["sessions"] == 4)
    assert life.row["epoch"] == 3
    assert life.row["received"] == 12
    assert life.row["superseded"] == 9
    assert life.row["orphaned"] == 3
    assert life.table.in_flight(0) == 0
    await closed(task)


async def test_closing_a_camera_closes_its_session(life: Life) -> None:
    source = Scripted(life.clock)
    task = life.watch(source)
    await until(lambda: life.row["state"] == CameraState.LIVE)
    await closed(task)
    assert source.cancelled


async def test_closing_a_camera_that_waits_is_prompt(life: Life) -> None:
    life.backoff.after = lambda reason, lived, now: 3600.0  # type: ignore[method-assign]
    task = life.watch(Scripted(life.clock, (0, 0.1, REFUSED)))
    await until(lambda: CameraState.WAITING in life.states)
    async with asyncio.timeout(PATIENCE_S):
        await closed(task)


async def test_frames_of_a_stream_whose_end_came_early_are_all_given_an_outcome(life: Life) -> None:
    class Broken:
        """Says of some frames that they are broken, of some that they were left out."""

        async def run(self, receiver: Receiver) -> SessionEnd:
            packets = PacketSequence()
            receiver.opened(packets.stream)
            sent = packets.frames(life.clock.now)
            for number in range(30):
                frame: EncodedFrame = next(sent)
                if number % 3 == 1:
                    receiver.broken()
                elif number % 3 == 2:
                    receiver.skipped()
                else:
                    receiver.frame(frame)
            return SessionEnd(EndReason.CORRUPT, "")

    await life.watch(Broken(), ends=True)
    life.pipeline.close()
    assert life.row["received"] == 30
    assert life.table.in_flight(0) == 0
