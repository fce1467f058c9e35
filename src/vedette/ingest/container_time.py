"""One continuous time line out of the timestamps of a live stream."""

from __future__ import annotations

__all__ = ["Timeline"]

_MAX_JUMP = 5.0
"""Seconds by which timestamps may differ from the time that passed; what is more is a new origin."""

_TICK = 0.001
"""Seconds between frames that came in one read and of which nothing else is known."""


class Timeline:
    """Joins stretches of timestamps that have different origins.

    Needed because libavformat has no timestamp for an RTSP stream's first frame, because HLS and RTMP
    servers start anew from zero, and because MPEG-TS wraps every 26.5 hours. B-frames, which come a few
    frames out of order, are no jump.
    """

    def __init__(self) -> None:
        self._shift: float | None = None
        self._last: tuple[float, float] | None = None

    def at(self, pts: float | None, arrived: float) -> float:
        """The frame's place on the line, in seconds; ``pts`` None: the stream did not say."""
        if self._last is None:
            expected = arrived if pts is None else pts
        else:
            placed, before = self._last
            expected = placed + max(arrived - before, _TICK)
        if pts is None:
            placed = expected
        else:
            if self._shift is None or abs(pts + self._shift - expected) > _MAX_JUMP:
                self._shift = expected - pts
            placed = pts + self._shift
        self._last = (placed, arrived)
        return placed
