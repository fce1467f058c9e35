"""Work that may have to wait: in order, and nobody waits for it."""

from __future__ import annotations

import threading

import pytest

from patience import PATIENCE_S
from vedette import one_by_one
from vedette.one_by_one import OneByOne


def test_it_is_done_in_order_and_what_it_raises_is_told() -> None:
    done: list[int] = []
    work = OneByOne("test")
    futures = [work.submit(lambda number=number: done.append(number)) for number in range(20)]
    broken = work.submit(lambda: 1 / 0)
    last = work.submit(lambda: len(done))
    assert last.result(PATIENCE_S) == 20
    assert done == list(range(20))
    assert all(each.done() for each in futures)
    assert isinstance(broken.exception(PATIENCE_S), ZeroDivisionError)
    work.close()


def test_closing_waits_for_nobody_and_cancels_what_has_not_begun() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hangs() -> str:
        begun.set()
        go_on.wait(PATIENCE_S)
        return "done"

    work = OneByOne("test")
    first, second = work.submit(hangs), work.submit(hangs)
    assert begun.wait(PATIENCE_S)
    work.close()
    assert second.cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        work.submit(hangs)
    go_on.set()
    assert first.result(PATIENCE_S) == "done"


def test_only_so_much_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_by_one, "WAITING_AT_MOST", 2)
    begun, go_on = threading.Event(), threading.Event()
    work = OneByOne("test")
    work.submit(lambda: (begun.set(), go_on.wait(PATIENCE_S)))
    assert begun.wait(PATIENCE_S)
    for _ in range(2):
        work.submit(list)
    with pytest.raises(RuntimeError, match="2 changes wait already"):
        work.submit(list)
    go_on.set()
    work.close()


def test_where_nothing_is_to_be_done_there_is_no_thread() -> None:
    before = threading.active_count()
    OneByOne("test").close()
    assert threading.active_count() == before
