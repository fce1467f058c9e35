"""When a camera's next picture may be analysed at the earliest: ``max_fps``, or the ladder's limit."""

from __future__ import annotations

from typing import Any

__all__ = ["Turns"]


class Turns:
    """One camera's. Writes ``not_before`` into ``row`` of the shared table, where who chooses reads it.

    ``max_fps``: None = no limit but the ladder's, which is in the row.
    """

    def __init__(self, row: Any, max_fps: float | None) -> None:
        self._row = row
        self._interval = 1.0 / max_fps if max_fps else 0.0
        self._slack = 0.0
        """By how much ``not_before`` is earlier than the turn it stands for, in seconds."""
        row["not_before"] = 0.0

    def go_on(self, not_before: float, slack: float) -> None:
        """From where another process was."""
        self._row["not_before"], self._slack = not_before, slack

    @property
    def slack(self) -> float:
        """What ``go_on`` wants to know, in seconds."""
        return self._slack

    def taken(self, now: float, *, keyframes_only: bool) -> None:
        """A picture was chosen."""
        row = self._row
        interval = max(self._interval, float(row["limit"]))
        if not interval:
            row["not_before"] = 0.0
            return
        # Keyframes come seldom: the one that is nearest to its turn is taken when it comes.
        slack = min(interval, float(row["keyframe_every"])) / 2 if keyframes_only else 0.0
        # On a grid, so that 25 fps limited to 10 gives 10 and not 8.3; a pause earns nothing.
        slot = float(row["not_before"]) + self._slack
        on_time = now - slot < interval
        self._slack = slack
        row["not_before"] = (slot if on_time else now) + interval - slack

    def too_early(self, now: float) -> bool:
        """Whether nothing that comes now may be analysed now."""
        return bool(now < self._row["not_before"])
