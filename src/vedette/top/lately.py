"""What held the node back in the last seconds, not since its start hours ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vedette.observe.views import NodeView

if TYPE_CHECKING:
    from vedette.observe.bottleneck import Bottleneck

__all__ = ["Lately"]

OVER_S = 10.0
"""Between the two views that are compared: long enough to hold still."""


class Lately:
    """Keeps two earlier views, and compares the newest with the one that is old enough."""

    def __init__(self) -> None:
        self._older: NodeView | None = None
        self._newer: NodeView | None = None

    def bottleneck(self, view: NodeView) -> str:
        """A sentence with its numbers; empty while the node has done nothing."""
        found = self.find(view)
        return found.sentence if found else ""

    def find(self, view: NodeView) -> Bottleneck | None:
        """None while the node has done nothing."""
        from vedette.observe.bottleneck import find_bottleneck

        if self._newer is None or view.uptime_s < self._newer.uptime_s:
            self._older, self._newer = None, view  # another run of the node
        elif view.uptime_s - self._newer.uptime_s >= OVER_S:
            self._older, self._newer = self._newer, view
        return find_bottleneck(view, before=self._older) if view.cameras else None
