"""The newest of what there was to tell: nothing is given twice, and what is missing is counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.observe.ring import Ring


def test_numbers_begin_at_one_and_the_oldest_make_room() -> None:
    ring: Ring[str] = Ring(3, 100)
    for letter in "abcde":
        ring.put(letter)
    assert ring.after(0, 10) == ([(3, "c"), (4, "d"), (5, "e")], 5, 2)
    assert ring.after(3, 10) == ([(4, "d"), (5, "e")], 5, 0)
    assert ring.after(5, 10) == ([], 5, 0)


def test_what_is_large_makes_more_room_and_what_is_too_large_is_counted_all_the_same() -> None:
    ring: Ring[str] = Ring(10, 10)
    ring.put("a", 4)
    ring.put("b", 4)
    ring.put("c", 4)
    assert ring.after(0, 10) == ([(2, "b"), (3, "c")], 3, 1)
    ring.put("whale", 11)
    assert ring.after(3, 10) == ([], 4, 1)
    ring.put("d", 1)
    assert ring.after(3, 10) == ([(5, "d")], 5, 1)


def test_whoever_takes_few_goes_on_behind_the_last_that_was_given() -> None:
    ring: Ring[int] = Ring(10, 100)
    for number in range(1, 6):
        ring.put(number)
    assert ring.after(0, 2) == ([(1, 1), (2, 2)], 2, 0)
    assert ring.after(2, 2) == ([(3, 3), (4, 4)], 4, 0)
    assert ring.after(0, 0) == ([], 0, 0)


def test_a_number_that_was_not_given_yet_is_of_an_earlier_life() -> None:
    ring: Ring[str] = Ring(3, 100)
    assert ring.after(99, 10) == ([], 0, 0)
    ring.put("a")
    assert ring.after(99, 10) == ([(1, "a")], 1, 0)
    assert ring.after(-5, 10) == ([(1, "a")], 1, 0)


@given(
    things=st.integers(1, 6),
    size=st.integers(1, 20),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, 8)),
            st.tuples(st.just("skip"), st.integers(0, 5)),
            st.tuples(st.just("ask"), st.integers(0, 7)),
        ),
        max_size=60,
    ),
)
def test_what_was_given_and_what_was_missed_add_up_to_all_there_was(
    things: int, size: int, steps: list[tuple[str, int]]
) -> None:
    ring: Ring[int] = Ring(things, size)
    total, at, given_, missed = 0, 0, 0, 0
    for step, amount in steps:
        if step == "put":
            total += 1
            ring.put(total, amount)
        elif step == "skip":
            total += amount
            ring.skip(amount)
        else:
            found, last, lost = ring.after(at, amount)
            assert [number for number, _ in found] == [thing for _, thing in found]
            assert len(found) <= min(amount, things)
            assert lost + len(found) == last - at
            at, given_, missed = last, given_ + len(found), missed + lost
        assert ring.last == total
        assert len(ring._kept) <= things
        assert ring._size <= size
    found, last, lost = ring.after(at, 1000)
    assert last == total
    assert given_ + missed + lost + len(found) == total
