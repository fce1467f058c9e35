"""CPU seconds by group of threads: whatever threads do, no sum falls, and together they are the process's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.supervise.groups import OTHER, GroupTimes
from vedette.supervise.resources import ThreadKey, Times


def threads(**cpu_s: float) -> dict[ThreadKey, Times]:
    """By name; ``python`` is a thread of no group."""
    names = {name: name if name == "python" else f"vedette-{name}" for name in cpu_s}
    return {
        (number, 7): Times(names[name], 7, seconds, len(cpu_s))
        for number, (name, seconds) in enumerate(cpu_s.items())
    }


def test_what_is_in_no_group_is_the_rest_of_the_process() -> None:
    times = GroupTimes(("loop", "decode"))
    times.add(threads(loop=2.0, python=1.0, take=0.5), 4.0, at=1.0)
    assert times.cpu_s == {"loop": 2.0, "decode": 0.0, OTHER: 2.0}


def test_the_cores_in_use_are_those_since_the_reading_before() -> None:
    times = GroupTimes(("loop", "decode"))
    times.add(threads(loop=2.0, decode=1.0), 3.0, at=10.0)
    assert times.cpu == {}, "since when is not known"
    times.add(threads(loop=3.0, decode=4.0), 8.0, at=12.0)
    assert times.cpu == {"loop": 0.5, "decode": 1.5, OTHER: 0.5}


def test_a_thread_that_ends_takes_nothing_with_it() -> None:
    times = GroupTimes(("loop", "decode"))
    times.add(threads(loop=1.0, decode=5.0), 6.0, at=1.0)
    times.add(threads(loop=1.0), 6.5, at=2.0)
    assert times.cpu_s == {"loop": 1.0, "decode": 5.0, OTHER: 0.5}


def test_a_thread_with_the_number_of_one_that_ended_is_another_one() -> None:
    times = GroupTimes(("decode",))
    times.add({(9, 100): Times("vedette-decode", 100, 5.0, 2)}, 5.0, at=1.0)
    times.add({(9, 200): Times("vedette-decode", 200, 3.0, 2)}, 8.0, at=2.0)
    assert times.cpu_s["decode"] == 8.0


def test_a_thread_that_is_renamed_counts_for_its_new_group_from_then_on() -> None:
    times = GroupTimes(("loop", "decode"))
    times.add({(9, 1): Times("vedette-loop", 1, 1.0, 2)}, 1.0, at=1.0)
    times.add({(9, 1): Times("vedette-decode", 1, 4.0, 2)}, 4.0, at=2.0)
    assert times.cpu_s == {"loop": 1.0, "decode": 3.0, OTHER: 0.0}


readings = st.lists(
    st.tuples(
        st.dictionaries(
            st.integers(1, 5),
            st.tuples(st.sampled_from(["vedette-loop", "vedette-decode", "python"]), st.integers(0, 300)),
            max_size=5,
        ),
        st.integers(0, 500),
    ),
    max_size=12,
)
"""Hundredths of a second: threads that come, go and change their names; the process's that ended unseen."""


@given(readings)
def test_no_sum_ever_falls_and_all_together_are_the_process(found: list[tuple[dict, int]]) -> None:  # type: ignore[type-arg]
    times = GroupTimes(("loop", "decode"))
    spent: dict[int, int] = {}
    unseen, total, before = 0, 0.0, times.cpu_s
    for at, (seen, more) in enumerate(found):
        alive = {}
        for number, (name, ticks) in seen.items():
            spent[number] = spent.get(number, 0) + ticks
            alive[number, 1] = Times(name, 1, spent[number] / 100, len(seen))
        unseen += more
        total = (sum(spent.values()) + unseen) / 100
        times.add(alive, total, float(at))
        now = times.cpu_s
        assert all(now[group] >= seconds - 1e-9 for group, seconds in before.items())
        assert min(now.values()) >= 0
        assert sum(now.values()) >= total - 1e-6
        before = now


def test_a_process_that_seems_to_have_had_less_than_its_threads_has_no_negative_rest() -> None:
    times = GroupTimes(("loop",))
    times.add(threads(loop=1.03), 1.0, at=1.0)
    assert times.cpu_s == {"loop": 1.03, OTHER: 0.0}
    times.add(threads(loop=1.05), 1.25, at=2.0)
    assert times.cpu_s[OTHER] == pytest.approx(0.2)
    times.add(threads(loop=1.06), 1.25, at=3.0)
    assert times.cpu_s[OTHER] == pytest.approx(0.2), "hundredths that fall are not taken back"
