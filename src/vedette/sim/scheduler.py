"""One timer for all cameras: whatever is due is sent in one go."""

from __future__ import annotations

import asyncio
import heapq
import math

from vedette.clock import Clock
from vedette.sim.camera import SimulatedCamera

__all__ = ["Scheduler"]


class Scheduler:
    """Sends frames when they are due: never before, and up to a millisecond after, which is how finely
    event loops count. Cameras that nobody watches cost nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, SimulatedCamera]] = []
        self._scheduled: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    def wake(self, camera: SimulatedCamera) -> None:
        """See to it that ``camera`` sends from now on."""
        if camera.index in self._scheduled:
            return
        camera.catch_up(self._clock.monotonic())
        self._scheduled.add(camera.index)
        heapq.heappush(self._due, (camera.due(camera.number), camera.index, camera))
        if self._due[0][1] == camera.index:
            self._arm()

    def stop(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due.clear()
        self._scheduled.clear()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            # Whole milliseconds, up: libuv counts in them, and a timer that fires early would spin.
            now = math.floor(self._clock.monotonic() * 1000)
            wait = max(0, math.ceil(self._due[0][0] * 1000) - now) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            self._send_due(self._clock.monotonic())
        finally:
            # Whatever went wrong with one frame (a fault that raises), the cameras go on.
            self._arm()

    def _send_due(self, now: float) -> None:
        due = self._due
        while due and due[0][0] <= now:
            _, index, camera = due[0]
            if camera.readers:
                number = camera.take(now)
                heapq.heapreplace(due, (camera.due(camera.number), index, camera))
                camera.send(number)
            else:
                heapq.heappop(due)
                self._scheduled.discard(index)
