"""The thread that writes the ledger: what it is told arrives, whatever the database does meanwhile."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ledger_rows import HOSTS, blind, incident
from patience import PATIENCE_S
from vedette.facts import (
    CameraAdded,
    CameraRemoved,
    Gap,
    GapChanged,
    GapClosed,
    GapOpened,
    IncidentClosed,
    IncidentOpened,
    SessionOpened,
    Trouble,
)
from vedette.ledger.audit import partition_problems
from vedette.ledger.rows import Counters
from vedette.ledger.store import Ledger
from vedette.ledger.waiting import Waiting
from vedette.ledger.writer import LedgerWriter


class Time:
    """Ledger time, set by hand; and a monotonic clock that runs beside it."""

    def __init__(self) -> None:
        self.at = 1000

    def __call__(self) -> int:
        return self.at


class Bench:
    """A begun ledger, its writer, and what that told."""

    def __init__(self, url: str, kind: type[Ledger] = Ledger, **more: Any) -> None:
        self.url, self.now, self.told = url, Time(), list[Trouble]()
        self.ledger = kind.open(url)
        self.begun = self.ledger.begin("n", HOSTS, self.now())
        self.writer = LedgerWriter(
            self.ledger,
            now=self.now,
            tell=self.told.append,
            ledger_time=lambda at: round(at * 1e6),
            **{"beat_every": 0.05} | more,
        )

    def opened(self, gap: Gap) -> None:
        self.writer.put(GapOpened(at=0.0, gap=gap))

    def closed(self, gap: Gap) -> None:
        self.writer.put(GapClosed(at=0.0, gap=gap))

    def read(self) -> Ledger:
        return Ledger.open(self.url, migrate=False)

    def gaps(self) -> list[tuple[str, int, int | None]]:
        with self.read() as reader:
            return [(gap.id, gap.start, gap.end) for gap in reader.gaps()]

    def known(self) -> int | None:
        with self.read() as reader:
            return reader.known_until("n")

    def messages(self) -> str:
        return "\n".join(trouble.message for trouble in self.told)


Make = Callable[..., Bench]


@pytest.fixture
def bench(url: str) -> Iterator[Make]:
    made: list[Bench] = []

    def make(**more: Any) -> Bench:
        made.append(Bench(url, **more))
        return made[-1]

    yield make
    for each in made:
        each.writer.close(5)
        each.ledger.close()


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_put_is_written(bench: Make) -> None:
    b = bench()
    b.writer.start()
    b.opened(blind("g", "a", 1100))
    b.writer.put(IncidentOpened(at=0.0, incident=incident("i", 1100)))
    b.writer.put(SessionOpened(at=0.0, camera="a", codec="h264", width=1, height=1))
    assert b.writer.flush(PATIENCE_S)
    assert b.gaps() == [("g", 1100, None)]
    b.writer.put(GapChanged(at=0.0, gap=blind("g", "a", 1050)))
    b.closed(blind("g", "a", 1050, 1200))
    b.writer.put(IncidentClosed(at=0.0, incident=incident("i", 1100, 1200)))
    assert b.writer.flush(PATIENCE_S)
    assert b.gaps() == [("g", 1050, 1200)]
    with b.read() as reader:
        assert [(each.id, each.end) for each in reader.incidents()] == [("i", 1200)]
    assert b.writer.written == 4
    assert (b.writer.failed, b.writer.dropped, b.writer.waiting, b.told) == (0, 0, 0, [])


def test_it_beats_without_being_told_anything(bench: Make) -> None:
    b = bench()
    b.writer.start()
    for at in (2000, 3000):
        b.now.at = at
        until(lambda at=at: b.known() == at)
    assert b.writer.written == 0


def test_a_row_that_opens_or_closes_does_not_wait_for_the_next_beat(bench: Make) -> None:
    b = bench(beat_every=3600.0)
    b.writer.start()
    b.opened(blind("g", "a", 1100))
    until(lambda: b.gaps() == [("g", 1100, None)])
    b.closed(blind("g", "a", 1100, 1200))
    until(lambda: b.gaps() == [("g", 1100, 1200)])
    assert b.known() == 1200, "written together with a heartbeat"


class Counted(Ledger):
    """Counts the rows of each transaction."""

    written: ClassVar[list[int]] = []

    def write(self, **given: Any) -> None:
        super().write(**given)
        self.written.append(len(given["gaps"]))


def test_a_thousand_cameras_that_fail_at_once_are_few_transactions(bench: Make) -> None:
    Counted.written.clear()
    b = bench(kind=Counted, beat_every=3600.0)
    b.writer.start()
    for number in range(1000):
        b.opened(blind(f"{number}", "a", 2000 + number, 2001 + number))
    assert b.writer.flush(PATIENCE_S)
    assert len(b.gaps()) == sum(Counted.written) == 1000
    assert len(Counted.written) < 50


def test_cameras_are_watched_from_the_very_moment_they_were_added(bench: Make) -> None:
    b = bench()
    b.writer.start()
    b.writer.put(CameraAdded(at=0.002, camera="c", host="h"))
    b.opened(blind("g", "c", 2000))
    b.writer.put(CameraAdded(at=0.0015, camera="a", host=HOSTS["a"]))
    assert b.writer.flush(PATIENCE_S)
    b.closed(blind("g", "c", 2000, 3000))
    b.writer.put(CameraRemoved(at=0.003, camera="c"))
    b.writer.put(CameraAdded(at=0.004, camera="c", host="h"))
    assert b.writer.flush(PATIENCE_S)
    with b.read() as reader:
        assert sorted((w.camera, w.start, w.end) for w in reader.watches()) == [
            ("a", 1000, None),
            ("b", 1000, None),
            ("c", 2000, 3000),
            ("c", 4000, None),
        ]
        assert partition_problems(reader.watches(), reader.gaps()) == []


def test_closing_writes_what_waits_and_the_nodes_last_word(bench: Make) -> None:
    b = bench(beat_every=3600.0)
    b.writer.start()
    b.opened(blind("g", "a", 1100))
    b.writer.put(GapChanged(at=0.0, gap=blind("g", "a", 1050)))
    b.now.at = 5000
    assert b.writer.close(10, {"a": Counters(epoch=3, next_track_id=9)})
    assert b.gaps() == [("g", 1050, 5000)]
    with b.read() as reader:
        assert reader.nodes()[0].stopped == 5000
    with Ledger.open(b.url) as again:
        begun = again.begin("n", HOSTS, 6000)
        assert begun.next_track_ids["a"] == 9
        assert begun.downtime[0].detail == "stopped in order"


def test_a_writer_that_never_started_still_says_the_last_word(bench: Make) -> None:
    b = bench()
    b.opened(blind("g", "a", 1100))
    b.now.at = 2000
    assert b.writer.close(PATIENCE_S)
    assert b.gaps() == [("g", 1100, 2000)]


def test_counters_are_kept_well_above_what_was_used(bench: Make, url: str) -> None:
    b = bench()
    b.writer.start()
    b.writer.count("a", epoch=100_000, next_track_id=10_000_000)
    b.opened(blind("g", "a", 1100))
    assert b.writer.flush(PATIENCE_S)
    b.writer.close(PATIENCE_S)
    with Ledger.open(url) as again:
        begun = again.begin("n", HOSTS, 2000)
        assert begun.epochs["a"] > 100_000
        assert begun.next_track_ids["a"] > 10_000_000


class Wrong(Ledger):
    """Has a bug for a while."""

    wrong: ClassVar[threading.Event] = threading.Event()

    def write(self, **given: Any) -> None:
        if self.wrong.is_set():
            raise ZeroDivisionError
        super().write(**given)


def test_a_bug_in_the_way_of_a_write_does_not_end_the_writing(bench: Make) -> None:
    b = bench(kind=Wrong)
    Wrong.wrong.set()
    b.writer.start()
    b.opened(blind("g", "a", 1100))
    until(lambda: b.writer.failed > 1)
    assert not b.writer.flush(0.01)
    Wrong.wrong.clear()
    assert b.writer.flush(PATIENCE_S)
    assert b.gaps() == [("g", 1100, None)]
    assert "ZeroDivisionError (a bug)" in b.messages()


# ---- a database that is away


def test_while_the_database_is_away_rows_wait_and_it_is_said_once(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("vedette.ledger.address.BUSY_S", 0.05)
    b = Bench(str(tmp_path / "ledger.db"))
    b.writer.start()
    b.opened(blind("g", "a", 1100))
    assert b.writer.flush(PATIENCE_S)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    b.closed(blind("g", "a", 1100, 1200))
    b.opened(blind("h", "a", 1300))
    until(lambda: b.writer.failed >= 3)
    b.closed(blind("h", "a", 1300, 1400))
    assert b.writer.away
    assert len(b.told) == 1
    assert "locked by another program" in b.told[0].message
    assert b.told[0].where == "ledger"
    until(lambda: b.writer.waiting == 2)  # while it tries to write them they do not
    other.execute("ROLLBACK")
    other.close()
    assert b.writer.flush(PATIENCE_S)
    assert b.gaps() == [("g", 1100, 1200), ("h", 1300, 1400)]
    until(lambda: len(b.told) == 2)
    assert b.told[1].message == "the ledger is written again; nothing is missing"
    assert b.writer.close(PATIENCE_S)


def test_a_postgresql_that_restarts_loses_no_row_and_no_lock(postgres: Any) -> None:
    b = Bench(postgres.database())
    b.writer.start()
    b.opened(blind("g", "a", 1100))
    assert b.writer.flush(PATIENCE_S)
    postgres.stop()
    b.closed(blind("g", "a", 1100, 1200))
    b.opened(blind("h", "b", 1300))
    until(lambda: b.writer.failed >= 2)
    postgres.start()
    b.now.at = 2000
    assert b.writer.flush(PATIENCE_S)
    assert b.gaps() == [("g", 1100, 1200), ("h", 1300, None)]
    until(lambda: len(b.told) == 2)
    assert "written again" in b.told[1].message
    with Ledger.open(b.url) as other, pytest.raises(Exception, match="another node named n"):
        other.begin("n", HOSTS, 3000)
    assert b.writer.close(PATIENCE_S)


def test_closing_gives_up_on_a_database_that_stays_away(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("vedette.ledger.address.BUSY_S", 0.05)
    b = Bench(str(tmp_path / "ledger.db"))
    b.writer.start()
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    b.opened(blind("g", "a", 1100))
    assert not b.writer.close(0.5)
    other.close()
    b.ledger.close()


def test_too_many_rows_are_dropped_counted_and_told(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("vedette.ledger.address.BUSY_S", 0.01)
    b = Bench(str(tmp_path / "ledger.db"), most_waiting=10)
    b.writer.start()
    b.opened(blind("there", "a", 1100))
    assert b.writer.flush(PATIENCE_S)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    b.closed(blind("there", "a", 1100, 1200))
    b.opened(blind("open", "b", 1150))
    for number in range(20):
        b.closed(blind(f"{number:02}", "a", 2000 + number, 2001 + number))
    until(lambda: b.writer.failed >= 2)
    until(lambda: b.writer.waiting == 10)  # while it tries to write them they do not
    other.execute("ROLLBACK")
    other.close()
    assert b.writer.flush(PATIENCE_S)
    assert b.writer.dropped == 12
    until(lambda: "12 rows were dropped" in b.messages())
    assert "the oldest are dropped now" in b.messages()
    kept = [("there", 1100, 1200), ("open", 1150, None)]
    assert b.gaps() == kept + [(f"{number}", 2000 + number, 2001 + number) for number in range(12, 20)]
    assert b.writer.close(PATIENCE_S)


# ---- what waits


def test_of_a_row_only_the_newest_version_waits() -> None:
    waiting = Waiting(most=10)
    for gap in (blind("g", "a", 1), blind("h", "a", 2), blind("g", "a", 0), blind("g", "a", 0, 9)):
        waiting.put(gap)
    assert waiting.take() == [blind("h", "a", 2), blind("g", "a", 0, 9)]
    assert len(waiting) == 0


def test_rows_given_back_do_not_replace_newer_ones() -> None:
    waiting = Waiting(most=10)
    waiting.put(blind("g", "a", 1))
    waiting.put(blind("h", "a", 1))
    taken = waiting.take()
    waiting.put(blind("g", "a", 1, 5))
    waiting.give_back(taken)
    assert waiting.take() == [blind("h", "a", 1), blind("g", "a", 1, 5)]


def test_rows_that_are_open_in_the_database_are_dropped_last() -> None:
    waiting = Waiting(most=2)
    waiting.put(blind("there", "a", 1))
    waiting.committed(waiting.take())
    waiting.put(blind("there", "a", 1, 2))
    for number in range(5):
        waiting.put(blind(f"{number}", "a", 3, 4))
    assert waiting.take() == [blind("there", "a", 1, 2), blind("4", "a", 3, 4)]
    assert waiting.dropped == 4
