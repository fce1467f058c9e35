"""Results for whoever iterates: bounded, in order, and those of sources that wait are never dropped."""

from __future__ import annotations

import threading

from patience import PATIENCE_S
from vedette.results import Result
from vedette.running import MAILBOX, Mailbox, _after


def result(seq: int, camera: str = "live") -> Result:
    return Result(camera, 0, seq, 0.0, 0.0, 0.0, 160, 96)


def nothing() -> None:
    pass


class Reader:
    """Reads in a thread of its own, as users do."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.seen: list[Result] = []
        self._thread = threading.Thread(target=self._read, args=(mailbox,), daemon=True)
        self._thread.start()

    def _read(self, mailbox: Mailbox) -> None:
        for found in mailbox:
            self.seen.append(found)

    def over(self) -> bool:
        self._thread.join(PATIENCE_S)
        return not self._thread.is_alive()


def mailbox() -> Mailbox:
    return Mailbox(lambda found: found.camera == "clip")


def test_results_come_in_order_and_the_end_ends_the_iteration() -> None:
    box = mailbox()
    box.wanted = True
    for seq in range(5):
        box.put(result(seq), nothing)
    reader = Reader(box)
    for seq in range(5, 10):
        box.put(result(seq), nothing)
    box.close()
    assert reader.over()
    assert [found.seq for found in reader.seen] == list(range(10))
    assert box.dropped == 0


def test_closing_wakes_a_reader_that_waits() -> None:
    box = mailbox()
    reader = Reader(box)
    box.close()
    assert reader.over()
    assert list(box) == []


def test_of_live_cameras_the_oldest_make_room_and_are_counted() -> None:
    box = mailbox()
    box.wanted = True
    for seq in range(MAILBOX + 7):
        box.put(result(seq), nothing)
    box.close()
    assert [found.seq for found in box] == list(range(7, MAILBOX + 7))
    assert box.dropped == 7


def test_results_of_sources_that_wait_are_kept_before_anybody_reads_and_beyond_the_limit() -> None:
    box = mailbox()
    for seq in range(MAILBOX + 5):
        box.put(result(seq, "clip"), nothing)
    box.put(result(0, "live"), nothing)  # nobody asked for live results yet
    box.close()
    assert [found.camera for found in box] == ["clip"] * (MAILBOX + 5)
    assert box.dropped == 1


def test_a_live_result_gives_way_before_one_that_is_kept() -> None:
    box = mailbox()
    box.wanted = True
    box.put(result(0, "clip"), nothing)
    for seq in range(MAILBOX):
        box.put(result(seq), nothing)
    box.close()
    found = list(box)
    assert found[0].camera == "clip"
    assert found[1].seq == 1
    assert box.dropped == 1


def test_a_result_counts_as_taken_when_it_is_handed_out() -> None:
    box, taken = mailbox(), []
    for seq in range(3):
        box.put(result(seq, "clip"), lambda seq=seq: taken.append(seq))
    iterator = iter(box)
    assert taken == []
    for expected in ([0], [0, 1], [0, 1, 2]):
        next(iterator)
        assert taken == expected


def test_many_writers_lose_nothing() -> None:
    box = mailbox()
    reader = Reader(box)
    writers = [
        threading.Thread(target=lambda: [box.put(result(n, "clip"), nothing) for n in range(500)])
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    box.close()
    assert reader.over()
    assert len(reader.seen) == 2000


def test_something_taken_by_several_is_taken_when_the_last_has_it() -> None:
    calls: list[int] = []
    once = _after(3, lambda: calls.append(1))
    once()
    once()
    assert calls == []
    once()
    assert calls == [1]
    once()
    assert calls == [1]


# ---- too old


def aging(age: dict[int, float]) -> Mailbox:
    """One in which the results of these numbers are too old."""
    return Mailbox(lambda found: found.camera == "clip", lambda found: found.seq in age)


def test_what_grew_too_old_before_anybody_read_it_is_left_out_and_counted() -> None:
    box = aging({0: 2.0, 1: 2.0, 4: 2.0})
    box.wanted = True
    for seq in range(6):
        box.put(result(seq), nothing)
    box.close()
    assert [found.seq for found in box] == [2, 3, 5]
    assert (box.expired, box.dropped) == (3, 0)


def test_it_is_asked_about_when_its_turn_comes_and_not_before() -> None:
    old: dict[int, float] = {}
    box = aging(old)
    box.wanted = True
    for seq in range(4):
        box.put(result(seq), nothing)
    box.close()
    reading = iter(box)
    assert next(reading).seq == 0
    old[1] = old[2] = 2.0  # while the reader was busy with it
    assert next(reading).seq == 3
    assert box.expired == 2


def test_results_of_sources_that_wait_grow_no_older() -> None:
    box = aging(dict.fromkeys(range(10), 9.0))
    taken: list[int] = []
    for seq in range(5):
        box.put(result(seq, "clip"), lambda seq=seq: taken.append(seq))  # type: ignore[misc]
    box.close()
    assert [found.seq for found in box] == list(range(5)) == taken
    assert box.expired == 0


def test_where_all_that_waited_was_too_old_the_reader_waits_on() -> None:
    box = aging({0: 2.0, 1: 2.0})
    reader = Reader(box)
    for seq in range(3):
        box.put(result(seq), nothing)
    box.close()
    assert reader.over()
    assert [found.seq for found in reader.seen] == [2]
