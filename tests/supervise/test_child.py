"""A real worker process: started, spoken to, killed, started again."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from integration.harness import gone
from patience import PATIENCE_S
from vedette.supervise.child import Child
from vedette.workers.protocol import Channel, Ready, Start, Stop
from vedette.workers.table import Table


class Nest:
    """A camera worker without cameras, and what it needs."""

    def __init__(self) -> None:
        self.table = Table.create(1, 1)
        self.doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.child = Child("camera", "cameras-0")
        self.process: psutil.Process | None = None

    def spawn(self) -> None:
        self.child.spawn(Start(worker=0, cameras=1, workers=1), [self.table.fd, self.doorbell])
        self.process = psutil.Process(self.child.pid)

    def reap(self, at: float) -> None:
        """Once the process is over, however long that takes: whoever reaps waits but for a moment."""
        assert self.process is not None
        assert gone([self.process])
        self.child.reap(at)

    def close(self) -> None:
        self.child.kill()
        self.child.reap(0.0)
        os.close(self.table.fd)
        os.close(self.doorbell)


@pytest.fixture
def nest() -> Iterator[Nest]:
    nest = Nest()
    yield nest
    nest.close()


def hear(channel: Channel | None, seconds: float = PATIENCE_S) -> object:
    """The next message. Raises EOFError when there will be none."""
    assert channel is not None
    readable, _, _ = select.select([channel], [], [], seconds)
    assert readable, "nothing was said"
    heard = channel.receive()
    assert heard is not None
    return heard[0]


def test_making_a_child_starts_nothing(nest: Nest) -> None:
    assert not nest.child.alive
    assert nest.child.pid is None
    assert nest.child.exit_code is None
    assert not nest.child.send(Stop())


def test_a_worker_lives_dies_and_lives_again(nest: Nest) -> None:
    child = nest.child
    nest.spawn()
    first = child.pid
    assert isinstance(hear(child.channel), Ready)
    assert child.alive
    deadline = time.monotonic() + PATIENCE_S
    while not nest.table.beats[1]:
        assert time.monotonic() < deadline, "it beats in the shared table"
        time.sleep(0.01)

    child.kill("it hung")
    with pytest.raises(EOFError):
        hear(child.channel)
    nest.reap(12.5)
    assert not child.alive
    assert child.exit_code == -signal.SIGKILL
    assert list(child.deaths) == [12.5]
    assert child.kill_reason == "it hung"
    assert not child.send(Stop())

    nest.spawn()
    assert child.pid != first
    assert child.kill_reason == ""
    assert isinstance(hear(child.channel), Ready)
    assert child.send(Stop())
    with pytest.raises(EOFError):
        hear(child.channel)
    nest.reap(20.0)
    assert child.exit_code == 0


def test_a_worker_whose_node_is_gone_ends_by_itself(nest: Nest) -> None:
    nest.spawn()
    hear(nest.child.channel)
    assert nest.child.channel is not None
    nest.child.channel.close()
    nest.child.channel = None
    nest.reap(1.0)
    assert nest.child.exit_code == 0


def test_only_the_last_deaths_are_remembered(nest: Nest) -> None:
    for at in range(100):
        nest.child.reap(float(at))
    assert len(nest.child.deaths) == 16
    assert nest.child.deaths[-1] == 99.0
