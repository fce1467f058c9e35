"""The books of one camera balance, in whatever order things happen to its frames."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from patience import PATIENCE_S
from vedette.account import UNACKNOWLEDGED_AT_MOST, Account, Kept
from vedette.endings import Ending
from vedette.workers.table import OUTCOMES, Table

endings = st.sampled_from(list(Ending))


def kept(seq: int, captured: float = 0.0, decoded_at: float = 0.0) -> Kept:
    return Kept(seq, 0, captured, captured, decoded_at, object(), 160, 96)


class Books(RuleBasedStateMachine):
    """Everything that may be done with an account, beside a simple idea of where the frames are."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table.create(1, 1)
        self.row = self.table.rows[0]
        self.account = Account(self.row)
        self.buffer = 1
        self.underway: list[int] = []
        """Received and in no place yet: whoever received them must end them, or put them somewhere."""
        self.inside: list[int] = []
        self.kept: list[tuple[int, float]] = []
        """Numbers and capture times, oldest first."""
        self.taken: list[int] = []
        self.received = self.ended = 0
        self.shown = -1
        self.tickets = 0

    def teardown(self) -> None:
        os.close(self.table.fd)

    @initialize(buffer=st.integers(1, 4))
    def choose_a_buffer(self, buffer: int) -> None:
        self.buffer, self.account = buffer, Account(self.row, buffer)

    # ---- frames arrive

    @rule()
    def receive(self) -> None:
        seq = self.account.receive()
        assert (seq is None) == self.account.closed
        if seq is not None:
            assert seq == self.received
            self.received += 1
            self.underway.append(seq)

    @rule(ending=endings, count=st.integers(1, 5))
    def arrive_as(self, ending: Ending, count: int) -> None:
        before = int(self.row[ending.value]), int(self.row[ending.outcome.value])
        self.account.arrive_as(ending, count)
        after = int(self.row[ending.value]), int(self.row[ending.outcome.value])
        assert after == (before[0] + count, before[1] + count)
        self.received, self.ended = self.received + count, self.ended + count

    @precondition(lambda self: self.underway)
    @rule(ending=endings)
    def end(self, ending: Ending) -> None:
        self.underway.pop()
        self.account.end(ending)
        self.ended += 1

    # ---- the decoder

    @precondition(lambda self: self.underway)
    @rule()
    def enter(self) -> None:
        seq = self.underway.pop(0)
        if self.account.enter(seq, 0.0, 0.0, 0.0, 0.0):
            assert not self.account.closed
            self.inside.append(seq)
        else:
            assert self.account.closed
            self.ended += 1

    @precondition(lambda self: self.inside)
    @rule(data=st.data(), captured=st.floats(0, 10), early=st.booleans())
    def a_picture_comes_out(self, data: st.DataObject, captured: float, early: bool) -> None:
        seq = data.draw(st.sampled_from(self.inside))
        self.row["not_before"] = 1.0 if early else 0.0
        with self.account.lock:
            left = self.account.leave(seq)
            assert left is not None
            number, _ = left
            assert number > self.shown, "numbers grow from picture to picture"
            self.shown = number
            self.account.keep(kept(number, captured))
        self.inside.remove(seq)
        self.kept.append((number, captured))
        while len(self.kept) > (1 if early else self.buffer):
            self.kept.pop(0)
            self.ended += 1

    @rule(seq=st.integers(10**9, 10**9 + 5))
    def a_picture_that_nobody_put_in_comes_out(self, seq: int) -> None:
        with self.account.lock:
            assert self.account.leave(seq) is None
        self.account.lose(seq)

    @precondition(lambda self: self.inside)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        seq = data.draw(st.sampled_from(self.inside))
        for _ in range(2):  # saying it twice is saying it once
            self.account.lose(seq)
        self.inside.remove(seq)
        self.ended += 1

    @rule()
    def forget_inside(self) -> None:
        self.account.forget_inside()
        self.ended += len(self.inside)
        self.inside.clear()

    # ---- the newest

    @rule()
    def orphan_kept(self) -> None:
        with self.account.lock:
            self.account.orphan_kept()
        self._kept_ended()

    @rule(before=st.floats(0, 10))
    def expire(self, before: float) -> None:
        self.account.expire(before)
        while self.kept and self.kept[0][1] < before:
            self.kept.pop(0)
            self.ended += 1

    def _kept_ended(self) -> None:
        self.ended += len(self.kept)
        self.kept.clear()

    # ---- the detector

    @rule(since=st.floats(0, 10))
    def take(self, since: float) -> None:
        self.tickets += 1
        got = self.account.take(self.tickets, lambda kept: kept.captured >= since)
        while self.kept and self.kept[0][1] < since:
            self.kept.pop(0)
            self.ended += 1
        assert (got is not None) == bool(self.kept)
        if got is not None:
            assert got.seq == self.kept.pop(0)[0]
            self.taken.append(self.tickets)

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), ending=endings, comes_back=st.booleans())
    def a_frame_leaves_the_detector(self, data: st.DataObject, ending: Ending, comes_back: bool) -> None:
        ticket = data.draw(st.sampled_from(self.taken))
        if comes_back:
            with self.account.lock:
                assert self.account.finish(ticket) is not None
                self.account.count(ending)
        else:
            self.account.give_back(ticket, ending)
        self.taken.remove(ticket)
        self.ended += 1

    @rule(ticket=st.integers(-5, 0), ending=endings)
    def a_ticket_that_nobody_has_comes_back(self, ticket: int, ending: Ending) -> None:
        self.account.give_back(ticket, ending)
        with self.account.lock:
            assert self.account.finish(ticket) is None

    # ---- the end

    @rule()
    def close(self) -> None:
        self.account.close()
        self._kept_ended()
        self.ended += len(self.inside) + len(self.taken)
        self.inside.clear()
        self.taken.clear()

    @invariant()
    def the_books_balance(self) -> None:
        assert self.row["received"] == self.received
        assert sum(int(self.row[name]) for name in OUTCOMES) == self.ended
        assert sum(int(self.row[ending.value]) for ending in Ending) == self.ended
        places = len(self.underway) + len(self.inside) + len(self.kept) + len(self.taken)
        assert self.table.in_flight(0) == places

    @invariant()
    def what_is_said_of_the_next_one_is_so(self) -> None:
        assert self.row["newest_seq"] == (self.kept[0][0] if self.kept else -1)
        if self.kept:
            assert self.row["newest_captured"] == self.kept[-1][1]
        assert self.row["kept"] == len(self.kept)
        assert self.account.idle == (not self.inside and not self.kept and not self.taken)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table.create(1, 1)
    yield table
    os.close(table.fd)


def test_a_picture_whose_turn_had_not_come_was_skipped_and_any_other_superseded(table: Table) -> None:
    account, row = Account(table.rows[0]), table.rows[0]
    row["not_before"] = 5.0
    with account.lock:
        for seq, decoded_at in enumerate((3.0, 4.0, 6.0)):
            account.keep(kept(seq, decoded_at=decoded_at))
    assert (row["skipped"], row["superseded"], row["newest_seq"]) == (1, 1, 2)


def test_the_books_balance_when_threads_take_what_others_bring(table: Table) -> None:
    account, frames = Account(table.rows[0]), 3000
    over = threading.Event()

    def bring() -> None:
        for _ in range(frames):
            seq = account.receive()
            assert seq is not None
            account.enter(seq, 0.0, 0.0, 0.0, 0.0)
            with account.lock:
                assert account.leave(seq) is not None
                account.keep(kept(seq))
        over.set()

    def take(first_ticket: int) -> None:
        ticket = first_ticket
        while not over.is_set():
            ticket += 2
            if account.take(ticket, lambda _: True) is not None:
                account.give_back(ticket, Ending.ANALYSED)
            account.expire(-1.0)

    threads = [threading.Thread(target=bring), *(threading.Thread(target=take, args=(n,)) for n in (0, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    account.close()
    assert table.rows["received"][0] == frames
    assert table.in_flight(0) == 0


def test_whoever_waits_for_room_is_let_go_when_it_is_closed(table: Table) -> None:
    account = Account(table.rows[0])
    account.unacknowledged = UNACKNOWLEDGED_AT_MOST
    woke: list[bool] = []

    def wait() -> None:
        with account.lock:
            woke.append(account.room.wait_for(lambda: account.closed or account.has_room(), PATIENCE_S))

    waiting = threading.Thread(target=wait)
    waiting.start()
    account.close()
    waiting.join(PATIENCE_S)
    assert woke == [True]
    assert not account.has_room(), "it was let go, not let in"


def test_room_comes_with_what_the_sinks_have_taken(table: Table) -> None:
    account = Account(table.rows[0])
    with account.lock:
        assert account.has_room()
        account.unacknowledged = UNACKNOWLEDGED_AT_MOST
        assert not account.has_room()
    account.acknowledge(1)
    with account.lock:
        assert account.has_room()
        account.keep(kept(0))
        assert not account.has_room(), "one picture at a time"


def test_frames_that_are_on_their_way_give_way_when_another_process_takes_over() -> None:
    table = Table.create(1, 1)
    try:
        account, row = Account(table.rows[0]), table.rows[0]
        underway, inside = account.receive(), account.receive()
        assert underway is not None
        assert inside is not None
        assert account.enter(inside, 0.0, 0.0, 0.0, 0.0)
        account.leave_to_another()
        account.left()
        assert row["received"] == row["superseded"] == 2
        # A thread was in the middle of it: the row is another process's by now.
        assert not account.enter(underway, 0.0, 0.0, 0.0, 0.0)
        account.lose(inside)
        account.end(Ending.SKIPPED_KEYFRAME)
        assert row["superseded"] == sum(int(row[outcome]) for outcome in OUTCOMES) == 2
        assert row["decoded"] == 1
    finally:
        os.close(table.fd)
