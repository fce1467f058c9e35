"""A detector in a process of its own, spoken to as camera workers do: in time, late, or not at all."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.infer.load import DetectorSpec
from vedette.supervise.child import Child
from vedette.workers.inference_worker import ANSWER_WITHIN_S
from vedette.workers.protocol import (
    Begin,
    Cameras,
    Channel,
    Done,
    Drain,
    Drained,
    Fetch,
    Filled,
    Hello,
    Leave,
    Left,
    Link,
    Message,
    Ready,
    StartInference,
    Tried,
    Try,
    pair,
)
from vedette.workers.slots import Slots
from vedette.workers.table import Table

BOX = (10.0, 20.0, 50.0, 80.0)
CAMERAS = 4
LATE_S = 3 * ANSWER_WITHIN_S


class Rig:
    """The inference worker, two camera workers (the test plays both), and their cameras' rows."""

    stands_by = False

    def __init__(self) -> None:
        self.table = Table.create(CAMERAS, 2)
        self.table.rows["interval"], self.table.rows["max_age"] = 0.04, 1000.0
        self.doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.child = Child("inference", "inference-0")
        self.seq = 0
        self.spawn()

    def spawn(self) -> None:
        spec = DetectorSpec(python="vedette.testing:FakeDetector", options={"boxes": [BOX]})
        first_word = StartInference(
            CAMERAS, 2, msgspec.msgpack.encode(spec), batch=1, batch_within=None, stand_by=self.stands_by
        )
        self.child.spawn(first_word, [self.table.fd, self.doorbell])
        assert self.child.channel is not None
        message, _ = self.hear_from(self.child.channel)
        assert isinstance(message, Ready)

    def meet(self, worker: int, cameras: list[int]) -> Worker:
        one, other = pair()
        self.child.send(Link(worker, cameras), [other.fileno()])
        other.close()
        return Worker(self, worker, Channel(one))

    def hear_from(self, channel: Channel, seconds: float = PATIENCE_S) -> tuple[Any, list[int]]:
        readable, _, _ = select.select([channel], [], [], seconds)
        assert readable, "nothing was said"
        heard = channel.receive()
        assert heard is not None
        return heard

    def frame(self, *cameras: int) -> None:
        """Each of these has a new picture."""
        for camera in cameras:
            self.seq += 1
            row = self.table.rows[camera]
            row["newest_captured"] = time.monotonic()
            row["newest_seq"] = self.seq
        os.eventfd_write(self.doorbell, 1)

    def close(self) -> None:
        self.child.kill()
        self.child.reap(0.0)
        os.close(self.table.fd)
        os.close(self.doorbell)


class Worker:
    """A camera worker's side of a link."""

    def __init__(self, rig: Rig, number: int, channel: Channel) -> None:
        self.rig, self.number, self.channel = rig, number, channel
        self.alive()
        hello, fds = rig.hear_from(channel)
        assert isinstance(hello, Hello)
        self.slots = Slots(fds[0], hello.slots, hello.height, hello.width)

    def alive(self) -> None:
        # For as long as a test may take: who is slow here is not the worker.
        self.rig.table.beats[1 + self.number] = time.monotonic() + 1000.0

    def hear(self) -> Any:
        self.alive()
        return self.rig.hear_from(self.channel)[0]

    def fetch(self) -> Fetch:
        message = self.hear()
        assert isinstance(message, Fetch)
        return message

    def done(self) -> Done:
        message = self.hear()
        assert isinstance(message, Done)
        return message

    def say(self, message: Message) -> None:
        self.alive()
        assert self.channel.send(message)

    def fill(self, fetch: Fetch) -> None:
        self.slots[fetch.slot][:] = 100
        self.say(Filled(fetch.ticket, True))

    def serve(self, camera: int) -> None:
        """A frame's whole way, with an answer in time."""
        self.rig.frame(camera)
        fetch = self.fetch()
        assert fetch.camera == camera
        self.fill(fetch)
        assert self.done().ticket == fetch.ticket

    def silent(self, seconds: float) -> None:
        """Nothing is said to this worker; it goes on beating."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.alive()
            assert not select.select([self.channel], [], [], min(0.05, left))[0]


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def until(happened: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_frame_is_asked_for_detected_and_handed_back(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(1)
    fetch = worker.fetch()
    assert fetch.camera == 1
    worker.fill(fetch)
    done = worker.done()
    assert (done.ticket, done.camera, done.failed) == (fetch.ticket, 1, None)
    assert np.frombuffer(done.xyxy, np.float32).tolist() == list(BOX)
    assert done.names == ["thing"]
    worker.silent(0.3)  # nobody has a new frame
    assert (rig.table.header["batches"], rig.table.header["inferred"]) == (1, 1)


def test_an_answer_that_comes_too_late_is_a_batch_of_its_own(rig: Rig) -> None:
    worker = rig.meet(0, [0])
    rig.frame(0)
    fetch = worker.fetch()
    worker.silent(LATE_S)
    worker.fill(fetch)
    done = worker.done()
    assert (done.ticket, done.camera, done.failed) == (fetch.ticket, 0, None)
    assert np.frombuffer(done.xyxy, np.float32).tolist() == list(BOX)
    worker.serve(0)


def test_a_camera_that_answers_late_holds_up_no_other(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(0)
    late = worker.fetch()
    for _ in range(10):
        worker.serve(1)  # each of these has to wait for the late one at most once
    rig.frame(0)
    worker.silent(LATE_S)  # it is not asked again before it has answered
    worker.fill(late)
    # It is asked for its newest frame as soon as that; which of the two comes first is nobody's business.
    heard = [worker.hear(), worker.hear()]
    (fetch,) = [each for each in heard if isinstance(each, Fetch)]
    (done,) = [each for each in heard if isinstance(each, Done)]
    assert (fetch.camera, done.ticket) == (0, late.ticket)
    worker.fill(fetch)
    assert worker.done().ticket == fetch.ticket


@pytest.mark.parametrize("filled", [True, False])
def test_the_slots_of_late_answers_are_used_again(rig: Rig, filled: bool) -> None:
    worker = rig.meet(0, [0])
    used = set()
    for _ in range(worker.slots.count + 2):
        rig.frame(0)
        fetch = worker.fetch()
        used.add(fetch.slot)
        worker.silent(ANSWER_WITHIN_S * 1.5)
        worker.say(Filled(fetch.ticket, filled))
        if filled:
            assert worker.done().ticket == fetch.ticket
    for _ in range(2 * worker.slots.count):
        worker.serve(0)
    assert len(used) <= worker.slots.count


def test_a_slot_is_nobody_elses_while_its_answer_is_still_to_come(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(0)
    late = worker.fetch()
    for _ in range(2 * worker.slots.count):
        rig.frame(1)
        fetch = worker.fetch()
        assert fetch.slot != late.slot
        worker.fill(fetch)
        worker.done()
    worker.fill(late)
    assert worker.done().ticket == late.ticket


def test_a_worker_that_hangs_is_left_alone_and_the_others_are_served(rig: Rig) -> None:
    hung, other = rig.meet(0, [0, 1]), rig.meet(1, [2, 3])
    rig.frame(0)
    fetch = hung.fetch()
    rig.table.beats[1] = time.monotonic() - 5.0  # no sign of life
    time.sleep(LATE_S)
    rig.frame(1)
    for _ in range(5):
        other.serve(2)
        other.serve(3)
    assert not select.select([hung.channel], [], [], LATE_S)[0], "none of its cameras takes up another slot"
    hung.fill(fetch)  # it is back
    heard = [hung.hear(), hung.hear()]
    assert sorted(type(each).__name__ for each in heard) == ["Done", "Fetch"]
    assert {each.camera for each in heard if isinstance(each, Fetch)} == {1}


def test_a_worker_that_dies_with_late_answers_takes_no_slots_along(rig: Rig) -> None:
    other = rig.meet(1, [2])
    for _ in range(other.slots.count + 2):
        dying = rig.meet(0, [0])
        rig.frame(0)
        dying.fetch()
        time.sleep(ANSWER_WITHIN_S * 1.2)
        dying.channel.close()
        other.serve(2)
    worker = rig.meet(0, [0])
    for _ in range(other.slots.count + 2):
        worker.serve(0)


def test_a_camera_that_moved_is_asked_for_again_when_its_worker_before_is_gone(rig: Rig) -> None:
    before, after = rig.meet(0, [0]), rig.meet(1, [1])
    for _ in range(before.slots.count + 2):
        rig.frame(0)
        before.fetch()
        time.sleep(ANSWER_WITHIN_S * 1.2)
        # It never answers, and the camera is another's by the time it ends.
        rig.child.send(Cameras(1, [0]))
        before.channel.close()
        after.fill(after.fetch())  # the same picture, of whoever has it now
        after.done()
        after.serve(1)
        after.serve(0)
        before = rig.meet(0, [0])


def test_what_was_found_is_told_to_the_worker_that_gave_the_picture(rig: Rig) -> None:
    before, after = rig.meet(0, [0]), rig.meet(1, [1])
    rig.frame(0)
    fetch = before.fetch()
    rig.child.send(Cameras(1, [0]))
    before.fill(fetch)
    assert before.done().ticket == fetch.ticket
    assert after.fetch().ticket != fetch.ticket


def test_an_answer_that_nobody_waits_for_changes_nothing(rig: Rig) -> None:
    worker = rig.meet(0, [0])
    for ticket in (-1, 0, 2**62):
        worker.say(Filled(ticket, True))
        worker.say(Filled(ticket, False))
    rig.frame(0)
    fetch = worker.fetch()
    worker.fill(fetch)
    worker.say(Filled(fetch.ticket, True))  # twice
    assert worker.done().ticket == fetch.ticket
    worker.silent(0.2)
    worker.serve(0)
    assert rig.child.alive


def test_large_pictures_are_batches_of_their_own_and_the_others_do_not_wait(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1, 2, 3])
    rig.table.rows["decode_s"][[0, 1]] = 0.02
    for _ in range(2 * worker.slots.count):
        rig.frame(0, 1)
        asked = [worker.fetch(), worker.fetch()]
        assert {fetch.camera for fetch in asked} == {0, 1}
        rig.frame(2)
        small = worker.fetch()
        assert small.camera == 2
        worker.fill(small)
        assert worker.done().ticket == small.ticket
        for fetch in reversed(asked):
            worker.fill(fetch)
        assert {worker.done().ticket, worker.done().ticket} == {fetch.ticket for fetch in asked}
    worker.silent(0.2)


class StandingBy(Rig):
    stands_by = True


def rings_left(rig: Rig) -> int:
    try:
        return os.eventfd_read(rig.doorbell)
    except BlockingIOError:
        return 0


def test_only_the_detector_that_asks_for_frames_hears_the_doorbell() -> None:
    rig = StandingBy()
    try:
        assert rig.child.channel is not None
        # It stands by: another one has the same doorbell, and would sleep through what this one takes.
        os.eventfd_write(rig.doorbell, 1)
        rig.child.send(Try([]))
        assert isinstance(rig.hear_from(rig.child.channel)[0], Tried)
        assert rings_left(rig) == 1
        rig.child.send(Begin())
        worker = rig.meet(0, [0])
        rig.frame(0)
        worker.fill(worker.fetch())
        worker.done()
        # It has handed over.
        rig.child.send(Drain())
        assert isinstance(rig.hear_from(rig.child.channel)[0], Drained)
        rings_left(rig)
        os.eventfd_write(rig.doorbell, 1)
        rig.child.send(Try([]))
        assert isinstance(rig.hear_from(rig.child.channel)[0], Tried)
        assert rings_left(rig) == 1
    finally:
        rig.close()


def left(rig: Rig) -> Left:
    assert rig.child.channel is not None
    message, _ = rig.hear_from(rig.child.channel)
    assert isinstance(message, Left)
    return message


def test_a_camera_that_another_detector_is_to_have_is_let_go_of_when_its_frame_is_done(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(0)
    fetch = worker.fetch()
    rig.child.send(Leave(7, [0]))
    worker.fill(fetch)
    done = worker.done()
    assert (done.ticket, done.camera, done.detector) == (fetch.ticket, 0, 0)
    assert left(rig) == Left(7)
    rig.frame(0)
    worker.silent(0.3)
    worker.serve(1)
    rig.child.send(Cameras(0, [0], level=True))
    assert worker.fetch().camera == 0, "it is its own again"


def test_a_picture_that_does_not_come_holds_up_the_other_detector_for_a_moment_only(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(0)
    late = worker.fetch()
    rig.child.send(Leave(8, [0]))
    assert left(rig) == Left(8)
    worker.fill(late)
    assert worker.done().ticket == late.ticket, "whoever fetched it, ends it"
    rig.frame(0)
    worker.silent(0.3)
    worker.serve(1)


def test_a_frame_of_another_camera_that_does_not_come_holds_up_nobody(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(1)
    worker.fetch()
    worker.silent(LATE_S)
    rig.child.send(Leave(9, [0]))
    assert left(rig) == Left(9)


def test_cameras_are_taken_back_before_they_were_let_go_of(rig: Rig) -> None:
    worker = rig.meet(0, [0, 1])
    rig.frame(0)
    fetch = worker.fetch()
    rig.child.send(Leave(10, [0]))
    rig.child.send(Cameras(0, [0]))
    worker.fill(fetch)
    assert worker.done().ticket == fetch.ticket
    worker.serve(0)


def test_a_camera_that_comes_from_another_detector_neither_owes_nor_is_owed(rig: Rig) -> None:
    rig.table.rows["served"][:3] = [0.0, 500.0, 502.0]
    worker = rig.meet(0, [1, 2])
    rig.child.send(Cameras(0, [0], level=True))
    rig.frame(0)
    worker.fill(worker.fetch())
    worker.done()
    assert 500.0 <= rig.table.rows["served"][0] <= 503.0
