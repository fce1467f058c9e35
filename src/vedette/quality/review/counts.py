"""Of how many frames the uniform stream is a part: counted where all of them are heard of, by one for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vedette.quality.review.sampling import Period, UniformSettings

__all__ = ["Counts"]

PERIOD_S = UniformSettings().period

PERIODS_AT_MOST = 50_000
"""While they cannot be written down: eight hours of a thousand cameras. Of more the oldest are let go."""


@dataclass(slots=True)
class _Sum:
    frames: int = 0
    kept: int = 0
    expected: float = 0.0


class Counts:
    """``at``: when a frame was captured, Unix seconds. What is taken out is written down, and adds up there:
    a crash costs no more than what was counted since."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], _Sum] = {}

    def frame(self, camera: str, at: float, probability: float) -> None:
        """A frame was studied that might have been kept with this probability, whether it was or not."""
        counted = self._of(camera, at)
        counted.frames += 1
        counted.expected += probability

    def kept(self, camera: str, at: float) -> None:
        """One of the frames that were counted is among those that are kept."""
        self._of(camera, at).kept += 1

    def take(self, camera: str | None = None) -> list[Period]:
        """What was counted since this was called last, of one camera or of all."""
        wanted = [key for key in self._sums if camera in (None, key[0])]
        sums = {key: self._sums.pop(key) for key in wanted}
        return [
            Period(name, number * PERIOD_S, PERIOD_S, each.frames, each.kept, each.expected)
            for (name, number), each in sums.items()
        ]

    def give_back(self, periods: Iterable[Period]) -> None:
        """They could not be written down."""
        for period in periods:
            counted = self._of(period.camera, period.start)
            counted.frames += period.frames
            counted.kept += period.kept
            counted.expected += period.expected

    def _of(self, camera: str, at: float) -> _Sum:
        key = (camera, int(at // PERIOD_S))
        if key not in self._sums and len(self._sums) >= PERIODS_AT_MOST:
            del self._sums[min(self._sums, key=lambda each: each[1])]
        return self._sums.setdefault(key, _Sum())
