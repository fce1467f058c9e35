"""What waits for somebody slow: the newest of each camera, and turns for all of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vedette.workers.newest import Newest


def test_a_newer_one_takes_the_place_of_the_one_before() -> None:
    newest: Newest[str] = Newest()
    assert newest.put(0, "old") is None
    assert newest.put(0, "new") == "old"
    assert newest.take() == "new"
    assert newest.take() is None


def test_one_that_brings_more_has_no_more_turns() -> None:
    newest: Newest[int] = Newest()
    turns: Counter[int | None] = Counter()
    for _ in range(100):
        for camera in (0, 0, 0, 1, 2):
            newest.put(camera, camera)
        turns[newest.take()] += 1
    assert max(turns.values()) - min(turns.values()) <= 1


def test_one_that_comes_late_is_not_owed_the_turns_of_the_others() -> None:
    newest: Newest[int] = Newest()
    for _ in range(50):
        newest.put(0, 0)
        assert newest.take() == 0
    turns: Counter[int | None] = Counter()
    for _ in range(20):
        newest.put(0, 0)
        newest.put(1, 1)
        turns[newest.take()] += 1
    assert turns[0] >= 9


def test_what_is_forgotten_does_not_come() -> None:
    newest: Newest[int] = Newest()
    newest.put(0, 10)
    newest.put(1, 11)
    newest.forget(lambda thing: thing == 10)
    assert (newest.take(), newest.take()) == (11, None)


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=60))
def test_each_that_was_put_is_taken_or_gives_way_once(steps: list[int | None]) -> None:
    newest: Newest[int] = Newest()
    put, out = 0, []
    for step in steps:
        gone = newest.take() if step is None else newest.put(step, put := put + 1)
        out += [] if gone is None else [gone]
    out += [newest.take() for _ in range(len(newest))]
    assert sorted(out) == list(range(1, put + 1))
    assert len(newest) == 0
