"""What is said to a worker that does not read now: kept, in order, and nothing of it is lost or leaks."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator

import msgspec
import psutil
import pytest

from integration.harness import gone
from patience import PATIENCE_S
from vedette.settings import CameraSettings
from vedette.supervise.child import Child
from vedette.workers.protocol import (
    AddCamera,
    Channel,
    Fetch,
    Filled,
    Link,
    Message,
    MessageTooLong,
    Output,
    Ready,
    RemoveCamera,
    Start,
    Stop,
    pair,
)
from vedette.workers.table import CameraState, Table

CAMERAS = 4


class Nest:
    """A camera worker in a process of its own, and what it needs."""

    def __init__(self) -> None:
        self.table = Table.create(CAMERAS, 1)
        self.doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.child = Child("camera", "cameras-0")
        self.process: psutil.Process | None = None

    def spawn(self, first_word: Message | None = None) -> None:
        first_word = first_word or Start(worker=0, cameras=CAMERAS, workers=1)
        self.child.spawn(first_word, [self.table.fd, self.doorbell])
        self.process = psutil.Process(self.child.pid)

    def ready(self) -> None:
        self.spawn()
        assert isinstance(self.hear(), Ready)
        self.child.ready = True

    def hear(self, seconds: float = PATIENCE_S) -> object:
        """The next message. Raises EOFError when there will be none."""
        assert self.child.channel is not None
        readable, _, _ = select.select([self.child.channel], [], [], seconds)
        assert readable, "nothing was said"
        heard = self.child.channel.receive()
        assert heard is not None
        return heard[0]

    def signal(self, number: signal.Signals) -> None:
        assert self.child.pid is not None
        os.kill(self.child.pid, number)

    def state(self, index: int) -> CameraState:
        return CameraState(int(self.table.rows["state"][index]))

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


def until(happened: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def descriptors() -> int:
    return int(psutil.Process().num_fds())


def filler() -> Output:
    """Means nothing to a worker, and is as long as a message may be on any machine."""
    return Output(0, 0, 0, 0.0, 0.0, 0.0, 0, 0, bytes(100_000), b"", b"", b"", [])


def fill(child: Child) -> int:
    """Say things until the worker takes no more; how many were said."""
    said = 0
    while not child.waiting:
        assert child.send(filler())
        said += 1
        assert said < 1000
    return said


def test_what_a_worker_does_not_read_waits_and_is_sent_in_order_when_it_reads(nest: Nest) -> None:
    nest.ready()
    child = nest.child
    nest.signal(signal.SIGSTOP)
    fill(child)
    # Only in this order do they leave each camera so.
    for state in (CameraState.WAITING, CameraState.PAUSED, CameraState.REMOVED):
        for index in range(CAMERAS):
            assert child.send(RemoveCamera(index, state))
    assert child.waiting >= 3 * CAMERAS
    child.flush()
    assert child.waiting >= 3 * CAMERAS, "it still takes nothing"
    nest.signal(signal.SIGCONT)

    def told() -> bool:
        child.flush()
        return not child.waiting

    until(told)
    until(lambda: all(nest.state(index) is CameraState.REMOVED for index in range(CAMERAS)))
    assert child.send(Stop())
    with pytest.raises(EOFError):
        nest.hear()
    assert not child.waiting


def test_a_descriptor_that_waits_is_our_own_copy_and_is_closed_when_it_is_sent(nest: Nest) -> None:
    nest.ready()
    child = nest.child
    nest.signal(signal.SIGSTOP)
    fill(child)
    before = descriptors()
    one, other = pair()
    assert child.send(Link(0, []), [one.fileno()])
    one.close()  # as the node does: it does not wait for the worker either
    assert descriptors() == before + 2
    nest.signal(signal.SIGCONT)

    def told() -> bool:
        child.flush()
        return not child.waiting

    until(told)
    assert descriptors() == before + 1, "only the other end is left"
    # The worker has it: it answers a detector there, and hangs up when it ends.
    link = Channel(other)
    assert link.send(Fetch(7, 0, 0, 96, 160))
    assert select.select([link], [], [], PATIENCE_S)[0]
    assert link.receive() == (Filled(7, False), [])
    assert child.send(Stop())
    assert select.select([link], [], [], PATIENCE_S)[0]
    with pytest.raises(EOFError):
        link.receive()
    link.close()


def test_descriptors_that_were_never_sent_are_closed_when_the_worker_is_gone(nest: Nest) -> None:
    nest.ready()
    child = nest.child
    nest.signal(signal.SIGSTOP)
    fill(child)
    before = descriptors()
    one, other = pair()
    for _ in range(10):
        assert child.send(Link(0, []), [one.fileno()])
    assert descriptors() == before + 12
    child.kill("it hangs")
    nest.reap(1.0)
    assert not child.waiting
    one.close()
    other.close()
    assert descriptors() == before - 1, "nor is its channel left"
    assert not child.send(Stop())


def test_a_worker_that_is_replaced_is_not_told_what_the_one_before_it_did_not_hear(nest: Nest) -> None:
    nest.ready()
    child = nest.child
    nest.signal(signal.SIGSTOP)
    fill(child)
    for index in range(CAMERAS):
        child.send(RemoveCamera(index, CameraState.REMOVED))
    child.kill("it hangs")
    nest.reap(1.0)
    nest.ready()
    child.send(RemoveCamera(0, CameraState.PAUSED))
    until(lambda: nest.state(0) is CameraState.PAUSED)
    assert all(nest.state(index) is CameraState.ABSENT for index in range(1, CAMERAS))


def test_a_message_that_is_too_long_is_refused_and_the_worker_goes_on(nest: Nest) -> None:
    nest.ready()
    child = nest.child
    before = descriptors()
    for size in (1 << 20, 20 << 20):
        with pytest.raises(MessageTooLong):
            child.send(AddCamera(0, "gate", bytes(size)))
        with pytest.raises(MessageTooLong):
            child.send(AddCamera(0, "gate", bytes(size)), [nest.doorbell])
        assert not child.waiting, "what can never be sent must not hold up what can"
        assert descriptors() == before
    child.flush()
    child.send(RemoveCamera(0, CameraState.PAUSED))
    until(lambda: nest.state(0) is CameraState.PAUSED)
    assert child.alive


def test_a_message_that_is_too_long_waits_for_nothing_and_holds_up_nothing(nest: Nest) -> None:
    """Everything else waits for the worker to read again; this would wait for ever."""
    nest.ready()
    child = nest.child
    nest.signal(signal.SIGSTOP)
    fill(child)
    with pytest.raises(MessageTooLong):
        child.send(AddCamera(0, "gate", bytes(2 << 20)))
    child.send(RemoveCamera(0, CameraState.PAUSED))
    nest.signal(signal.SIGCONT)

    def told() -> bool:
        child.flush()
        return not child.waiting

    until(told)
    until(lambda: nest.state(0) is CameraState.PAUSED)


def test_starts_that_failed_are_counted_until_one_succeeds(nest: Nest) -> None:
    child = nest.child
    assert child.failed_starts == 0
    for failed in (1, 2):
        nest.spawn(Stop())  # no worker begins with that
        with pytest.raises(EOFError):
            nest.hear()
        nest.reap(float(failed))
        assert child.failed_starts == failed
        assert child.exit_code == 1
    nest.ready()
    assert child.failed_starts == 2, "it is not over yet"
    child.kill()
    nest.reap(3.0)
    assert child.failed_starts == 0
    assert list(child.deaths) == [1.0, 2.0, 3.0]


def test_a_camera_that_waited_to_be_told_of_is_watched(nest: Nest) -> None:
    nest.ready()
    child = nest.child
    nest.signal(signal.SIGSTOP)
    fill(child)
    settings = CameraSettings(name="clip", url="/nowhere.mp4")
    child.send(AddCamera(2, "clip", msgspec.msgpack.encode(settings)))
    nest.signal(signal.SIGCONT)

    def tried() -> bool:
        child.flush()
        return nest.state(2) is CameraState.FINISHED

    until(tried)
