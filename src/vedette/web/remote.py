"""A node over its control socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from vedette.control.client import ControlClient
from vedette.control.protocol import (
    Became,
    Configured,
    ControlError,
    Gave,
    Happened,
    Happenings,
    Look,
    Looked,
    NodeRefusedError,
    Order,
    Results,
    Settings,
)
from vedette.observe.views import NodeView
from vedette.web.node import NodeGoneError

__all__ = ["RemoteNode"]

VIEW_HOLDS_S = 0.5

T = TypeVar("T")


class RemoteNode:
    """A :class:`vedette.web.node.Node`. Two connections: one for what may take a moment (views, orders), one
    for pictures and results, which are asked for many times a second. They are made when something is asked,
    and again where the node was away."""

    def __init__(self, path: Path) -> None:
        self._slow, self._quick = _Line(path), _Line(path)
        self._views: dict[bool, tuple[float, NodeView]] = {}
        self._viewing = asyncio.Lock()

    async def view(self, *, details: bool = False) -> NodeView:
        async with self._viewing:
            asked_at, view = self._views.get(details, (-VIEW_HOLDS_S, NodeView()))
            now = time.monotonic()
            if now - asked_at >= VIEW_HOLDS_S:
                view = await self._slow.ask(lambda client: client.view(details))
                self._views[details] = now, view
            return view

    async def look(
        self, cameras: tuple[str, ...], width: int, since: float = 0.0, dropped: int = 0
    ) -> Looked:
        request = Look(cameras=cameras, width=width, since=since, dropped=dropped)
        return await self._quick.ask(lambda client: client.ask(request, Looked))

    async def results(self, after: int, most: int = 500) -> Gave:
        return await self._quick.ask(lambda client: client.ask(Results(after=after, most=most), Gave))

    async def happenings(self, after: int, most: int = 500) -> Happened:
        return await self._quick.ask(lambda client: client.ask(Happenings(after=after, most=most), Happened))

    async def order(self, order: Order) -> int:
        return await self._slow.ask(lambda client: client.order(order), once=True)

    async def became(self, number: int) -> Became:
        return await self._slow.ask(lambda client: client.became(number))

    async def configuration(self) -> dict[str, Any]:
        return (await self._slow.ask(lambda client: client.ask(Configured(), Settings))).keys

    def close(self) -> None:
        """Whoever waits for an answer gets a NodeGoneError."""
        for line in (self._slow, self._quick):
            line.close()


class _Line:
    """One connection, and the one thread that may block on it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._client: ControlClient | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vedette-ask")

    async def ask(self, question: Callable[[ControlClient], T], *, once: bool = False) -> T:
        """``once``: it must not be asked again where no answer comes: the node may have heard it. Raises
        NodeGoneError; NodeRefusedError where the node answers, and refuses."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question, once)
        except RuntimeError as err:  # closed meanwhile
            raise NodeGoneError("the dashboard is being closed") from err

    def _ask(self, question: Callable[[ControlClient], T], once: bool) -> T:
        if once:
            self._hang_up()  # of an old connection it would not be known whether it still stands
        for last in (False, True):
            fresh = self._client is None
            try:
                if self._client is None:
                    self._client = ControlClient.connect(self._path)
                return question(self._client)
            except NodeRefusedError:
                raise
            except ControlError as err:
                self._hang_up()
                # An idle connection is closed by the node: that is no reason to say it is gone.
                if fresh or last:
                    raise NodeGoneError(str(err)) from err
        raise AssertionError("the second try returns or raises")

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def close(self) -> None:
        client = self._client
        self._thread.shutdown(wait=False, cancel_futures=True)
        if client is not None:
            client.close()
