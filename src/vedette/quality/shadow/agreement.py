"""How far two detectors agree, over the frames that both have seen. Pure.

Agreement is 2 × both / (2 × both + only one's): the F1 that either would have if the other were the truth.
1 = they find the same, 0 = nothing in common. Its interval is over stretches of ten seconds of a camera, not
over frames: what stands in a picture now stands in the next one, too, and says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vedette.histogram import BUCKETS, bucket_of, percentile
from vedette.quality.estimates.ratio import Shares, classical
from vedette.quality.shadow.compare import Told

__all__ = ["LEVEL", "STRETCH_S", "Agreement", "Tally", "agreement_of", "summed", "warm"]

STRETCH_S = 10.0
STRETCHES_AT_MOST = 512
"""Of a camera; an hour and a half. Where it becomes more, each is made twice as long: fewer and more
independent. Of a thousand cameras the interval is worked out in some 20 ms then."""

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Agreement:
    """0…1, and where it lies with a confidence of :data:`LEVEL`. ``stretches``: with something in them."""

    value: float
    lower: float
    upper: float
    stretches: int


@dataclass(slots=True)
class Tally:
    """Of one camera."""

    frames: int = 0
    both: int = 0
    only_running: int = 0
    only_candidate: int = 0
    failed: int = 0
    """Frames on which the candidate failed; they count nowhere else."""
    took_s: float = 0.0
    times: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(BUCKETS, np.uint32))
    """A :mod:`vedette.histogram` of the seconds that the candidate had a frame."""
    stretch_s: float = STRETCH_S
    _places: dict[int, int] = field(default_factory=dict)
    """Number of a stretch → its place among them."""
    _counts: NDArray[np.int64] = field(default_factory=lambda: _room())
    """Of each: agreeing boxes (of both), and all boxes (of both)."""

    def add(self, told: Told, at: float, took: float) -> None:
        """``at``: when the frame was captured, seconds of any one clock. ``took``: by the candidate."""
        self.frames += 1
        self.both += told.both
        self.only_running += told.only_running
        self.only_candidate += told.only_candidate
        self.took_s += took
        self.times[bucket_of(took)] += 1
        agreeing = 2 * told.both
        self._put(int(at // self.stretch_s), (agreeing, agreeing + told.differing))
        if len(self._places) > STRETCHES_AT_MOST:
            self._lengthen()

    def _put(self, number: int, counts: tuple[int, int] | NDArray[np.int64]) -> None:
        self._counts[self._places.setdefault(number, len(self._places))] += counts

    def _lengthen(self) -> None:
        self.stretch_s *= 2
        places, counts = self._places, self._counts
        self._places, self._counts = {}, _room()
        for number, place in places.items():
            self._put(number // 2, counts[place])

    def took(self, share: float) -> float:
        """Seconds within which the candidate had this share of the frames; 0.0 where it had none."""
        return percentile(self.times, share)

    @property
    def stretches(self) -> NDArray[np.int64]:
        """[stretches, 2]: agreeing boxes, and all boxes."""
        return self._counts[: len(self._places)].copy()


def _room() -> NDArray[np.int64]:
    return np.zeros((STRETCHES_AT_MOST + 1, 2), np.int64)


def agreement_of(tallies: Iterable[Tally]) -> Agreement | None:
    """Of these cameras together, each frame counting alike; None while nothing was found by either."""
    # Arrays all the way: there may be half a million, and whoever asks holds up everybody else meanwhile.
    stretches = [tally.stretches for tally in tallies]
    parts, wholes = np.concatenate([np.zeros((0, 2), np.int64), *stretches]).T.astype(np.float64)
    if not wholes.any():
        return None
    shares = Shares(np.ones(len(parts)), parts, wholes)
    found = classical(shares, LEVEL)
    return Agreement(found.value, found.lower, found.upper, shares.informed)


def warm() -> None:
    """Load what intervals take, which is a fifth of a second's work."""
    classical(Shares(np.ones(1), np.ones(1), np.ones(1)), LEVEL)


def summed(tallies: Iterable[Tally]) -> Tally:
    """All of them as one, without the stretches: those are of one camera each."""
    found = Tally()
    for each in tallies:
        found.frames += each.frames
        found.both += each.both
        found.only_running += each.only_running
        found.only_candidate += each.only_candidate
        found.failed += each.failed
        found.took_s += each.took_s
        found.times += each.times
    return found
