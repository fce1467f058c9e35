"""Whether a canary is to go back at once: pure policies over what was counted of its cameras."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Counted", "Ends", "fails", "finds_nothing"]

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
