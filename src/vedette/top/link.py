"""The connection of ``vedette top`` to its node: found by name, pid or path, and found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vedette.control.client import ControlClient
from vedette.control.protocol import ControlError
from vedette.control.where import NodeAddress, choose_node, find_nodes
from vedette.observe.views import NodeView

__all__ = ["Link"]


class Link:
    """Views of one node. ``wanted``: its name, its pid, the path of its socket, or None for the only one.

    Once it was found, a node of the same name that takes its place is followed. Blocks; to be used by one
    thread. ``close`` may be called by another.
    """

    def __init__(
        self, wanted: str | None = None, *, nodes: Callable[[], list[NodeAddress]] = find_nodes
    ) -> None:
        self._wanted, self._nodes = wanted, nodes
        self._client: ControlClient | None = None
        self._closed = False
        self.label = wanted or ""
        """How to call the node: ``name (pid)``, or its path."""

    def fetch(self, details: bool = False) -> NodeView:
        """What it looks like now. Raises ControlError; the next call tries anew."""
        if self._client is not None:
            try:
                return self._client.view(details)
            except ControlError:
                self._hang_up()  # it drops those who were silent for long; or it is another one by now
        try:
            return self._connect().view(details)
        except ControlError:
            self._hang_up()
            raise

    def close(self) -> None:
        """Whoever waits in ``fetch`` gets a ControlError."""
        self._closed = True
        self._hang_up()

    def _connect(self) -> ControlClient:
        if self._closed:
            raise ControlError("closed")
        if self._wanted is not None and "/" in self._wanted:
            self._client = ControlClient.connect(Path(self._wanted))
            return self._client
        nodes = self._nodes()
        node = choose_node(self._wanted, nodes)
        client = self._client = ControlClient.connect(node.path)
        # From now on this one is meant, and its successor of the same name if that is its alone.
        alone = [other.name for other in nodes].count(node.name) == 1
        self._wanted, self.label = node.name if alone else str(node.pid), str(node)
        return client

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
