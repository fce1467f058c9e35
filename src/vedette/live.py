"""Cameras that somebody looks at now: what the node knows of it, and their newest pictures.

To look is to want more. For three seconds after it the camera's worker makes pictures of what was analysed,
as wide as the widest that is wanted, and about as often as somebody looks. Then nobody makes any, and the
last one is let go.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from vedette.clock import Clock
from vedette.control.protocol import Look, Looked, Picture
from vedette.observe.views import LiveView
from vedette.roster import Roster
from vedette.workers.protocol import LivePicture, Show

if TYPE_CHECKING:
    from vedette.supervise.child import Child

__all__ = ["Interest", "Live"]

HOLDS_S = 3.0
"""Seconds that a look counts."""

RATES = (1.0, 2.0, 4.0, 12.0)
"""Pictures of a camera a second: the least of these that is as often as it is looked at."""

NARROWEST, WIDEST = 16, 3840

CAMERAS_AT_MOST = 256
"""That are looked at at the same time. More do not fit on anybody's wall."""

WIDTHS_AT_MOST = 8
"""Of one camera, wanted at the same time."""

PICTURE_AT_MOST = 4_000_000
BYTES_AT_MOST = 32_000_000
"""Of a picture, and of all that are kept: an answer holds them all."""


class Interest:
    """In one camera: who looks, how wide and how often. Pure; times are monotonic seconds."""

    def __init__(self) -> None:
        self._widths: dict[int, float] = {}
        """Until when each is wanted."""
        self._looks: deque[float] = deque(maxlen=int(RATES[-1] * HOLDS_S) + 4)

    def look(self, width: int, now: float) -> bool:
        """Somebody looks; returns whether it is to be shown wider than before."""
        before = self.width(now)
        self._widths[min(WIDEST, max(NARROWEST, width))] = now + HOLDS_S
        if len(self._widths) > WIDTHS_AT_MOST:
            del self._widths[min(self._widths)]
        self._looks.append(now)
        return self.width(now) > before

    def width(self, now: float) -> int:
        """The widest that is wanted; 0 where nobody looks any more."""
        for width in [each for each, until in self._widths.items() if until <= now]:
            del self._widths[width]
        return max(self._widths, default=0)

    def every(self, now: float) -> float:
        """Seconds from one picture to the next."""
        while self._looks and self._looks[0] <= now - HOLDS_S:
            self._looks.popleft()
        if len(self._looks) < 2:
            return 1 / RATES[1]
        seconds = max(1e-3, self._looks[-1] - self._looks[0])
        often = (len(self._looks) - 1) / seconds
        # Whoever looks once a second does so a little more or less often.
        return 1 / next((rate for rate in RATES if often <= 1.25 * rate), RATES[-1])


class Live:
    """Of one node. ``wake``: have ``show`` called on the node's loop, soon; from any thread. ``look`` may be
    called from any thread, all else is for the loop; none of it waits for anybody."""

    def __init__(self, roster: Roster, clock: Clock, wake: Callable[[], None]) -> None:
        self._roster, self._clock, self._wake = roster, clock, wake
        self._lock = threading.Lock()
        """Held for moments only."""
        self._wanted: dict[int, Interest] = {}
        self._newest: dict[int, tuple[LivePicture, bytes]] = {}
        """In the order in which they came."""
        self._bytes = 0
        self._made = self._slow = self._no_room = 0
        self._said: dict[int, Show] = {}
        """To which worker processes; those that are to show nothing are left out."""

    # ---- who looks

    def look(self, request: Look) -> Looked:
        """See :class:`vedette.control.protocol.Look`."""
        now, found, more = self._clock.monotonic(), {}, False
        with self._lock:
            self._slow += max(0, request.dropped)
            for name in dict.fromkeys(request.cameras):
                entry = self._roster.find(name)
                if entry is None:
                    continue
                if entry.index not in self._wanted:
                    if len(self._wanted) >= CAMERAS_AT_MOST:
                        continue
                    self._wanted[entry.index] = Interest()
                more |= self._wanted[entry.index].look(request.width, now)
                newest = self._newest.get(entry.index)
                if newest is not None and newest[0].captured_at > request.since:
                    found[name] = newest
        if more:
            self._wake()
        return Looked({name: _picture(*newest) for name, newest in found.items()})

    def view(self) -> LiveView:
        """What became of them since the start."""
        with self._lock:
            return LiveView(
                cameras=len(self._wanted),
                made=self._made,
                dropped={"slow": self._slow, "no_room": self._no_room},
            )

    # ---- the workers

    def show(self, workers: Iterable[Child]) -> None:
        """Tell camera workers which cameras to show, where that has changed. To be called often: it costs
        nothing where nobody looks."""
        if not (self._wanted or self._said):
            return
        by_worker = self._by_worker(self._clock.monotonic())
        said, self._said = self._said, {}
        for worker in workers:
            if not worker.ready or worker.pid is None:
                continue
            show = by_worker.get(worker.place - 1, _NOTHING)
            if show != said.get(worker.pid, _NOTHING):
                worker.send(show)
            if show != _NOTHING:
                self._said[worker.pid] = show

    def _by_worker(self, now: float) -> dict[int, Show]:
        found: dict[int, Show] = {}
        with self._lock:
            for index, interest in list(self._wanted.items()):
                width, entry = interest.width(now), self._roster[index]
                if not width:
                    del self._wanted[index]
                    self._let_go(index)
                elif entry.watched:
                    show = found.setdefault(entry.worker, Show([], [], []))
                    show.cameras.append(index)
                    show.widths.append(width)
                    show.every.append(interest.every(now))
        return found

    def heard(self, picture: LivePicture, fd: int | None) -> None:
        """A worker has made one. ``fd`` is closed."""
        if fd is None:
            return
        try:
            jpeg = os.pread(fd, PICTURE_AT_MOST + 1, 0)
        finally:
            os.close(fd)
        with self._lock:
            if picture.index not in self._wanted or not self._roster[picture.index].watched:
                return
            before = self._newest.get(picture.index)
            # Two workers may have it for a moment, while it moves.
            if before and before[0].captured_at >= picture.captured_at:
                return
            self._made += 1
            if len(jpeg) > PICTURE_AT_MOST:
                self._no_room += 1
                return
            self._let_go(picture.index)
            self._newest[picture.index] = picture, jpeg
            self._bytes += len(jpeg)
            while self._bytes > BYTES_AT_MOST:
                self._no_room += 1
                self._let_go(next(iter(self._newest)))

    def forget(self, camera: str) -> None:
        """What is shown of it is not to be seen any more: it was paused, changed or removed."""
        entry = self._roster.find(camera, removed=True)
        if entry is not None:
            with self._lock:
                self._let_go(entry.index)

    def _let_go(self, index: int) -> None:
        newest = self._newest.pop(index, None)
        self._bytes -= len(newest[1]) if newest is not None else 0


_NOTHING = Show([], [], [])


def _picture(newest: LivePicture, jpeg: bytes) -> Picture:
    xyxy = np.frombuffer(newest.xyxy, np.float32).reshape(-1, 4).tolist()
    return Picture(
        captured_at=newest.captured_at,
        jpeg=jpeg,
        width=newest.width,
        height=newest.height,
        xyxy=[(left, top, right, bottom) for left, top, right, bottom in xyxy],
        names=list(newest.names),
        confidence=np.frombuffer(newest.confidence, np.float32).tolist(),
        tracks=np.frombuffer(newest.track_id, np.int64).tolist(),
    )
