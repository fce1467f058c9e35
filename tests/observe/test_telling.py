"""Observers hear of facts in order, and can neither slow nor break who tells them."""

from __future__ import annotations

import threading
import time

import pytest

from patience import PATIENCE_S
from vedette.facts import AnyFact, Trouble
from vedette.observe.telling import WAITING_AT_MOST, Telling


def trouble(number: int) -> Trouble:
    return Trouble(at=float(number), where="test", message=str(number))


@pytest.fixture
def _last_words_may_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.observe.telling.LAST_WORDS_S", PATIENCE_S)


@pytest.mark.usefixtures("_last_words_may_take_long")
def test_facts_are_told_in_order_to_the_last() -> None:
    heard: list[AnyFact] = []
    telling = Telling(heard.append)
    telling.start()
    for number in range(100):
        telling.put(trouble(number))
    telling.close()
    assert heard == [trouble(number) for number in range(100)]


@pytest.mark.usefixtures("_last_words_may_take_long")
def test_an_observer_that_raises_costs_itself_that_fact() -> None:
    heard: list[float] = []

    def observe(fact: AnyFact) -> None:
        if fact.at == 1:
            raise RuntimeError("on purpose")
        heard.append(fact.at)

    telling = Telling(observe)
    telling.start()
    for number in range(3):
        telling.put(trouble(number))
    telling.close()
    assert heard == [0, 2]
    assert telling.failed == 1


def test_an_observer_that_blocks_holds_nobody_up_and_what_it_misses_is_counted() -> None:
    let_go = threading.Event()
    telling = Telling(lambda _: let_go.wait(PATIENCE_S) and None)
    telling.start()
    began = time.monotonic()
    for number in range(WAITING_AT_MOST + 50):
        telling.put(trouble(number))
    telling.close()
    assert time.monotonic() - began < PATIENCE_S / 2
    assert 49 <= telling.dropped <= 50
    let_go.set()
