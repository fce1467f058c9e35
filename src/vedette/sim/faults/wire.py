"""What happens to packets between a camera and its reader: narrow lines, jitter, bursts, losses."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Iterable, Sequence

from vedette.clock import Clock
from vedette.sim import rtp
from vedette.sim.faults.kinds import Options, number_in
from vedette.sim.link import Link

__all__ = ["Conditions", "FaultyLink"]

_LEAST_WAIT_S = 0.001
"""Event loops count in milliseconds; a timer that fires early would spin."""

_CREDIT_S = 0.01
"""A narrow line makes good for timers that fire late by at most this much."""


class Conditions:
    """The line of one camera, as it is now; all its links look at it. ``silent``: nothing gets through."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.silent = False
        self.set(())

    def set(self, faults: Iterable[tuple[str, Options]]) -> None:
        """Kinds and options of the faults that act on the line from now on; of two of a kind the later."""
        found = dict(faults)
        slow, jitter, burst = found.get("slow", {}), found.get("jitter", {}), found.get("burst", {})
        self.bytes_per_s = number_in(slow, "kbps") * 125
        self.buffer = int(number_in(slow, "buffer") * 1024)
        self.jitter = number_in(jitter, "by")
        self.hold = number_in(burst, "hold")
        self.loss = number_in(found.get("loss", {}), "share")
        self.delays = bool(self.bytes_per_s or self.jitter or self.hold)
        self.perfect = not (self.delays or self.loss)

    def release(self, now: float) -> float:
        """When a frame that is due now gets onto the line."""
        if self.jitter:
            now += self._draw.uniform(0, 2 * self.jitter)
        return math.ceil(now / self.hold) * self.hold if self.hold else now

    def lost(self) -> bool:
        return self._draw.random() < self.loss


class FaultyLink:
    """A link under ``conditions``. Order is always kept, RTCP included; it holds no more than what
    :attr:`capacity` allows its reader, and one frame."""

    def __init__(self, link: Link, conditions: Conditions, clock: Clock) -> None:
        self._link, self._conditions, self._clock = link, conditions, clock
        self._queue: deque[tuple[float, bytes, bool]] = deque()
        self._waiting = 0
        self._last = self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def buffered(self) -> int:
        return self._waiting + self._link.buffered

    @property
    def capacity(self) -> int:
        return self._conditions.buffer or self._link.capacity

    @property
    def closed(self) -> bool:
        return self._link.closed

    def frame(self, payloads: Sequence[bytes], sequence: int, timestamp: int, ssrc: int) -> bool:
        conditions = self._conditions
        if conditions.perfect and not self._queue and not conditions.silent:
            return self._link.frame(payloads, sequence, timestamp, ssrc)
        release = self._release()
        for packet in rtp.packets(payloads, sequence, timestamp, ssrc):
            if not (conditions.loss and conditions.lost()):
                self._put(release, packet, control=False)
        self._flush()
        return not self._link.closed

    def packet(self, packet: bytes, *, control: bool) -> None:
        if self._conditions.perfect and not self._queue and not self._conditions.silent:
            self._link.packet(packet, control=control)
            return
        # As late as the frame before it, not drawn anew: it must not hold up the next one.
        self._put(max(self._last, self._clock.monotonic()), packet, control=control)
        self._flush()

    def discard(self) -> None:
        """Forget what waits."""
        self._queue.clear()
        self._waiting = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _release(self) -> float:
        self._last = max(self._last, self._conditions.release(self._clock.monotonic()))
        return self._last

    def _put(self, release: float, packet: bytes, *, control: bool) -> None:
        self._queue.append((release, packet, control))
        self._waiting += len(packet)

    def _flush(self) -> None:
        """Send what is due, and come back for the rest."""
        if self._conditions.silent or self._link.closed:
            self.discard()
            return
        now = self._clock.monotonic()
        rate = self._conditions.bytes_per_s
        due = not self._conditions.delays  # all is well again: whatever waits may go
        while self._queue and (due or self._queue[0][0] <= now) and not (rate and self._free_at > now):
            _, packet, control = self._queue.popleft()
            self._waiting -= len(packet)
            self._link.packet(packet, control=control)
            if rate:
                self._free_at = max(self._free_at, now - _CREDIT_S) + len(packet) / rate
        self._arm(now)

    def _arm(self, now: float) -> None:
        if self._queue and self._timer is None:
            next_at = max(self._queue[0][0], self._free_at if self._conditions.bytes_per_s else 0.0)
            wait = max(_LEAST_WAIT_S, next_at - now)
            self._timer = asyncio.get_running_loop().call_later(wait, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._flush()
