"""Everything that keeps a camera from seeing at the same time, and which of it is named. Pure.

| rank | claim | made by | withdrawn by |
|---|---|---|---|
| 0 | paused | the operator | resumed |
| 1 | no stream (the causes of ``LINK``), or its worker lost | the worker, the node | Sees |
| 2… | a picture with nothing to see in it, in the order of ``PICTURE`` | the worker | Recovered |
| last | no detector | the node | the detector is back |

The lowest rank is named. A picture's claim stands through a stalled stream, hidden by it: who said Degraded
says Recovered, and until then a camera that was frozen, stalled, and sends again is still frozen. Otherwise
it ends only with the memory of whoever made it: the worker died, the camera was paused or added again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vedette.causes import LINK, PICTURE, Blame, Cause, explains_more

__all__ = ["DETAIL_AT_MOST", "Claim", "Claims", "no_detector", "shorten"]

DETAIL_AT_MOST = 300
"""Characters. A row of the ledger is read by people."""

_PAUSED, _STREAM, _PICTURE = 0, 1, 2
_DETECTOR = _PICTURE + len(PICTURE)


_ROWS_OF_THEIR_OWN = ("worker", "anew")
"""What is the matter with the stream later on is told in another row."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What blinds a camera since ``since`` (µs). Claims with the same ``row`` share a row of the ledger."""

    rank: int
    row: str
    cause: Cause
    blame: Blame
    since: int
    detail: str = ""
    tracks: int = 0
    """Open tracks that ended with it."""
    met: Mapping[Cause, int] = field(default_factory=dict)
    """How often each cause was said in this outage, in the order in which they came."""


def no_detector(since: int, detail: str) -> Claim:
    """The claim that all cameras of a node share while no detector is running."""
    return Claim(_DETECTOR, "detector", Cause.DETECTOR_LOST, Blame.INFERENCE, since, shorten(detail))


class Claims:
    """What is the matter with one camera. Times in ledger µs."""

    def __init__(self, detector: Claim | None) -> None:
        self.detector = detector
        self.paused: Claim | None = None
        self.stream: Claim | None = None
        self._picture: dict[Cause, Claim] = {}

    @property
    def top(self) -> Claim | None:
        """The one that is named; None: the camera sees."""
        picture = next((self._picture[cause] for cause in PICTURE if cause in self._picture), None)
        return self.paused or self.stream or picture or self.detector

    def pause(self, now: int, detail: str, tracks: int = 0) -> None:
        """Whatever else was the matter is not waited for any more."""
        self.stream = None
        self._picture.clear()
        self.paused = Claim(_PAUSED, "paused", Cause.PAUSED, Blame.OPERATOR, now, shorten(detail), tracks)

    def start(self, now: int) -> None:
        """Not paused any more, and nothing is known of the picture. What is wrong with the stream stays."""
        self.paused = None
        self._picture.clear()
        if self.stream is None:
            met = {Cause.STARTING: 1}
            self.stream = Claim(_STREAM, "link", Cause.STARTING, Blame.NODE, now, met=met)

    def change(self, now: int, blame: Blame = Blame.NODE, detail: str = "", tracks: int = 0) -> None:
        """It is opened anew, as another camera so to speak: nothing is known of it. A pause goes on."""
        self._picture.clear()
        self.stream = None
        if self.paused is None:
            met = {Cause.STARTING: 1}
            self.stream = Claim(_STREAM, "anew", Cause.STARTING, blame, now, shorten(detail), tracks, met)

    def picture(self, cause: Cause, blame: Blame, since: int, detail: str) -> None:
        """There is nothing to see in the pictures: ``cause`` in :data:`vedette.causes.PICTURE`."""
        rank = _PICTURE + PICTURE.index(cause)
        self._picture[cause] = Claim(rank, cause, cause, blame, since, shorten(detail))

    def picture_is_back(self, cause: Cause) -> bool:
        """That is over; False if it was not the matter."""
        return self._picture.pop(cause, None) is not None

    def no_stream(self, cause: Cause, blame: Blame, since: int, detail: str) -> bool:
        """The worker says so. Returns whether it is worth telling of, if it changes nothing but the detail.

        A camera that refuses us all night shall not have a row written each time: 1, 2, 4, 8… times are told.
        """
        old = self.stream
        before = {} if old is None or old.row in _ROWS_OF_THEIR_OWN else old.met
        met = {**before, cause: before.get(cause, 0) + 1}
        worth_telling = met[cause] & (met[cause] - 1) == 0
        if old is not None and old.row in _ROWS_OF_THEIR_OWN:
            if cause is Cause.STARTING:
                return False  # it starts because its worker was lost, or it was changed
        elif old is not None and _explains_less(cause, old.cause):
            cause, blame = old.cause, old.blame
        self.stream = Claim(_STREAM, "link", cause, blame, since, _sequence(met, detail), met=met)
        return worth_telling

    def worker_lost(self, since: int, detail: str, tracks: int) -> None:
        """Nobody reads the camera; what its worker knew is gone."""
        old = self.stream if self.stream is not None and self.stream.row == "worker" else None
        met = {Cause.WORKER_LOST: 1}
        if old is not None:
            met, tracks = {Cause.WORKER_LOST: old.met[Cause.WORKER_LOST] + 1}, tracks + old.tracks
        self._picture.clear()
        text = _sequence(met, detail)
        self.stream = Claim(_STREAM, "worker", Cause.WORKER_LOST, Blame.NODE, since, text, tracks, met)

    def quarantined(self, detail: str) -> None:
        """Whoever read it is not started again for now; nothing changes where that is not the matter."""
        if self.stream is not None and self.stream.row == "worker":
            self.stream = replace(self.stream, detail=shorten(detail))

    def stream_is_back(self) -> bool:
        """The camera sends pictures; False if that is no news."""
        was, self.stream = self.stream, None
        return was is not None


def _explains_less(new: Cause, old: Cause) -> bool:
    return new in LINK and old in LINK and explains_more(old, new)


def _sequence(met: Mapping[Cause, int], latest: str) -> str:
    """What an outage went through, and the latest detail: ``stalled, then refused ×12: 503``."""
    said = {cause: count for cause, count in met.items() if cause is not Cause.STARTING}
    if sum(said.values()) <= 1:
        return shorten(latest)
    words = ", then ".join(cause if count == 1 else f"{cause} ×{count}" for cause, count in said.items())
    return shorten(f"{words}: {latest}" if latest else words)


def shorten(text: str) -> str:
    """At most :data:`DETAIL_AT_MOST` characters of it."""
    return text if len(text) <= DETAIL_AT_MOST else text[: DETAIL_AT_MOST - 1] + "…"
