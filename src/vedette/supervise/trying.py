"""Candidates: which one it is, and whether a canary is to go back at once. Policies over what was counted of
its cameras are pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Agreed",
    "AtWork",
    "Counted",
    "Ends",
    "Streaks",
    "fails",
    "finds_nothing",
]

NOTHING_FOR_S = 30.0
NOTHING_IN = 100
"""Frames. In so many, and for so long, not a single box: two parked cars do not leave between two frames."""

FILLED_FROM = 0.5
FOUND_FROM = 8
"""The detector before it found something in this share of the frames that came while the canary was loaded,
and so many boxes in all: fewer may well be gone meanwhile."""

FAILS_AT_MOST = 20
"""Frames in a row: it will not do better on the next one."""

TOO_OLD_AT_MOST = 100
"""Frames in a row that were too old when it came to them, and nothing else for ``NOTHING_FOR_S``."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Of frames of the canary's cameras, since the start of the node: how many ended so."""

    analysed: int = 0
    failed: int = 0
    too_old: int = 0
    """At the detector."""


@dataclass(slots=True)
class Counted:
    """Results of some cameras."""

    frames: int = 0
    filled: int = 0
    """With something in them."""
    boxes: int = 0

    def add(self, boxes: int) -> None:
        self.frames += 1
        self.filled += boxes > 0
        self.boxes += boxes


def finds_nothing(before: Counted, since: Counted, seconds: float) -> str:
    """Why it is to go back; empty where it is not. ``before``: of the same cameras, by the detector that had
    them. ``seconds``: for which the canary has had them."""
    if since.boxes or since.frames < NOTHING_IN or seconds < NOTHING_FOR_S:
        return ""
    if before.boxes < FOUND_FROM or before.filled < FILLED_FROM * before.frames:
        return ""
    return (
        f"it finds nothing in {since.frames} frames; the one before found something in {before.filled} of "
        f"the last {before.frames}"
    )


def fails(last: Ends, now: Ends, seconds: float) -> str:
    """Why it is to go back; empty where it is not. ``last``: when a frame was analysed last, or it began;
    ``seconds``: since then."""
    failed, too_old = now.failed - last.failed, now.too_old - last.too_old
    if failed >= FAILS_AT_MOST:
        return f"it failed on {failed} frames in a row"
    if too_old >= TOO_OLD_AT_MOST and seconds >= NOTHING_FOR_S:
        return f"it is too slow: {too_old} frames in a row were too old when it came to them"
    return ""


class Streaks:
    """How many frames in a row did not end well, of each of some cameras and of all together: one camera on
    which every frame fails is not made good by others.

    ``counts``: i8 [3, cameras], the rows as the fields of :class:`Ends`. Times in seconds of one clock.
    """

    def __init__(self, counts: npt.NDArray[np.int64], at: float) -> None:
        self.last = _with_all(counts)
        """As of when a frame of each was analysed last, or it began; the last column is of all."""
        self._since = np.full(self.last.shape[1], at)

    def look(self, counts: npt.NDArray[np.int64], at: float) -> tuple[int | None, str] | None:
        """The place of a camera that it fails on, or None for all of them, and why it is to go back."""
        now = _with_all(counts)
        well = now[0] != self.last[0]
        self.last[:, well], self._since[well] = now[:, well], at
        row = now - self.last
        # All of them first: what goes wrong everywhere is no matter of one camera.
        for place in (-1, int(row[1].argmax()), int(row[2].argmax())):
            ends = Ends(0, int(row[1, place]), int(row[2, place]))
            if why := fails(Ends(), ends, at - float(self._since[place])):
                return (None if place in (-1, row.shape[1] - 1) else place), why
        return None


def _with_all(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.column_stack([counts, counts.sum(axis=1)])


# ---- which one it is


@dataclass(frozen=True, slots=True)
class AtWork:
    """The detector beside which a candidate is tried: its settings, packed, and what it says it is."""

    spec: bytes = b""
    describe: str = ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """How far a candidate agreed with the detector at work when it was shown ``frames``: from ``lower`` to
    ``upper`` with 95%."""

    frames: int
    value: float
    lower: float
    upper: float
