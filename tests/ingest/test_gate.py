"""A camera's turn to connect: asked for, waited for, and given back whichever way the attempt went."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.admission import Admission
from vedette.ingest.lane import Lane
from vedette.ingest.reconnect import Backoff
from vedette.ingest.session import keep_watching
from vedette.ingest.source import Receiver
from vedette.pipeline import Pipeline
from vedette.settings import CameraSettings
from vedette.testing import PacketSequence
from vedette.track.tracker import NoTracker
from vedette.workers.camera_worker import _Gate
from vedette.workers.protocol import AskConnect, Connected
from vedette.workers.table import CameraState, Table

REFUSED = SessionEnd(EndReason.REFUSED, "404")


class Door:
    """A gate, and all that is said at it."""

    def __init__(self, index: int = 3, *, free: bool = False) -> None:
        self.said: list[Any] = []
        self.gate = _Gate(index, self.said.append, free=free)


async def until(happened: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.002)


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_camera_asks_and_waits_until_it_may() -> None:
    door = Door()
    entering = asyncio.create_task(door.gate.enter())
    await asyncio.sleep(0.02)
    assert door.said == [AskConnect(3)]
    assert not entering.done()
    door.gate.granted()
    await asyncio.wait_for(entering, PATIENCE_S)
    assert door.said == [AskConnect(3)]
    door.gate.leave()
    assert door.said == [AskConnect(3), Connected(3)]


async def test_leaving_twice_is_leaving_once() -> None:
    door = Door()
    door.gate.leave()
    assert not door.said, "who never asked has nothing to give back"
    entering = asyncio.create_task(door.gate.enter())
    await asyncio.sleep(0)
    door.gate.granted()
    await entering
    for _ in range(3):
        door.gate.leave()
    assert door.said == [AskConnect(3), Connected(3)]


async def test_a_turn_counts_once() -> None:
    door = Door()
    for turn in (1, 2):
        entering = asyncio.create_task(door.gate.enter())
        await asyncio.sleep(0.01)
        assert not entering.done(), "the turn before is used up"
        door.gate.granted()
        await asyncio.wait_for(entering, PATIENCE_S)
        door.gate.leave()
        assert door.said == [AskConnect(3), Connected(3)] * turn


async def test_a_word_that_comes_too_late_is_no_turn_for_later() -> None:
    door = Door()
    door.gate.granted()
    entering = asyncio.create_task(door.gate.enter())
    await asyncio.sleep(0.01)
    assert not entering.done()
    await cancelled(entering)


async def test_who_is_cancelled_while_it_waits_takes_its_question_back() -> None:
    door = Door()
    entering = asyncio.create_task(door.gate.enter())
    await asyncio.sleep(0.01)
    await cancelled(entering)
    assert door.said == [AskConnect(3), Connected(3)]


async def test_who_is_cancelled_at_the_moment_of_its_turn_gives_it_back() -> None:
    door = Door()
    entering = asyncio.create_task(door.gate.enter())
    await asyncio.sleep(0.01)
    door.gate.granted()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert door.said == [AskConnect(3), Connected(3)]


async def test_files_ask_nobody() -> None:
    door = Door(free=True)
    await asyncio.wait_for(door.gate.enter(), PATIENCE_S)
    door.gate.leave()
    assert not door.said


async def test_a_pause_is_over_in_time_or_when_there_is_reason_to_hope() -> None:
    gate = Door().gate
    gate.nudge()  # of long ago: it says nothing about now
    pausing = asyncio.create_task(gate.pause(60.0))
    await asyncio.sleep(0.02)
    assert not pausing.done()
    gate.nudge()
    await asyncio.wait_for(pausing, PATIENCE_S)
    await asyncio.wait_for(gate.pause(0.01), PATIENCE_S)


# ---- a camera's life at the gate


class Source:
    """Does what it is told: ``refuse``, ``open`` (until it is cancelled), ``hang`` while it connects."""

    def __init__(self, *script: str) -> None:
        self._script = list(script)
        self.begun = 0
        self.packets = PacketSequence()

    async def run(self, receiver: Receiver) -> SessionEnd:
        self.begun += 1
        what = self._script.pop(0)
        if what == "raise":
            raise RuntimeError("a mistake of ours")
        if what == "open":
            receiver.opened(self.packets.stream)
        if what in ("open", "hang"):
            await asyncio.sleep(3600)
        return REFUSED


class NoWaiting(Backoff):
    def after(self, reason: EndReason, lived: float, now: float | None = None) -> float:
        return super().after(reason, lived, now) / 1000


class Life:
    """keep_watching with the gate, lane and pipeline that a camera worker gives it."""

    def __init__(self) -> None:
        self.table = Table.create(1, 1)
        self.row = self.table.rows[0]
        self.door = Door(0)
        self.pipeline = Pipeline(
            0,
            CameraSettings(name="gate", url="rtsp://127.0.0.1/gate"),
            table=self.table,
            worker=1,
            clock=SystemClock(),
            observer=self,
            make_tracker=NoTracker,
            ring=lambda: None,
        )

    def fact(self, fact: Any) -> None: ...

    def result(self, output: Any, image: Any, shown: float) -> None: ...

    def asks(self, index: int, captured: float) -> None: ...

    def found(self, index: int, found: Any) -> None: ...

    def watch(self, source: Source) -> asyncio.Task[SessionEnd]:
        clock = SystemClock()
        lane = Lane(self.pipeline, clock, None, connected=self.door.gate.leave)

        def set_state(state: CameraState) -> None:
            self.row["state"] = state

        return asyncio.create_task(
            keep_watching(
                source,
                self.pipeline,
                lane,
                NoWaiting(random.Random(1)),
                self.door.gate,
                clock=clock,
                set_state=set_state,
                tell=lambda _: None,
                ends=False,
            )
        )


@pytest.fixture
def life() -> Iterator[Life]:
    life = Life()
    yield life
    os.close(life.table.fd)


async def test_a_camera_connects_only_when_it_may_and_leaves_when_it_is_open(life: Life) -> None:
    source = Source("open")
    task = life.watch(source)
    await until(lambda: life.door.said)
    await asyncio.sleep(0.02)
    assert (source.begun, life.row["state"]) == (0, CameraState.CONNECTING)
    life.door.gate.granted()
    await until(lambda: life.row["state"] == CameraState.LIVE)
    assert life.door.said == [AskConnect(0), Connected(0)], "others may while this one runs"
    await cancelled(task)
    assert life.door.said == [AskConnect(0), Connected(0)]


@pytest.mark.parametrize("trouble", ["refuse", "raise"])
async def test_each_attempt_that_fails_leaves_before_the_next_asks(life: Life, trouble: str) -> None:
    source = Source(*[trouble] * 3, "hang")
    task = life.watch(source)
    for attempt in range(1, 5):
        await until(lambda attempt=attempt: len(life.door.said) == 2 * attempt - 1)
        life.door.gate.granted()
        await until(lambda attempt=attempt: source.begun == attempt)
    assert life.door.said == [AskConnect(0), Connected(0)] * 3 + [AskConnect(0)]
    await cancelled(task)
    assert life.door.said == [AskConnect(0), Connected(0)] * 4


async def test_a_camera_that_is_closed_while_it_waits_or_connects_leaves(life: Life) -> None:
    waiting = life.watch(Source("hang"))
    await until(lambda: life.door.said)
    await cancelled(waiting)
    assert life.door.said == [AskConnect(0), Connected(0)]

    source = Source("hang")
    life.door.said.clear()
    connecting = life.watch(source)
    await until(lambda: life.door.said)
    life.door.gate.granted()
    await until(lambda: source.begun)
    await cancelled(connecting)
    assert life.door.said == [AskConnect(0), Connected(0)]


async def test_many_cameras_at_one_node_all_get_their_turn_and_none_is_kept() -> None:
    """With the policy that a node uses, and cameras that are closed at any moment of it."""
    rng, admission = random.Random(7), Admission(per_host=2, per_node=3)
    gates: dict[str, _Gate] = {}
    most = turns = 0

    def hear(name: str, message: Any) -> None:
        nonlocal most
        if isinstance(message, AskConnect):
            granted = admission.ask(name, f"host{int(name) % 3}", 0, 0, 0.0)
        else:
            granted = admission.done(name, 0.0)
        most = max(most, admission.connecting)
        for grant in granted:
            asyncio.get_running_loop().call_soon(gates[grant.camera].granted)

    async def live(name: str) -> None:
        nonlocal turns
        while True:
            await gates[name].enter()
            try:
                turns += 1
                await asyncio.sleep(rng.uniform(0, 0.003))
            finally:
                gates[name].leave()
            await asyncio.sleep(rng.uniform(0, 0.003))

    for number in range(20):
        gates[str(number)] = _Gate(number, lambda each, n=number: hear(str(n), each), free=False)
    tasks = {name: asyncio.create_task(live(name)) for name in gates}
    for _ in range(100):
        name = rng.choice(list(tasks))
        await cancelled(tasks[name])
        tasks[name] = asyncio.create_task(live(name))
        await asyncio.sleep(rng.uniform(0, 0.004))
    await until(lambda: turns > 100)
    for task in tasks.values():
        await cancelled(task)
    assert 1 <= most <= 3
    assert (admission.connecting, admission.waiting) == (0, 0)
