"""What a node was told to do, and what became of it: it may take minutes, and nobody waits on the socket."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from vedette.control.protocol import Became, ControlError, Order, Ordered
from vedette.errors import ExistsError, VedetteError, redact
from vedette.lasting import NotKeptError

__all__ = ["Do", "Orders"]

Do = Callable[[Order], "Future[Any]"]
"""Begins it."""

REMEMBERED = 32


class Orders:
    """One node's. ``do`` may raise VedetteError; a text that comes of it is told. ``progress``: how far it
    is, in words; empty where there is nothing to say."""

    def __init__(self, do: Do, progress: Callable[[], str] = lambda: "") -> None:
        self._do, self._progress = do, progress
        self._given: dict[int, Future[Any]] = {}
        self._next = 1

    def give(self, order: Order) -> Ordered:
        """Raises ControlError for what cannot even be begun."""
        try:
            begun = self._do(order)
        except VedetteError as err:
            raise ControlError(redact(str(err))) from err
        number, self._next = self._next, self._next + 1
        self._given[number] = begun
        for old in [each for each, future in self._given.items() if future.done()][:-REMEMBERED]:
            del self._given[old]
        return Ordered(number)

    def became(self, number: int) -> Became:
        """Raises ControlError for one that was never given, or long ago."""
        future = self._given.get(number)
        if future is None:
            raise ControlError(f"there is no order {number}")
        if not future.done():
            return Became(done=False, words=redact(self._progress()))
        if future.cancelled():
            return Became(done=True, failed="the node was stopped")
        error = future.exception()
        if isinstance(error, NotKeptError):
            return Became(done=True, unkept=redact(str(error)))
        if error is not None:
            return Became(
                done=True,
                failed=redact(str(error)) or type(error).__name__,
                exists=isinstance(error, ExistsError),
            )
        said = future.result()
        return Became(done=True, words=redact(said) if isinstance(said, str) else "")
