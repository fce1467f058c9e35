"""A session of a camera that another process still reads: decoded, and shown to nobody, until it takes over.

Two sessions of one camera overlap, so that none of its time is missed. What comes in here before is not
counted as received: the process that has the camera receives it, too.
"""

from __future__ import annotations

from collections.abc import Callable

from vedette.clock import Clock
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.capture import CaptureClock
from vedette.ingest.decode import DecodeFailed, Decoder

__all__ = ["Understudy"]


class Understudy:
    """Implements :class:`vedette.ingest.source.Receiver`. ``rung``: what is decoded of the camera now.
    ``ready`` is called once, from any thread, when there was a picture."""

    def __init__(self, clock: Clock, rung: Callable[[], Rung], ready: Callable[[], None]) -> None:
        self._clock, self._rung, self._ready = clock, rung, ready
        self.info: StreamInfo | None = None
        self.decoder: Decoder | None = None
        self.capture = CaptureClock(0.0)
        self.pictured = False
        self.last_pts: float | None = None
        self._number = -1
        """Counts down: the pipeline's own numbers count up from where they are."""

    @property
    def rung(self) -> Rung:
        """Everything until there was a picture: a stream may have no keyframe to wait for."""
        return self._rung() if self.pictured else Rung.ALL

    def opened(self, info: StreamInfo) -> None:
        self.info, self.decoder = info, Decoder(info)
        self.capture = CaptureClock(self._clock.wall() - self._clock.monotonic())

    def frame(self, frame: EncodedFrame) -> None:
        if self.decoder is None:
            return
        self.capture.captured(frame.pts, frame.arrived, frame.sender_time)
        self.last_pts = frame.pts
        if not self.decoder.wants(frame):
            return
        self._number -= 1
        try:
            pictures = self.decoder.decode(frame, self._number)
        except DecodeFailed as failed:
            pictures = failed.frames
        if pictures and not self.pictured:
            self.pictured = True
            self._ready()

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        if behind and self.decoder is not None:
            self.decoder.await_keyframe()

    def broken(self, count: int = 1) -> None:
        if self.decoder is not None:
            self.decoder.await_keyframe()

    def lost(self, packets: int) -> None:
        pass
