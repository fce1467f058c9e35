"""A candidate in a process of its own, spoken to as the node and a camera worker do."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest

from patience import PATIENCE_S
from vedette.infer.load import DetectorSpec
from vedette.supervise.child import Child
from vedette.workers.protocol import (
    Busy,
    Channel,
    Compared,
    Freed,
    Hello,
    LinkShadow,
    Message,
    Ready,
    Shown,
    StartShadow,
    Stop,
    pair,
)
from vedette.workers.shadow_worker import SLOTS
from vedette.workers.slots import Slots
from vedette.workers.table import Table

FAKE = "vedette.testing:FakeDetector"
BOX = [10.0, 20.0, 50.0, 80.0]
ELSEWHERE = [100.0, 20.0, 140.0, 80.0]


class Rig:
    """The shadow worker and its table; the test plays node and camera worker."""

    def __init__(self, **options: Any) -> None:
        self.table = Table.create(4, 1)
        self.child = Child("shadow", "shadow-0")
        spec = DetectorSpec(python=FAKE, options={"input_size": [96, 160], **options})
        self.child.spawn(StartShadow(4, 1, msgspec.msgpack.encode(spec)), [self.table.fd])
        assert self.child.channel is not None
        self.node = self.child.channel

    def meet(self) -> None:
        assert isinstance(self.hear(self.node), Ready)
        one, other = pair()
        self.child.send(LinkShadow(0), [other.fileno()])
        other.close()
        self.link = Channel(one)
        hello, fds = self._heard(self.link)
        assert isinstance(hello, Hello)
        self.slots = Slots(fds[0], hello.slots, hello.height, hello.width)

    def hear(self, channel: Channel) -> Any:
        return self._heard(channel)[0]

    def _heard(self, channel: Channel) -> tuple[Any, list[int]]:
        readable, _, _ = select.select([channel], [], [], PATIENCE_S)
        assert readable, "nothing was said"
        heard = channel.receive()
        assert heard is not None
        return heard

    def show(self, slot: int, index: int, *boxes: list[float], at: float = 1.0) -> None:
        """A frame of twice the candidate's size, in which these were found."""
        self.slots[slot][:] = 100
        xyxy = np.array(boxes, np.float32).reshape(-1, 4) * 2
        names = ["thing"] * len(boxes)
        self.say(Shown(slot, index, at, 320, 192, xyxy.tobytes(), names))

    def say(self, message: Message) -> None:
        assert self.link.send(message)

    def freed(self) -> int:
        message = self.hear(self.link)
        assert isinstance(message, Freed)
        return message.slot

    def compared(self) -> Compared:
        message = self.hear(self.node)
        assert isinstance(message, Compared)
        return message

    def close(self) -> None:
        self.child.kill()
        self.child.reap(0.0)
        os.close(self.table.fd)


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def build(**options: Any) -> Rig:
        rigs.append(Rig(**options))
        return rigs[-1]

    yield build
    for rig in rigs:
        rig.close()


def test_it_says_what_both_have_and_whose_the_others_are(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(boxes=[BOX])
    rig.meet()
    told = []
    for boxes in ([BOX], [ELSEWHERE], [BOX, ELSEWHERE], []):
        rig.show(0, 2, *boxes, at=float(len(told)))
        found = rig.compared()
        assert (found.index, found.captured_at, found.failed) == (2, len(told), "")
        assert found.took > 0
        told.append((found.both, found.only_running, found.only_candidate))
        assert rig.freed() == 0
    assert told == [(1, 0, 0), (0, 1, 1), (1, 1, 0), (0, 0, 1)]


def test_it_lets_everybody_else_go_first(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.meet()
    process = psutil.Process(rig.child.pid)
    assert process.nice() == 19
    assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
    for thread in process.threads():
        assert os.sched_getscheduler(thread.id) == os.SCHED_IDLE


def test_while_it_is_busy_only_the_newest_of_a_camera_waits(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(boxes=[BOX], seconds=0.5)
    rig.meet()
    rig.show(0, 0, BOX, at=1.0)
    until(lambda: rig.table.header["shadow_began"] > 0)
    for slot in range(1, SLOTS):
        rig.show(slot, 1, BOX, at=1.0 + slot)
    assert [rig.freed() for _ in range(SLOTS - 2)] == list(range(1, SLOTS - 1))
    assert rig.table.rows["shadow_superseded"].tolist() == [0, SLOTS - 2, 0, 0]
    assert [rig.compared().captured_at for _ in range(2)] == [1.0, float(SLOTS)]


def test_one_that_raises_says_so_and_goes_on(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(boxes=[BOX], raises_every=2)  # the first call warms it up
    rig.meet()
    rig.show(0, 0, BOX)
    assert "call 2 fails on purpose" in rig.compared().failed
    rig.show(0, 0, BOX)
    assert rig.compared().both == 1


def test_one_that_cannot_be_made_says_why(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(no_such_option=1)
    message = rig.hear(rig.node)
    assert isinstance(message, Busy)
    assert "no_such_option" in message.message


def test_it_beats_while_the_candidate_hangs_and_says_since_when(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(hangs_after=2)
    rig.meet()
    rig.show(0, 0)
    until(lambda: rig.table.header["shadow_began"] > 0)
    beat = float(rig.table.header["shadow_beat"])
    until(lambda: rig.table.header["shadow_beat"] > beat)
    rig.child.send(Stop())
    until(lambda: not rig.child.alive)


def test_a_camera_worker_that_is_gone_is_forgotten_and_another_one_is_served(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(boxes=[BOX], seconds=0.2)
    rig.meet()
    rig.show(0, 0, BOX)
    rig.show(1, 1, BOX)
    rig.link.close()
    one, other = pair()
    rig.child.send(LinkShadow(0), [other.fileno()])
    other.close()
    rig.link = Channel(one)
    hello, fds = rig._heard(rig.link)
    rig.slots = Slots(fds[0], hello.slots, hello.height, hello.width)
    rig.show(2, 3, BOX, at=9.0)
    while rig.compared().captured_at != 9.0:
        pass
    assert rig.freed() == 2


def test_it_ends_with_its_node(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    rig.meet()
    rig.node.close()
    until(lambda: not rig.child.alive)


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
