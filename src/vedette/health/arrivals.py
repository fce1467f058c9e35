"""How a camera's frames arrive, and after how long a silence it counts as stalled."""

from __future__ import annotations

__all__ = ["CEILING_S", "LEAST_S", "UNKNOWN_S", "Arrivals"]

LEAST_S = 1.0
CEILING_S = 30.0
"""Nobody waits longer than this to be told that a camera is silent."""

UNKNOWN_S = 5.0
"""The threshold while a camera's pattern is not known yet."""
KNOWN_AFTER_S = 3.0
KNOWN_AFTER_FRAMES = 5
"""So long, and so many frames, a session must have gone for its pattern to be known."""

MEANS = 3.0
"""A silence of so many usual intervals is unusual, and"""
LARGEST = 1.5
"""so is one half as long again as any pause lately."""

HOLD_UP_S, UNSEEN_MOST_S = 0.8, 1.4
"""A network may hold frames up for so long without having done so before: that much longer than any pause
lately is no stall either, up to a limit."""

MEMORY_S = 300.0
MEMORY_GROWS = 4.0
MEMORY_MOST_S = 3600.0
"""Two such windows of pauses are remembered. They grow with each hold-up that came as a surprise: one that
comes every half hour is no surprise for ever."""

CATCH_UP_S = 0.5
"""Frames that a network held up all come within this; after a stall they are missing."""
ONE_PAUSE = 2.0
"""A single pause counts for at most so many thresholds."""

WINDOW_S = 6.0
"""The rate is that of the last one to two windows."""
BASELINE_S = 600.0
"""Time constant of the rate a camera usually has. What stays slower for half an hour is a slower camera."""
BASELINE_KNOWN_S = 30.0
BASELINE_LEAST = 0.5
"""Frames a second; of a camera with fewer, ten seconds hold too few to call its rate low."""

_NEVER = float("inf")


class Arrivals:
    """One camera's. ``note`` is called for each frame that arrives, and costs a fraction of a microsecond.

    Remembers across sessions: it is the camera that has a pattern. Also fit for its pictures.
    """

    __slots__ = (
        "_baseline",
        "_before",
        "_began",
        "_due",
        "_excused",
        "_frames",
        "_frames_at_began",
        "_frames_at_pause",
        "_frames_before",
        "_fresh",
        "_held",
        "_known",
        "_largest",
        "_last",
        "_learned",
        "_live_before",
        "_lost",
        "_memory",
        "_memory_began",
        "_pause",
        "_session",
        "_span_before",
        "_told",
        "_turn_at",
        "_unknown",
        "_verdict_at",
        "_wanted",
        "interval",
    )

    def __init__(self, unknown: float = UNKNOWN_S) -> None:
        """``unknown``: seconds of silence allowed before the pattern is known. Sources that come in segments
        (HLS) need more than a segment."""
        self._unknown = self._told = unknown
        self.interval = 0.0
        """Seconds from frame to frame, on the mean, while frames come at all. 0.0: not known."""
        self._known, self._excused = False, False
        self._wanted = 0.0
        self._largest = self._before = 0.0
        self._memory, self._memory_began = MEMORY_S, -_NEVER
        self._baseline = self._learned = 0.0
        self._frames = self._session = 0
        self._pause, self._held, self._frames_at_pause = 0.0, 0.0, 0
        self._begin_window(0.0)
        self.restart()

    def restart(self) -> None:
        """A session opened: what lies between the last frame and the next one teaches nothing."""
        if self._frames - self._session < KNOWN_AFTER_FRAMES:
            # Too short to have shown the pattern. It may not be what we think: be patient again.
            self._known = False
        self._session = self._frames
        self._fresh = True
        self._last, self._due = _NEVER, -_NEVER
        self._verdict_at = _NEVER
        self._live_before = self._span_before = 0.0
        self._frames_before = 0

    def forgive(self) -> None:
        """We were late ourselves: the pause before the next frame teaches nothing."""
        self._excused, self._due = True, -_NEVER

    def note(self, now: float) -> None:
        """A frame arrived at ``now`` (monotonic seconds)."""
        interval = now - self._last
        self._last = now
        self._frames += 1
        if interval > self._largest or now >= self._due:
            self._think(now, interval)

    def threshold(self, least: float = LEAST_S) -> float:
        """Seconds without a frame after which this camera is stalled; from ``least`` to a ceiling."""
        told = max(least, min(CEILING_S, self._wanted))
        if not self._known:
            told = max(told, self._unknown)
        self._told = told
        return told

    def rate(self, now: float) -> float:
        """Frames a second over the last 6 to 12 s. 0.0 where nothing is known."""
        if self._fresh:
            return 0.0
        span = self._span_before + now - self._began
        frames = self._frames_before + self._frames - self._frames_at_began
        return frames / span if span > 0.0 else 0.0

    @property
    def baseline(self) -> float:
        """Frames a second that this camera usually sends. 0.0 where that is not known."""
        return self._baseline if self._learned >= BASELINE_KNOWN_S else 0.0

    def ratio(self, now: float) -> float:
        """The rate now as a share of the usual one; 1.0 where that cannot be told."""
        enough = not self._fresh and self._span_before + now - self._began >= WINDOW_S
        return self.rate(now) / self.baseline if enough and self.baseline >= BASELINE_LEAST else 1.0

    # ---- now and then

    def _begin_window(self, now: float) -> None:
        self._began, self._frames_at_began, self._lost = now, self._frames, 0.0
        self._turn_at = now + (WINDOW_S if self._known else KNOWN_AFTER_S)

    def _think(self, now: float, interval: float) -> None:
        if self._fresh:
            self._fresh = self._excused = False
            self._begin_window(now)
        elif self._excused:
            self._excused = False
            self._lost += max(0.0, interval - self.interval)
        elif interval > self._told:
            self._surprised(now, interval)
        elif interval > self._largest:
            self._largest = interval
        if now >= self._verdict_at:
            self._judge_pause()
        if now >= self._turn_at:
            self._turn(now)
        self._due = min(self._turn_at, self._verdict_at)
        largest = max(self._largest, self._before)
        unseen = min(UNSEEN_MOST_S, largest + HOLD_UP_S)
        self._wanted = max(MEANS * self.interval, LARGEST * largest, unseen)

    def _surprised(self, now: float, pause: float) -> None:
        """A pause that was, or should have been, told as a stall. What comes next says what it was."""
        if self._verdict_at != _NEVER:
            self._judge_pause()
        if not self._known:
            # Segments and other bursts from the very start: before the pattern is known, all is believed.
            self._largest = max(self._largest, min(pause, ONE_PAUSE * self._told))
            return
        self._pause, self._frames_at_pause = pause, self._frames
        self._held = (pause + CATCH_UP_S) / max(self.interval, 1e-3)
        self._lost += pause - self._told
        self._verdict_at = now + CATCH_UP_S

    def _judge_pause(self) -> None:
        """Learn a pause after which the held frames came all at once. One after which they were missing was a
        stall, and teaches nothing: the next one is to be told as soon."""
        self._verdict_at = _NEVER
        if self._frames - self._frames_at_pause >= self._held / 2:
            self._largest = max(self._largest, min(self._pause, ONE_PAUSE * self._told))
            self._memory = min(MEMORY_MOST_S, self._memory * MEMORY_GROWS)

    def _turn(self, now: float) -> None:
        frames, span = self._frames - self._frames_at_began, now - self._began
        live = max(span - self._lost, 1e-3)
        self.interval = (live + self._live_before) / max(1, frames + self._frames_before)
        if self._known:
            self._learned += live
            self._baseline += (frames / live - self._baseline) * min(
                1.0, live / min(self._learned, BASELINE_S)
            )
        self._known = self._known or self._frames - self._session >= KNOWN_AFTER_FRAMES
        self._live_before, self._span_before, self._frames_before = live, span, frames
        self._begin_window(now)
        if now - self._memory_began > self._memory:
            self._before, self._largest = self._largest, 0.0
            self._memory_began = now
