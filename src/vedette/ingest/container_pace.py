"""Giving frames out at the speed at which they were recorded."""

from __future__ import annotations

from vedette.clock import Clock
from vedette.ingest.container_thread import Stop

__all__ = ["Pacer"]

_MAX_JUMP = 5.0
"""Seconds off the schedule, early or late, after which it starts anew: a hole in the recording, or a machine
that was suspended, must neither freeze the stream nor pour out hours of it at once."""


class Pacer:
    """An absolute schedule (it does not drift): a frame is due at the first one's time plus its timestamp."""

    def __init__(self, clock: Clock, stop: Stop) -> None:
        self._clock = clock
        self._stop = stop
        self._origin: float | None = None

    def wait_for(self, timestamp: float) -> None:
        """Sleep until the frame stamped ``timestamp`` (seconds) is due, or the session is told to stop."""
        now = self._clock.monotonic()
        if self._origin is None or abs(self._origin + timestamp - now) > _MAX_JUMP:
            self._origin = now - timestamp
        ahead = self._origin + timestamp - now
        if ahead > 0:
            self._stop.wait(ahead)
