"""Orders given to the node: told at once whether it refuses, waited for a moment, and written down."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
from fastapi import Request, Response

from vedette.control.protocol import HEAD, LONGEST_REQUEST, Became, NodeRefusedError, Order, frame
from vedette.errors import redact
from vedette.web.api.answers import answer
from vedette.web.api.fleet import Fleet
from vedette.web.node import NodeGoneError
from vedette.web.problems import ProblemError
from vedette.web.served import Served
from vedette.web.who.guard import Guard, Who

__all__ = ["Giving", "Ordered"]

WAIT_S = 5.0
"""What takes longer is answered with 202: whoever asked looks again."""
LOOK_EVERY_S = 0.05
LOOK_LESS_OFTEN_S = 0.25


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order. ``done``: it is over; ``failed``: why it was not done after all, empty where
    it was. ``words``: what is to be said of it, or how far it is. ``url``: where to ask again. ``name``: what
    was changed. ``unkept``: it was done, and why it will not be so after a restart of the node; empty where
    it will."""

    number: int
    name: str = ""
    done: bool
    failed: str = ""
    words: str = ""
    url: str
    unkept: str = ""


ORDER_AT_MOST = LONGEST_REQUEST - 64
"""Bytes; that it is to last is said besides."""

LASTING = ("add", "change", "remove", "pause", "resume", "model")
"""What is so after a restart, too."""

OF_FILES = ("model", "shadow", "canary")
BEGUN_AT_MOST = 32
"""Orders about files that are remembered: as many as the node remembers."""


class Giving:
    """Of one dashboard."""

    def __init__(self, served: Served, guard: Guard, fleet: Fleet) -> None:
        self._asked, self._guard, self._fleet = served.asked, guard, fleet
        self._being_given: Counter[str] = Counter()
        self._begun: dict[int, str] = {}
        """Files by the number of the order that is about them."""

    async def give(
        self, request: Request, who: Who, order: Order, *, status: int = 200, wait_s: float = WAIT_S
    ) -> Response:
        """The answer to whoever asked for it: ``status`` where it was done, 202 where it takes longer.

        Raises ProblemError where it was begun and failed, or is done and was not kept; NodeRefusedError,
        NodeGoneError.
        """
        action, what = order.kind, order.what
        _check_fits(order)
        if action in LASTING:
            order = msgspec.structs.replace(order, keep=True)
        try:
            number = await self._given(order)
            became = await self._awaited(number, wait_s)
        except NodeRefusedError as err:
            self._guard.audit(who, action, redact(what), f"refused: {redact(str(err))}")
            raise
        except NodeGoneError as err:
            self._guard.audit(who, action, redact(what), f"not known, the node is away: {redact(str(err))}")
            raise
        finally:
            self._fleet.changed()
        self._guard.audit(who, action, redact(what), _outcome(became))
        if became.failed:
            if became.exists:
                raise ProblemError("exists", f"there is a camera {redact(what)} already")
            raise ProblemError("not-done", became.failed)
        if became.unkept:
            raise ProblemError("not-kept", became.unkept)
        url = f"{request.scope.get('root_path', '')}/orders/{number}"
        told = ordered(number, became, url, name=what)
        headers = {"Location": url} if not became.done else {}
        if became.done and status == 201:
            headers["Location"] = f"{request.url.path.rstrip('/')}/{what}"
        return answer(request, told, status if became.done else 202, headers)

    async def _given(self, order: Order) -> int:
        if order.kind not in OF_FILES:
            return await self._asked.order(order)
        self._being_given[order.what] += 1
        try:
            number = await self._asked.order(order)
        finally:
            self._being_given -= Counter([order.what])
        self._begun[number] = order.what
        for old in list(self._begun)[:-BEGUN_AT_MOST]:
            del self._begun[old]
        return number

    async def is_wanted(self, file: str) -> bool:
        """Whether some order is about this file that is not over yet. Raises NodeGoneError."""
        if self._being_given[file]:
            return True
        for number in [number for number, what in self._begun.items() if what == file]:
            try:
                if not (await self._asked.became(number)).done:
                    return True
            except NodeRefusedError:
                pass  # it was another life of the node's
            self._begun.pop(number, None)
        return False

    async def became(self, number: int) -> Became:
        """Raises ProblemError for an order that there is not, or not any more; NodeGoneError."""
        try:
            return await self._asked.became(number)
        except NodeRefusedError as err:
            raise ProblemError("not-found", str(err).removeprefix("the node refused: ")) from err

    async def _awaited(self, number: int, wait_s: float) -> Became:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            became = await self._asked.became(number)
            passed = loop.time() - began
            if became.done or passed >= wait_s:
                return became
            await asyncio.sleep(LOOK_EVERY_S if passed < 1 else LOOK_LESS_OFTEN_S)


def _check_fits(order: Order) -> None:
    """Raises ProblemError for what the node cannot be told."""
    try:
        size = len(frame(order)) - HEAD
    except (OverflowError, ValueError, RecursionError):
        raise ProblemError("invalid", "body: has a number or a text that cannot be passed on") from None
    if size > ORDER_AT_MOST:
        raise ProblemError("invalid", "body: holds more than the node can be told at once")


def ordered(number: int, became: Became, url: str, *, name: str = "") -> Ordered:
    return Ordered(
        number=number,
        name=redact(name),
        done=became.done,
        failed=redact(became.failed),
        words=redact(became.words),
        url=url,
        unkept=redact(became.unkept),
    )


def _outcome(became: Became) -> str:
    if not became.done:
        return "begun"
    if became.unkept:
        return f"done, but not kept: {redact(became.unkept)}"
    return f"failed: {redact(became.failed)}" if became.failed else "done"
