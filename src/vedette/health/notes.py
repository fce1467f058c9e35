"""What a pipeline notes down about its stream on the way: a few numbers per frame, no judgement.

Written on whatever thread frames come in on, read by the camera's health four times a second. Every field has
one writer at a time, and a number read a moment too early only tells of the moment before.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from vedette.facts import SessionEnd
from vedette.frame import StreamInfo
from vedette.health.arrivals import Arrivals

__all__ = ["Notes"]

EVENTS_AT_MOST = 64
"""Between two looks. A stream that jumps more often than that is no less out of its mind for it."""

STEP_S = 1.0
"""Timestamps that run off from the arrivals by more than this are no jitter: the stream's clock jumped."""

STEPS_AT_MOST = 32
"""Of the events; the others, sessions above all, must find room."""

LOOK_EVERY_S = 1.0

UNANSWERED_S = 10.0
"""How long results may be missing while it is not known how often a camera has its turn."""


class Notes:
    """Of one camera, across its sessions."""

    def __init__(self) -> None:
        self.arrivals, self.pictures = Arrivals(), Arrivals()
        self.opened_at = self.last_arrival = self.last_picture = 0.0
        """Monotonic seconds; 0.0 before the first."""
        self.size = (0, 0)
        self.events: deque[tuple[str, float, Any]] = deque(maxlen=EVENTS_AT_MOST)
        """(``opened``, at, StreamInfo), (``ended``, at, SessionEnd), (``stepped``, at, seconds) and
        (``picture``, at, size)."""
        self.wants_picture = True
        """The next picture is worth an event: it is the first after the start, or after a blindness."""
        self.received = self.broken = self.unready = self.behind = self.lost_packets = 0
        """Frames that arrived, were damaged, waited for a keyframe, found our backlog full; packets that
        never came."""
        self.decodes = self.taken = self.results = self.keyframes = 0
        self.decode_s = self.lag_s = self.queued_s = self.wait_s = self.age_s = 0.0
        """Sums in seconds. Over the decodes: in the decoder, capture to arrival, arrival to decoder; over the
        pictures taken: before the detector; over the results: their age."""
        self.cuts: deque[tuple[float, int]] = deque(maxlen=EVENTS_AT_MOST)
        """When tracks were cut, and how many."""
        self.steps_dropped = 0
        """Steps of the stream's clock beyond those that matter."""
        self.answers = Arrivals(UNANSWERED_S)
        self.last_answer = self.unanswered_since = 0.0
        """When a result left last, and when the first picture came after it."""
        self.to_look_at: Any = None
        """A picture (an ``av.VideoFrame``) whose features are due."""
        self._look_due = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """All but the picture: that stays in the process that decoded it."""
        return {**self.__dict__, "to_look_at": None}

    def opened(self, at: float, info: StreamInfo) -> None:
        self.opened_at = at
        self.arrivals.restart()
        self.pictures.restart()
        self.events.append(("opened", at, info))

    def ended(self, at: float, end: SessionEnd) -> None:
        self.events.append(("ended", at, end))

    def arrived(self, at: float) -> None:
        """A frame came, whatever becomes of it."""
        self.received += 1
        self.last_arrival = at
        self.arrivals.note(at)

    def timed(self, by_stream: float, ahead: float, at: float) -> None:
        """A frame's timestamp: ``by_stream`` seconds after the last one's, and ``ahead`` of where any frame
        that the network did not hold up would have it.

        Frames that were held up are behind: no step. Frames of a codec that reorders step back by less than a
        second.
        """
        if by_stream >= -STEP_S and ahead <= STEP_S:
            return
        if len(self.events) < STEPS_AT_MOST:
            self.events.append(("stepped", at, by_stream if by_stream < -STEP_S else ahead))
        else:
            self.steps_dropped += 1

    def decoded(self, seconds: float, *, lag: float, waited: float) -> None:
        self.decodes += 1
        self.decode_s += seconds
        self.lag_s += lag
        self.queued_s += waited

    def picture(self, at: float, width: int, height: int) -> None:
        """A usable picture came out of the decoder."""
        self.sized(at, width, height)
        self.undecoded(at)

    def sized(self, at: float, width: int, height: int) -> None:
        """A picture that was counted when it came is so large."""
        if self.wants_picture or self.size != (width, height):
            self.wants_picture = False
            self.events.append(("picture", at, (width, height)))
        self.size = (width, height)

    def undecoded(self, at: float) -> None:
        """A picture is there for the asking: decoded, or a keyframe of a stream whose last one was good."""
        if self.last_picture <= self.last_answer:
            self.unanswered_since = at
        self.last_picture = at
        self.pictures.note(at)

    def emitted(self, age: float, at: float) -> None:
        """A result left."""
        self.last_answer = at
        self.answers.note(at)
        self.results += 1
        self.age_s += age

    def still(self, at: float, image: Any, *, answered: bool) -> None:
        """Nothing moved in a picture, so that no detector is asked: that is an answer, too, where those that
        it was asked for were ``answered``."""
        if answered:
            self.last_answer = at
        self._show(at, image)

    def chosen(self, at: float, image: Any, waited: float) -> None:
        """A detector took a picture that had waited for it so long."""
        self.taken += 1
        self.wait_s += waited
        self._show(at, image)

    def _show(self, at: float, image: Any) -> None:
        if at >= self._look_due:
            self._look_due = at + LOOK_EVERY_S
            self.to_look_at = image
