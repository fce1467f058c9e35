"""A simulated camera: a clip on a timeline that runs whether or not anybody watches."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from vedette.sim.clip import Clip
from vedette.sim.reader import Reader
from vedette.sim.rtp import CLOCK_RATE

__all__ = ["Counts", "SimulatedCamera"]

MAX_LATE_S = 1.0
"""When the simulator itself was held up for longer (machine suspended), frames are left out, not sent in a
burst: a camera's encoder does not wait either."""


@dataclass(slots=True)
class Counts:
    """Frames of one camera, all readers together: sent, dropped because the reader was slow (or UDP full),
    withheld by a fault, left out because the simulator was late."""

    sent: int = 0
    dropped: int = 0
    withheld: int = 0
    late: int = 0


class SimulatedCamera:
    """Frame ``n`` is due at ``start + phase + n / fps`` (monotonic seconds) and shows clip frame
    ``(n + offset) % len(clip.units)``. Offset, phase and RTP numbers are drawn from ``seed`` and ``index``.
    """

    def __init__(self, index: int, name: str, clip: Clip, *, fps: float, seed: int) -> None:
        draw = random.Random(f"{seed}/{index}")
        self.index, self.name, self.clip, self.fps = index, name, clip, fps
        self.offset = draw.randrange(len(clip.units))
        self.phase = draw.random() / fps
        self.ssrc = draw.getrandbits(32)
        self.timestamp_base = draw.getrandbits(32)
        self.counts = Counts()
        self.readers: list[Reader] = []
        self.number = 0
        self._first = 0.0
        self._report_shift = 0

    def start(self, at: float) -> None:
        """Begin the timeline at ``at`` (monotonic seconds)."""
        self._first = at + self.phase

    def due(self, number: int) -> float:
        """Monotonic second at which frame ``number`` is due."""
        return self._first + number / self.fps

    def slot(self, number: int) -> int:
        """Clip frame that frame ``number`` shows."""
        return (number + self.offset) % len(self.clip.units)

    def timestamp(self, number: int) -> int:
        """RTP timestamp of frame ``number``; it never notices that the clip loops."""
        return (self.timestamp_base + round(number * CLOCK_RATE / self.fps)) & 0xFFFFFFFF

    def timestamp_at(self, at: float) -> int:
        """What this camera's RTP clock shows at a monotonic second, as its sender reports have it."""
        ticks = round((at - self._first) * CLOCK_RATE)
        return (self.timestamp_base + self._report_shift + ticks) & 0xFFFFFFFF

    def shift_clock(self, seconds: float, *, reported: bool) -> None:
        """Move the RTP clock; sender reports follow it if ``reported``."""
        ticks = round(seconds * CLOCK_RATE)
        self.timestamp_base = (self.timestamp_base + ticks) & 0xFFFFFFFF
        self._report_shift -= 0 if reported else ticks

    def place(self, at: float) -> int:
        """Clip frame that the newest frame at a monotonic second shows."""
        return self.slot(math.floor((at - self._first) * self.fps))

    def show(self, clip: Clip) -> None:
        """Play another clip from the next frame on."""
        self.clip = clip
        self.restart()

    def restart(self) -> None:
        """Every reader's next frame is a keyframe."""
        for reader in self.readers:
            reader.begin(self.number)

    def catch_up(self, now: float) -> None:
        """Nobody watched until now: the next frame is the next one due."""
        self.number = math.ceil((now - self._first) * self.fps)

    def add(self, reader: Reader) -> None:
        reader.begin(self.number)
        self.readers.append(reader)

    def take(self, now: float) -> int:
        """The number of the frame that is due; ``number`` is the next one from here on."""
        if now - self.due(self.number) > MAX_LATE_S:
            self._skip(now)
        self.number += 1
        return self.number - 1

    def send(self, number: int) -> None:
        """Send frame ``number`` to all readers."""
        # A copy: a fault may end a reader meanwhile.
        for reader in tuple(self.readers):
            reader.deliver(number)

    def _skip(self, now: float) -> None:
        behind = self.number
        # The newest frame that is due, not the next one: it goes out now.
        self.number = math.floor((now - self._first) * self.fps)
        self.counts.late += self.number - behind
        for reader in self.readers:
            reader.begin(self.number)
