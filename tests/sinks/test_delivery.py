"""A sink can only hurt itself: slow, broken, raising or hanging ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from patience import PATIENCE_S
from sinks.sink_results import result
from vedette.results import Result
from vedette.sinks.callback import CallbackSink
from vedette.sinks.delivery import Delivery
from vedette.sinks.sink import SinkGone, SinkUnavailable


class Recorder:
    """A sink in memory. ``fails`` is raised by that many writes; ``gate`` holds writes up."""

    def __init__(self, *fails: Exception) -> None:
        self.fails = list(fails)
        self.gate = threading.Event()
        self.gate.set()
        self.seqs: list[int] = []
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1

    def write(self, results: Sequence[Result]) -> None:
        self.gate.wait(PATIENCE_S)
        if self.fails:
            raise self.fails.pop(0)
        self.seqs += [each.seq for each in results]

    def close(self) -> None:
        self.closed += 1


def until(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def started(sink: Recorder, **settings: object) -> tuple[Delivery, list[str]]:
    told: list[str] = []
    delivery = Delivery(sink, name="x", report=told.append, first_retry_s=0.01, **settings)  # type: ignore[arg-type]
    delivery.start()
    return delivery, told


def test_results_arrive_in_order_and_none_is_lost_at_the_end() -> None:
    sink = Recorder()
    delivery, told = started(sink)
    for seq in range(500):
        delivery.put(result(seq))
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs == list(range(500))
    assert (delivery.delivered.put, delivery.delivered.written, delivery.delivered.waiting) == (500, 500, 0)
    assert (told, sink.closed) == ([], 1)


def test_a_slow_sink_keeps_the_newest_and_the_dropped_are_counted() -> None:
    sink = Recorder()
    sink.gate.clear()
    delivery, told = started(sink, capacity=10)
    delivery.put(result(0))
    until(lambda: delivery.delivered.waiting == 1 and sink.opened == 1)
    for seq in range(1, 31):
        delivery.put(result(seq))
    assert delivery.delivered.waiting <= 11
    sink.gate.set()
    until(lambda: delivery.delivered.waiting == 0)
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs[-10:] == list(range(21, 31))
    counts = delivery.delivered
    assert counts.written + counts.dropped == counts.put == 31
    assert counts.dropped >= 20
    assert any("gave way to newer ones" in line for line in told)


def test_results_that_are_kept_are_never_dropped_and_say_when_they_are_taken() -> None:
    sink = Recorder()
    sink.gate.clear()
    delivery, _ = started(sink, capacity=2, keeps=lambda each: each.camera == "file")
    taken: list[int] = []
    for seq in range(20):
        delivery.put(result(seq, "file"), lambda seq=seq: taken.append(seq))  # type: ignore[misc]
        delivery.put(result(1000 + seq, "live"))
    sink.gate.set()
    delivery.close(within_s=PATIENCE_S)
    assert [seq for seq in sink.seqs if seq < 1000] == list(range(20)) == taken


def test_waiting_for_room_holds_the_producer_back() -> None:
    sink = Recorder()
    sink.gate.clear()
    delivery, _ = started(sink, capacity=2)

    def produce() -> None:
        for seq in range(200):
            delivery.put(result(seq), wait=True)

    producer = threading.Thread(target=produce)
    producer.start()
    until(lambda: delivery.delivered.waiting >= 3)
    assert delivery.delivered.put < 10
    sink.gate.set()
    producer.join(PATIENCE_S)
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs == list(range(200))


def test_a_sink_that_is_unavailable_is_reopened_and_loses_nothing() -> None:
    sink = Recorder(SinkUnavailable("disk full"), SinkUnavailable("disk full"))
    delivery, told = started(sink)
    for seq in range(5):
        delivery.put(result(seq))
    until(lambda: delivery.delivered.written == 5)
    delivery.close()
    assert sink.seqs == list(range(5))
    assert sink.opened == 3
    assert told == ["sink x: disk full; trying again"]


def test_a_sink_that_is_gone_takes_nothing_and_holds_nobody_up() -> None:
    sink = Recorder(SinkGone("closed"))
    delivery, told = started(sink, keeps=lambda _: True)
    taken: list[int] = []
    for seq in range(5):
        delivery.put(result(seq), lambda: taken.append(1))
    until(lambda: len(taken) == 5)
    assert delivery.delivered.failed == 5
    assert delivery.gone
    assert told == ["sink x: closed"]
    delivery.close()


def test_a_sink_that_raises_anything_loses_that_batch_only() -> None:
    sink = Recorder(ZeroDivisionError("rtsp://me:hunter2@h/x"))
    delivery, told = started(sink)
    delivery.put(result(0))
    until(lambda: delivery.delivered.failed == 1)
    delivery.put(result(1))
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs == [1]
    assert told == ["sink x: broke on 1 results: ZeroDivisionError: rtsp://***@h/x"]


def test_a_sink_that_hangs_does_not_hold_up_the_end() -> None:
    sink = Recorder()
    sink.gate.clear()
    delivery, _ = started(sink)
    for seq in range(100):
        delivery.put(result(seq))
    delivery.close(within_s=0.1)
    delivery.put(result(100))
    counts = delivery.delivered
    assert counts.written == 0
    assert counts.put == counts.dropped + counts.waiting == 101
    sink.gate.set()


def test_one_that_was_never_started_can_be_closed() -> None:
    Delivery(Recorder(), name="x", report=print).close()


def test_a_callback_that_raises_costs_one_result() -> None:
    seen: list[int] = []
    told: list[str] = []

    def function(each: Result) -> None:
        if each.seq % 2:
            raise KeyError(each.seq % 2)
        seen.append(each.seq)

    sink = CallbackSink(function, told.append)
    sink.write([result(seq) for seq in range(6)])
    assert seen == [0, 2, 4]
    assert sink.failed == 3
    assert told == ["on_result raised KeyError: 1"]


@pytest.mark.parametrize("capacity", [1, 7])
def test_many_producers_lose_count_of_nothing(capacity: int) -> None:
    sink = Recorder()
    delivery, _ = started(sink, capacity=capacity)
    producers = [
        threading.Thread(target=lambda: [delivery.put(result(seq)) for seq in range(300)]) for _ in range(4)
    ]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    delivery.close(within_s=PATIENCE_S)
    counts = delivery.delivered
    assert counts.put == 1200 == counts.written + counts.dropped
    assert counts.written == len(sink.seqs)
