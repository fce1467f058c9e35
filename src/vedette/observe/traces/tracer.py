"""One trace for each frame it is given: where its time went, in any tool that reads OpenTelemetry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vedette.errors import ConfigError, redact
from vedette.frame_times import FrameTimes
from vedette.observe.traces.collector import Collector
from vedette.observe.traces.pace import Pace
from vedette.results import Result

if TYPE_CHECKING:  # OpenTelemetry is an extra, and takes a while to import
    from vedette.observe.traces.batches import Batches

__all__ = ["Tracer"]

FRAMES_AT_MOST = 256
"""Waiting to be sent, or on their way. Under 2 MB."""


class Tracer:
    """Sends traces to ``endpoint`` (``http://host:4318``), as OTLP over HTTP.

    ``node``: its name, the traces' ``service.instance.id``. ``wall_offset``: Unix seconds less monotonic
    seconds, asked for each frame. ``report``: told in a sentence, from another thread, of frames that did not
    get there: at once, after a minute, every ten minutes, and once when it works again. ``headers``: sent
    along, and never shown.

    Every frame it is given ends up in ``sent`` or in ``dropped``: there was no room, or the collector did not
    take it. Raises ConfigError where the endpoint or a header cannot be used.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        node: str,
        wall_offset: Callable[[], float],
        report: Callable[[str], None],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._collector = Collector(endpoint, headers or {})
        self._node, self._wall_offset, self._report = node, wall_offset, report
        self._batches: Batches | None = None
        self._lock = threading.Lock()
        self._over = False
        self._waiting = self.sent = self.dropped = 0
        self._pace = Pace()
        self._told = self._seen = 0
        self._trouble = ""

    def __repr__(self) -> str:
        return f"Tracer({str(self._collector)!r})"

    def start(self) -> None:
        """Begin to send. Raises ConfigError where OpenTelemetry is not installed."""
        try:
            from vedette.observe.traces.batches import Batches
        except ImportError:
            raise ConfigError("traces need OpenTelemetry: pip install 'vedette[traces]'") from None
        from vedette import __version__

        self._batches = Batches(self._collector, self._node, __version__, FRAMES_AT_MOST, self._done)

    def frame(self, result: Result, times: FrameTimes) -> None:
        """Take a frame. Never blocks, and raises nothing; from any thread, after ``start``."""
        with self._lock:
            # Counted here, and not left to the processor: it would cut frames in pieces, and log each.
            if self._batches is None or self._over or self._waiting >= FRAMES_AT_MOST:
                self.dropped += 1
                return
            try:
                self._batches.put(result, times, round(self._wall_offset() * 1e9))
            except Exception:  # a trace is worth no frame: whatever is wrong with it, the result goes on
                self.dropped += 1
            else:
                self._waiting += 1

    def close(self, within_s: float) -> None:
        """Send what waits; after so many seconds, what still waits is dropped."""
        with self._lock:
            self._over = True
        if self._batches is None:
            return
        self._batches.close(within_s)
        with self._lock:
            self._batches = None
            self.dropped += self._waiting
            self._waiting = 0
            lost, trouble = self.dropped - self._told, self._trouble
        if lost:
            self._tell(f"{_traces(lost)} not sent: {trouble or 'the time was over'}")

    def _done(self, frames: int, trouble: str) -> None:
        """Frames left, or did not. On the sending thread."""
        with self._lock:
            if self._batches is None:
                return  # closed meanwhile, and counted there
            self._waiting -= frames
            self._trouble = trouble
            if trouble:
                self.dropped += frames
            else:
                self.sent += frames
            well, self._seen = self.dropped == self._seen, self.dropped
            now, lost = time.monotonic(), self.dropped - self._told
            if self._over or not (self._pace.taken(now) if well else self._pace.lost(now)):
                return
            self._told = self.dropped
        if well:
            self._tell("they are taken again" + (f"; {_traces(lost)} not sent meanwhile" if lost else ""))
        else:
            self._tell(f"{_traces(lost)} not sent: {trouble or 'it takes them too slowly'}")

    def _tell(self, what: str) -> None:
        try:
            self._report(redact(f"traces to {self._collector}: {what}"))
        except Exception:  # somebody else's observer
            return


def _traces(frames: int) -> str:
    return "the trace of 1 frame was" if frames == 1 else f"the traces of {frames} frames were"
