"""When was a frame captured? The stream's own clock, mapped to ours."""

from __future__ import annotations

__all__ = ["CaptureClock"]

WINDOW_S = 30.0
"""Two such windows are remembered, so that a camera whose clock drifts is followed within a minute."""

BELIEVABLE_S = 0.5
"""A sender report is taken at its word only if it says the frame was under way for at most this long. Cameras
without a time server are seconds or years off; believing them would make every frame too old."""

CATCHING_UP_S = 2.0
"""Late frames that come no less late after so long are no backlog that drains: the camera was suspended."""

JUMP_S = 5.0
"""A timestamp further than this from where the others put it means that the stream's clock was set."""


class CaptureClock:
    """Maps timestamps of one session to monotonic seconds.

    The smallest difference between arrival and timestamp seen lately belongs to the frame that the network
    held up least; measured against it, jitter of the network does not move capture times. Where the camera
    itself reports when a frame was captured (RTCP sender reports), that is used, if it is believable.
    """

    def __init__(self, wall_offset: float) -> None:
        """``wall_offset``: Unix seconds minus monotonic seconds."""
        self._wall_offset = wall_offset
        self._current: float | None = None
        self._previous: float | None = None
        self._window_began = 0.0
        self._last_pts: float | None = None
        self._late_since: tuple[float, float] | None = None
        """When frames began to be very late, and the difference then."""

    def captured(self, pts: float, arrived: float, sender_time: float | None = None) -> float:
        """Monotonic seconds of capture, never after ``arrived`` (monotonic seconds of the last byte)."""
        base = self._base(arrived - pts, arrived, pts)
        self._last_pts = pts
        if sender_time is not None:
            reported = sender_time - self._wall_offset
            # A camera whose clock is a hair ahead of ours must not send frames from the future.
            if -BELIEVABLE_S / 10 <= arrived - reported <= BELIEVABLE_S:
                return min(reported, arrived)
        return min(pts + base, arrived)

    def ahead(self, pts: float, arrived: float) -> float:
        """Seconds by which a timestamp runs ahead of all that came lately; negative: it is behind."""
        known = [base for base in (self._current, self._previous) if base is not None]
        return min(known) - (arrived - pts) if known else 0.0

    def _base(self, difference: float, arrived: float, pts: float) -> float:
        known = [base for base in (self._current, self._previous) if base is not None]
        if not known or self._clock_was_set(difference, arrived, pts, min(known)):
            self._current, self._previous, self._window_began = difference, None, arrived
            self._late_since = None
            return difference
        if arrived - self._window_began > WINDOW_S:
            self._previous, self._current, self._window_began = self._current, difference, arrived
        elif self._current is None or difference < self._current:
            self._current = difference
        return min(base for base in (self._current, self._previous) if base is not None)

    def _clock_was_set(self, difference: float, arrived: float, pts: float, base: float) -> bool:
        """Whether the mapping means nothing any more.

        Frames that are suddenly very late are a backlog if their timestamps go on as before: they are as old
        as they say. They are not if the timestamp itself jumped, or if the backlog never drains.
        """
        late = difference - base
        if late <= JUMP_S:
            self._late_since = None
            return late < -JUMP_S
        if self._last_pts is not None and abs(pts - self._last_pts) > JUMP_S:
            return True
        if self._late_since is None:
            self._late_since = (arrived, difference)
            return False
        since, then = self._late_since
        if arrived - since < CATCHING_UP_S:
            return False
        if then - difference > CATCHING_UP_S / 4:
            self._late_since = (arrived, difference)
            return False
        return True
