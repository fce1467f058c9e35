"""A frame that grew too old in front of the detector is not looked at: it comes back, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from patience import PATIENCE_S
from vedette.infer.load import DetectorSpec
from vedette.workers.protocol import Done, Fetch, Filled, Ready, StartInference
from workers.test_inference_worker import BOX, CAMERAS, LATE_S, Rig, Worker

TAKES_S = 0.4


class SlowRig(Rig):
    """The detector takes its time, and takes up to ``batch`` frames."""

    batch = 1
    options: dict[str, Any] = {"boxes": [BOX], "seconds": TAKES_S}  # noqa: RUF012

    def spawn(self) -> None:
        spec = DetectorSpec(python="vedette.testing:FakeDetector", options=self.options)
        first_word = StartInference(
            CAMERAS, 2, msgspec.msgpack.encode(spec), batch=self.batch, batch_within=None
        )
        self.child.spawn(first_word, [self.table.fd, self.doorbell])
        assert self.child.channel is not None
        message, _ = self.hear_from(self.child.channel)
        assert isinstance(message, Ready)


class PairRig(SlowRig):
    batch = 2


class ShrinkingRig(SlowRig):
    options: dict[str, Any] = {"input_size": [96, 160], "smaller": [[48, 80]], "boxes": [BOX]}  # noqa: RUF012


@pytest.fixture
def rig_of() -> Iterator[Callable[[type[Rig]], Rig]]:
    rigs: list[Rig] = []

    def build(kind: type[Rig]) -> Rig:
        rigs.append(kind())
        return rigs[-1]

    yield build
    for rig in rigs:
        rig.close()


def fill(worker: Worker, fetch: Fetch, within: float) -> None:
    worker.say(Filled(fetch.ticket, True, time.monotonic() + within))


def collect(worker: Worker, tickets: set[int]) -> dict[int, Done]:
    found = {}
    while set(found) != tickets:
        done = worker.hear()
        assert isinstance(done, Done)
        found[done.ticket] = done
    return found


def test_a_frame_whose_deadline_passes_in_the_queue_is_not_looked_at(
    rig_of: Callable[[type[Rig]], Rig],
) -> None:
    rig = rig_of(SlowRig)
    worker = rig.meet(0, [0, 1])
    rig.frame(0)
    first = worker.fetch()
    at = time.monotonic()
    fill(worker, first, 1000.0)
    time.sleep(0.05)  # the detector is at it
    rig.frame(1)
    second = worker.fetch()
    # Over before the detector can be free again, however late this is said.
    worker.say(Filled(second.ticket, True, at + TAKES_S / 2))
    found = collect(worker, {first.ticket, second.ticket})
    assert not found[first.ticket].expired
    assert np.frombuffer(found[first.ticket].xyxy, np.float32).tolist() == list(BOX)
    assert (found[second.ticket].expired, found[second.ticket].xyxy) == (True, b"")
    assert found[second.ticket].failed is None
    assert (rig.table.header["batches"], rig.table.header["inferred"]) == (1, 1)
    # Its slot is free again, and the next frames have their way.
    for _ in range(worker.slots.count):
        rig.frame(1)
        fetch = worker.fetch()
        fill(worker, fetch, -1.0)
        assert worker.done().expired
    rig.frame(0)
    fetch = worker.fetch()
    fill(worker, fetch, 1000.0)
    assert not worker.done().expired


def test_in_a_batch_each_frame_has_its_own_deadline(rig_of: Callable[[type[Rig]], Rig]) -> None:
    rig = rig_of(PairRig)
    worker = rig.meet(0, [0, 1, 2, 3])
    for _ in range(3):
        rig.frame(0, 1)
        tickets: dict[int, int] = {}
        while len(tickets) < 2:
            fetch = worker.fetch()
            tickets[fetch.camera] = fetch.ticket
            fill(worker, fetch, 1000.0 if fetch.camera else -0.1)
        found = collect(worker, set(tickets.values()))
        assert found[tickets[0]].expired
        assert not found[tickets[1]].expired
        assert np.frombuffer(found[tickets[1]].xyxy, np.float32).tolist() == list(BOX)


def test_an_answer_that_comes_late_and_past_its_deadline_is_not_looked_at(
    rig_of: Callable[[type[Rig]], Rig],
) -> None:
    rig = rig_of(SlowRig)
    worker = rig.meet(0, [0])
    rig.frame(0)
    fetch = worker.fetch()
    worker.silent(LATE_S)
    fill(worker, fetch, -0.05)
    done = worker.done()
    assert (done.ticket, done.expired) == (fetch.ticket, True)
    assert rig.table.header["inferred"] == 0


def test_a_batch_that_was_asked_for_in_one_size_is_looked_at_in_it(
    rig_of: Callable[[type[Rig]], Rig],
) -> None:
    rig = rig_of(ShrinkingRig)
    header = rig.table.header
    worker = rig.meet(0, [0])
    assert (header["smaller"], header["size"]) == (1, 0)
    rig.frame(0)
    before = worker.fetch()
    assert (before.height, before.width) == (96, 160)
    header["wanted_size"] = 1
    deadline = time.monotonic() + PATIENCE_S
    while header["size"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    worker.say(Filled(before.ticket, True))  # late by now, and large
    done = worker.done()
    assert np.frombuffer(done.xyxy, np.float32).tolist() == list(BOX)
    rig.frame(0)
    after = worker.fetch()
    assert (after.height, after.width) == (48, 80)
    worker.say(Filled(after.ticket, True))
    done = worker.done()
    assert np.frombuffer(done.xyxy, np.float32).tolist() == [5.0, 10.0, 25.0, 40.0]


def test_a_detector_that_is_started_anew_takes_the_size_that_was_wanted(
    rig_of: Callable[[type[Rig]], Rig],
) -> None:
    rig = rig_of(ShrinkingRig)
    header = rig.table.header
    header["wanted_size"] = 1
    deadline = time.monotonic() + PATIENCE_S
    while header["size"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    rig.child.kill()
    rig.child.reap(0.0)
    rig.spawn()
    assert header["size"] in (0, 1)
    while header["size"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
