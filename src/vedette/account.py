"""Where a camera's frames are, and what became of each: received = the sum of the outcomes + in flight.

A frame is in at most one place: inside the decoder, kept as the newest picture, or taken by the detector. It
leaves that place together with being counted, under one lock, so the books balance at any moment. The
counters lie in the shared table: they survive this process.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vedette.facts import Outcome
from vedette.infer.letterbox import Placement

__all__ = ["UNACKNOWLEDGED_AT_MOST", "Account", "Arrival", "Kept"]

UNACKNOWLEDGED_AT_MOST = 32
"""Results of an ``every_frame`` source that no sink has taken yet; then reading waits."""


@dataclass(slots=True)
class Arrival:
    """A frame that is inside the decoder."""

    captured: float
    epoch: int
    shown: float
    """Where it lies on the scene's own time, in seconds: capture time, or the clip's time for a source that
    is read faster or slower than it was filmed."""


@dataclass(slots=True)
class Kept:
    """A decoded picture that waits to be chosen, or is at the detector."""

    seq: int
    epoch: int
    captured: float
    shown: float
    decoded_at: float
    image: Any
    width: int
    height: int
    chosen_at: float = 0.0
    placement: Placement | None = None


class Account:
    """One camera's. ``row``: its row of the shared table."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.lock = threading.Lock()
        self.room = threading.Condition(self.lock)
        """Something changed that a source which waits may wait for."""
        self.closed = False
        self.newest: Kept | None = None
        self.unacknowledged = 0
        self._taken: dict[int, Kept] = {}
        self._inside: dict[int, Arrival] = {}
        self._numbers: deque[int] = deque()
        """Of the frames inside, ascending. Pictures take them in the order in which they come out."""

    # ---- frames that end where they arrive

    def receive(self) -> int | None:
        """A whole frame arrived: its number, or None when we hung up, so that it was not received."""
        with self.lock:
            if self.closed:
                return None
            self.row["received"] += 1
            return int(self.row["received"]) - 1

    def arrive_as(self, outcome: Outcome, count: int) -> None:
        """Frames arrived, and that is what became of them."""
        with self.lock:
            self.row["received"] += count
            self.count(outcome, count)

    def end(self, outcome: Outcome) -> None:
        """A frame that is in no place ends."""
        with self.lock:
            self.count(outcome)

    def count(self, outcome: Outcome, count: int = 1) -> None:
        """With the lock held."""
        self.row[outcome.value] += count

    # ---- inside the decoder

    def enter(self, seq: int, captured: float, shown: float) -> bool:
        """The frame goes into the decoder; False when we hung up meanwhile."""
        with self.lock:
            if self.closed:
                self.count(Outcome.ORPHANED)
                return False
            self._inside[seq] = Arrival(captured, int(self.row["epoch"]), shown)
            self._numbers.append(seq)
        return True

    def lose(self, seq: int) -> None:
        """Nothing will come out of the decoder for this frame."""
        with self.lock:
            if self._inside.pop(seq, None) is not None:
                # With frames out of order its own number may be gone to another picture.
                self._numbers.remove(seq if seq in self._numbers else self._numbers[0])
                self.count(Outcome.FAILED)

    def leave(self, seq: int) -> tuple[int, Arrival] | None:
        """A picture came out of the decoder: its number and what was known of its frame. With the lock held.

        Sent in decoding order, shown in another (B-frames): numbers grow from picture to picture.
        """
        arrival = self._inside.pop(seq, None)
        return None if arrival is None else (self._numbers.popleft(), arrival)

    def forget_inside(self) -> None:
        """The decoder is given up; what was in it is orphaned."""
        with self.lock:
            self._orphan_inside()

    # ---- the newest picture

    def keep(self, kept: Kept) -> None:
        """It is the newest now. With the lock held."""
        row = self.row
        if self.newest is not None:
            # Never chosen because its turn had not come, or because a newer one came first?
            held_back = kept.decoded_at < row["not_before"]
            self.count(Outcome.SKIPPED if held_back else Outcome.SUPERSEDED)
        self.newest = kept
        row["width"], row["height"] = kept.width, kept.height
        row["newest_captured"] = kept.captured
        row["newest_seq"] = kept.seq

    def orphan_newest(self) -> None:
        """With the lock held."""
        self._drop_newest(Outcome.ORPHANED)

    def has_room(self) -> bool:
        """Whether a source that waits may bring the next picture. With the lock held."""
        return self.newest is None and self.unacknowledged < UNACKNOWLEDGED_AT_MOST

    def expire(self, before: float) -> None:
        """End the newest picture if it was captured before that."""
        with self.lock:
            if self.newest is not None and self.newest.captured < before:
                self._drop_newest(Outcome.EXPIRED)

    def _drop_newest(self, outcome: Outcome) -> None:
        if self.newest is not None:
            self.newest = None
            self.row["newest_seq"] = -1
            self.count(outcome)

    # ---- at the detector

    def take(self, ticket: int, wanted: Callable[[Kept], bool]) -> Kept | None:
        """Hand the newest picture to the detector, unless it is not ``wanted``: then it is expired."""
        with self.lock:
            kept, self.newest = self.newest, None
            self.row["newest_seq"] = -1
            if kept is None:
                return None
            if not wanted(kept):
                self.count(Outcome.EXPIRED)
                return None
            self._taken[ticket] = kept
            self.room.notify_all()
            return kept

    def finish(self, ticket: int) -> Kept | None:
        """It comes back from the detector; whoever called counts it. With the lock held."""
        return self._taken.pop(ticket, None)

    def give_back(self, ticket: int, outcome: Outcome) -> None:
        """A frame that was taken ends without detections."""
        with self.lock:
            if self._taken.pop(ticket, None) is not None:
                self.count(outcome)

    # ---- the end

    @property
    def idle(self) -> bool:
        """Whether every received frame has its outcome."""
        with self.lock:
            return not (self.newest or self._taken or self._inside)

    def acknowledge(self, results: int) -> None:
        """Sinks have taken so many results."""
        with self.lock:
            self.unacknowledged -= results
            self.room.notify_all()

    def close(self) -> None:
        """End everything in flight as orphaned; whoever waits for room is let go."""
        with self.lock:
            self.closed = True
            self.orphan_newest()
            self.count(Outcome.ORPHANED, len(self._taken))
            self._taken.clear()
            self._orphan_inside()
            self.room.notify_all()

    def _orphan_inside(self) -> None:
        self.count(Outcome.ORPHANED, len(self._inside))
        self._inside.clear()
        self._numbers.clear()
