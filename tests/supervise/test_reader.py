"""Reading happens elsewhere, and never holds up whoever asks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable

from patience import PATIENCE_S
from vedette.supervise.reader import UsageReader
from vedette.supervise.resources import Watched
from vedette.supervise.usage import Usage

SELF = [Watched("node", "node", os.getpid())]


class Slow(Usage):
    """A system that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let, self.reads = threading.Event(), threading.Event(), 0

    def read(self, processes: Iterable[Watched], *, memory: bool, cpu: float = 0.0) -> None:
        self.asked.set()
        self.let.wait()
        self.reads += 1
        super().read(processes, memory=memory, cpu=cpu)


def until(true: object) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.005)
    assert true()  # type: ignore[operator]


def test_what_is_asked_is_read_in_another_thread() -> None:
    usage = Usage()
    reader = UsageReader(usage)
    assert reader.ask(SELF, memory=True, cpu=0.5)
    until(lambda: usage.machine is not None)
    reader.close()
    assert usage.of("node") is not None
    assert usage.machine is not None
    assert usage.machine.cpu == 0.5


def test_a_system_that_does_not_answer_holds_nobody_up_and_is_not_asked_again() -> None:
    usage = Slow()
    reader = UsageReader(usage)
    assert reader.ask(SELF, memory=True, cpu=0.0)
    assert usage.asked.wait(PATIENCE_S)
    assert reader.ask(SELF, memory=True, cpu=0.0), "one may wait"
    assert [reader.ask(SELF, memory=True, cpu=0.0) for _ in range(3)] == [False] * 3
    assert usage.reads == 0
    usage.let.set()
    until(lambda: usage.reads == 2)
    reader.close()


def test_after_its_end_nothing_is_read() -> None:
    usage = Slow()
    reader = UsageReader(usage)
    reader.ask(SELF, memory=True, cpu=0.0)
    assert usage.asked.wait(PATIENCE_S)
    reader.ask(SELF, memory=True, cpu=0.0)
    reader.close()
    assert not reader.ask(SELF, memory=True, cpu=0.0)
    usage.let.set()
    until(lambda: not any(each.name == "vedette-usage" for each in threading.enumerate()))
    assert usage.reads == 1


def test_a_reader_that_was_never_asked_has_no_thread() -> None:
    before = set(threading.enumerate())
    UsageReader(Usage()).close()
    assert "vedette-usage" not in {each.name for each in set(threading.enumerate()) - before}


def test_a_mistake_is_told_once_and_the_reading_goes_on() -> None:
    class Broken(Usage):
        reads = 0

        def read(self, processes: Iterable[Watched], *, memory: bool, cpu: float = 0.0) -> None:
            self.reads += 1
            raise KeyError("what")

    told: list[str] = []
    usage = Broken()
    reader = UsageReader(usage, told.append)
    for reads in (1, 2):
        reader.ask(SELF, memory=True, cpu=0.0)
        until(lambda reads=reads: usage.reads == reads)
    until(lambda: told)
    reader.close()
    assert told == ["resources cannot be read: KeyError: 'what'"]
