"""What a node was told to do is remembered until somebody asked what became of it."""

from __future__ import annotations

from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.control.orders import REMEMBERED, Orders
from vedette.control.protocol import Became, ControlError, Order
from vedette.errors import ConfigError, WorkerError
from vedette.lasting import NotKeptError

RECYCLE = Order(kind="recycle", what="inference-0")


class Begun:
    """What was begun, in order; each is ended by hand."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.futures: list[Future[None]] = []

    def __call__(self, order: Order) -> Future[None]:
        self.orders.append(order)
        self.futures.append(Future())
        return self.futures[-1]


def test_an_order_is_done_when_what_it_began_is() -> None:
    begun = Begun()
    orders = Orders(begun)
    number = orders.give(RECYCLE).number
    assert begun.orders == [RECYCLE]
    assert orders.became(number) == Became(done=False)
    begun.futures[0].set_result(None)
    assert orders.became(number) == orders.became(number) == Became(done=True)


def test_how_far_it_is_and_what_is_to_be_said_of_it_is_told() -> None:
    begun, far = Begun(), ["3 of 80 pictures"]
    orders = Orders(begun, lambda: far[0])
    number = orders.give(Order(kind="model", what="new.onnx", force=True)).number
    assert begun.orders[0].force
    assert orders.became(number) == Became(done=False, words="3 of 80 pictures")
    begun.futures[0].set_result("held to rtsp://me:geheim@gate/x")  # type: ignore[arg-type]
    told = orders.became(number)
    assert told.done
    assert told.words.startswith("held to rtsp://")
    assert "geheim" not in told.words


def test_why_it_was_not_done_is_said_without_passwords() -> None:
    begun = Begun()
    orders = Orders(begun)
    numbers = [orders.give(RECYCLE).number for _ in range(3)]
    begun.futures[0].set_exception(WorkerError("cannot read rtsp://me:geheim@gate/x"))
    begun.futures[1].set_exception(WorkerError())
    begun.futures[2].cancel()
    why = [orders.became(number).failed for number in numbers]
    assert "geheim" not in why[0]
    assert why[0].startswith("cannot read rtsp://")
    assert why[1:] == ["WorkerError", "the node was stopped"]


def test_what_is_done_and_was_not_kept_did_not_fail() -> None:
    begun = Begun()
    orders = Orders(begun)
    number = orders.give(Order(kind="pause", what="gate", keep=True)).number
    begun.futures[0].set_exception(NotKeptError("it is done, but not kept of rtsp://me:geheim@gate/x"))
    became = orders.became(number)
    assert (became.done, became.failed) == (True, "")
    assert became.unkept.startswith("it is done, but not kept of rtsp://***@gate")


def test_what_cannot_be_begun_is_refused_with_its_reason() -> None:
    def refuse(order: Order) -> Future[None]:
        raise ConfigError("detector.model: there is no file rtsp://me:geheim@gate/x")

    with pytest.raises(ControlError, match=r"detector\.model: there is no file") as found:
        Orders(refuse).give(RECYCLE)
    assert "geheim" not in str(found.value)


@pytest.mark.parametrize("number", [0, 1, -1, 10**9])
def test_an_order_that_was_never_given_is_not_known(number: int) -> None:
    with pytest.raises(ControlError, match="there is no order"):
        Orders(Begun()).became(number)


@given(ends=st.lists(st.booleans(), max_size=4 * REMEMBERED))
def test_what_is_under_way_is_never_forgotten_and_what_is_over_not_soon(ends: list[bool]) -> None:
    """``ends``: whether the order is over at once."""
    begun = Begun()
    orders = Orders(begun)
    numbers = []
    for at_once in ends:
        numbers.append(orders.give(RECYCLE).number)
        if at_once:
            begun.futures[-1].set_result(None)
    assert numbers == sorted(set(numbers))
    over = [number for number, at_once in zip(numbers, ends, strict=True) if at_once]
    for number, at_once in zip(numbers, ends, strict=True):
        if not at_once:
            assert orders.became(number) == Became(done=False)
        elif number in over[-REMEMBERED:]:
            assert orders.became(number) == Became(done=True)
    assert len(orders._given) <= ends.count(False) + REMEMBERED + 1
