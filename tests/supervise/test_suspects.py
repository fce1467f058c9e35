"""Which camera is to blame for a worker that crashed."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.supervise.exits import in_words
from vedette.supervise.suspects import CRASHES, REMEMBERED_S, Suspects
from vedette.workers.exhausted import OUT_OF_MEMORY

SEGFAULT = -signal.SIGSEGV


def test_the_only_camera_inside_a_decoder_is_condemned_at_once() -> None:
    assert Suspects().died(SEGFAULT, ["gate"], 100.0) == "gate"


def test_of_several_the_one_that_was_there_before_is() -> None:
    suspects = Suspects()
    assert suspects.died(SEGFAULT, ["gate", "yard"], 100.0) is None
    assert suspects.died(SEGFAULT, ["door", "yard", "hall"], 200.0) == "yard"


def test_of_several_that_were_there_before_it_is_the_one_that_was_there_most_often() -> None:
    suspects = Suspects()
    suspects.died(SEGFAULT, ["door", "yard"], 100.0)
    suspects.died(SEGFAULT, ["hall", "yard"], 150.0)
    assert suspects.died(SEGFAULT, ["door", "hall", "yard"], 200.0) == "yard"


def test_suspicion_fades_after_an_hour() -> None:
    suspects = Suspects()
    suspects.died(SEGFAULT, ["gate", "yard"], 100.0)
    assert suspects.died(SEGFAULT, ["door", "yard"], 100.0 + REMEMBERED_S + 1) is None


@pytest.mark.parametrize("code", [-signal.SIGKILL, -signal.SIGTERM, 143, 1, 0, OUT_OF_MEMORY, None])
def test_whoever_was_killed_or_ran_out_of_memory_accuses_nobody(code: int | None) -> None:
    suspects = Suspects()
    assert suspects.died(code, ["gate"], 100.0) is None
    assert suspects.died(SEGFAULT, ["gate", "yard"], 101.0) is None


def test_a_crash_outside_of_decoders_accuses_nobody() -> None:
    assert Suspects().died(SEGFAULT, [], 100.0) is None


deaths = st.tuples(
    st.sampled_from(sorted(CRASHES)),
    st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True),
    st.floats(0, 4000),
)


@given(history=st.lists(deaths, max_size=100))
def test_whoever_is_condemned_was_inside_and_was_alone_or_there_before(
    history: list[tuple[int, list[str], float]],
) -> None:
    suspects, now, before = Suspects(), 0.0, []
    for code, inside, later in history:
        now += later
        found = suspects.died(code, inside, now)
        lately = {name for at, names in before if now - at < REMEMBERED_S for name in names}
        assert (found is not None) == (len(inside) == 1 or bool(lately & set(inside)))
        if found is not None:
            assert found in inside
            assert len(inside) == 1 or found in lately
        before = [*before, (now, inside)][-60:]


def test_a_camera_that_crashes_whoever_reads_it_is_found_among_busy_neighbours() -> None:
    """Its neighbour is decoded half of the time, and is condemned no sooner than the second crash."""
    suspects = Suspects()
    found = [suspects.died(SEGFAULT, ["bad", "busy"] if n % 2 else ["bad"], 60.0 * n) for n in range(1, 4)]
    assert found == [None, "bad", "bad"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-11, "exit code -11 (SIGSEGV)"),
        (-9, "exit code -9 (SIGKILL)"),
        (-40, "exit code -40"),
        (1, "exit code 1"),
        (OUT_OF_MEMORY, "it had no memory left"),
        (None, "it cannot be told how it ended"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int | None, words: str) -> None:
    assert in_words(code) == words
