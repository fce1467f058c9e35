"""What the dashboard asks its node, and how: over the control socket, as ``vedette top`` does.

All of it may be asked again and again by as many pages as there are: answers are held for a moment, and asked
for once, however many wait for them.
"""

from __future__ import annotations

from typing import Any, Protocol

from vedette.control.protocol import Became, Gave, Happened, Looked, Order
from vedette.errors import VedetteError
from vedette.observe.views import NodeView

__all__ = ["Node", "NodeGoneError"]


class NodeGoneError(VedetteError):
    """The node does not answer now; it may later."""


class Node(Protocol):
    """One node. Every method raises NodeGoneError where it does not answer."""

    async def view(self, *, details: bool = False) -> NodeView:
        """What it looks like now, at most half a second old. ``details``: with the stage times of each
        camera."""
        ...

    async def look(
        self, cameras: tuple[str, ...], width: int, since: float = 0.0, dropped: int = 0
    ) -> Looked:
        """The newest analysed pictures of these cameras that were captured after ``since`` (Unix seconds),
        at most ``width`` pixels wide. A camera that was not looked at lately gives its first one a moment
        later: ask again. Names that there are not are left out. ``dropped``: pictures that viewers were too
        slow for since the last look; the node counts them."""
        ...

    async def results(self, after: int, most: int = 500) -> Gave:
        """Results numbered above ``after``; with -1 none, but the number to go on from. Those that there was
        no room for are counted (``missed``)."""
        ...

    async def happenings(self, after: int, most: int = 500) -> Happened:
        """What was told of cameras, workers and alerts, numbered above ``after``; 0 = all that is known."""
        ...

    async def order(self, order: Order) -> int:
        """Let it do something; returns the number to ask for. Raises ControlError where it refuses."""
        ...

    async def became(self, number: int) -> Became:
        """What became of an order. Raises ControlError for one that was never given."""
        ...

    async def configuration(self) -> dict[str, Any]:
        """What it watches now, as the keys of the YAML file; credentials are left out of addresses."""
        ...
