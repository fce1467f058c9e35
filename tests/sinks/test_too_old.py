"""A sink that shows the present is given nothing from the past; one that keeps a record is given all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from integration.harness import json_lines
from patience import PATIENCE_S
from sinks.sink_results import result
from sinks.test_delivery import Recorder, started, until
from vedette.config import Config
from vedette.results import Result
from vedette.sinks.open import deliveries_of


class Old:
    """Says which results are too old, and which it was asked about."""

    def __init__(self, *seqs: int) -> None:
        self.seqs, self.asked = set(seqs), list[int]()

    def __call__(self, found: Result) -> bool:
        self.asked.append(found.seq)
        return found.seq in self.seqs


def test_results_that_grew_too_old_are_left_out_and_counted() -> None:
    sink, old = Recorder(), Old(1, 2, 5)
    delivery, told = started(sink, too_old=old)
    for seq in range(8):
        delivery.put(result(seq))
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs == [0, 3, 4, 6, 7]
    counts = delivery.delivered
    assert (counts.put, counts.written, counts.expired, counts.dropped) == (8, 5, 3, 0)
    assert told == []


def test_each_is_asked_about_when_the_sink_is_free_for_it() -> None:
    sink, old = Recorder(), Old()
    sink.gate.clear()
    delivery, _ = started(sink, too_old=old)
    for seq in range(5):
        delivery.put(result(seq))
    until(lambda: old.asked == [0] and delivery.delivered.waiting == 5)
    old.seqs |= {1, 2, 3}  # while the sink was busy with the first
    sink.gate.set()
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs == [0, 4]
    assert delivery.delivered.expired == 3


def test_results_that_are_kept_are_never_too_old() -> None:
    sink, taken = Recorder(), list[int]()
    delivery, _ = started(sink, too_old=Old(*range(20)), keeps=lambda each: each.camera == "clip")
    for seq in range(10):
        delivery.put(result(seq, "clip"), lambda seq=seq: taken.append(seq))  # type: ignore[misc]
        delivery.put(result(seq))
    delivery.close(within_s=PATIENCE_S)
    assert sink.seqs == taken == list(range(10))
    assert delivery.delivered.expired == 10


def test_where_everything_is_too_old_the_end_comes_all_the_same() -> None:
    sink = Recorder()
    delivery, _ = started(sink, too_old=lambda _: True)
    for seq in range(100):
        delivery.put(result(seq))
    delivery.close(within_s=PATIENCE_S)
    counts = delivery.delivered
    assert (sink.seqs, counts.expired, counts.waiting, sink.closed) == ([], 100, 0, 1)


def test_whatever_becomes_of_them_they_add_up() -> None:
    sink = Recorder(RuntimeError("broken"))
    delivery, _ = started(sink, capacity=5, too_old=lambda each: each.seq % 3 == 0)

    def put() -> None:
        for seq in range(200):
            delivery.put(result(seq))

    threads = [threading.Thread(target=put) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivery.close(within_s=PATIENCE_S)
    counts = delivery.delivered
    assert counts.put == 600
    assert counts.put == counts.written + counts.dropped + counts.failed + counts.expired + counts.waiting


def test_a_callback_is_given_nothing_old_and_a_file_everything(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    config = Config(
        cameras={"gate": {"url": "rtsp://127.0.0.1/gate"}}, sinks=[{"type": "jsonl", "path": str(file)}]
    )
    seen: list[int] = []
    to: Callable[[Result], None] = lambda each: seen.append(each.seq)  # noqa: E731
    deliveries = deliveries_of(config, to, print, too_old=lambda each: each.seq < 5)
    for delivery in deliveries:
        delivery.start()
        for seq in range(8):
            delivery.put(result(seq))
        delivery.close(within_s=PATIENCE_S)
    assert seen == [5, 6, 7]
    assert [line["seq"] for line in json_lines(file)] == list(range(8))
    assert {each.name.split()[0]: each.delivered.expired for each in deliveries} == {
        "jsonl": 0,
        "on_result": 5,
    }
