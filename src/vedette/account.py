"""Where a camera's frames are, and what became of each: received = the sum of the outcomes + in flight.

A frame is in at most one place: inside the decoder, kept as one of the newest pictures, or taken by the
detector. It leaves that place together with being counted, under one lock, so the books balance at any
moment. The counters lie in the shared table: they survive this process.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vedette.endings import ENDINGS, Ending
from vedette.found import Asked
from vedette.frame import EncodedFrame
from vedette.infer.letterbox import Placement
from vedette.ingest.decode import Decoder

__all__ = ["UNACKNOWLEDGED_AT_MOST", "Account", "Arrival", "Kept", "Undecoded"]

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
    arrived: float = 0.0
    began: float = 0.0
    """When it was handed to the decoder, monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Undecoded:
    """A frame as it arrived, and its session's decoder."""

    frame: EncodedFrame
    decoder: Decoder


@dataclass(slots=True)
class Kept:
    """A picture that waits to be chosen, or is at the detector. ``image`` is None where it is to be decoded
    only when it is chosen: then ``undecoded`` says how."""

    seq: int
    epoch: int
    captured: float
    shown: float
    decoded_at: float
    image: Any
    width: int
    height: int
    arrived: float = 0.0
    began: float = 0.0
    chosen_at: float = 0.0
    converted_at: float = 0.0
    placement: Placement | None = None
    look: Any = None
    """What motion was judged by, where it was."""
    undecoded: Undecoded | None = None
    aside: bool = False
    """Its picture is kept once it is converted, until ``Pipeline.picture`` is asked for it."""
    studied: bool = False
    """What the detector finds in it is looked at by those who judge the detector."""
    asked: Asked | None = None
    """What those who keep frames for review fixed about it."""


_FIELDS = {ending: (ending.outcome.value, ending.value) for ending in ENDINGS}
"""The two counters of each ending."""

_OUTCOMES = sorted({outcome for outcome, _ in _FIELDS.values()})


class Account:
    """One camera's. ``row``: its row of the shared table. ``buffer``: how many pictures are kept at most
    until they are chosen, oldest first."""

    def __init__(self, row: Any, buffer: int = 1) -> None:
        self.row = row
        row["kept"] = row["backlog"] = 0  # of a worker that died, if anything
        self._buffer = buffer
        self.lock = threading.Lock()
        self.room = threading.Condition(self.lock)
        """Something changed that a source which waits may wait for."""
        self.closed = False
        self.leaving = False
        """Another process takes over: nothing more is received here, and what waits makes room."""
        self._gone = False
        """Another process counts in this row."""
        self._kept: deque[Kept] = deque()
        self.unacknowledged = 0
        self._taken: dict[int, Kept] = {}
        self._inside: dict[int, Arrival] = {}
        self._numbers: deque[int] = deque()
        """Of the frames inside, ascending. Pictures take them in the order in which they come out."""

    # ---- frames that end where they arrive

    def receive(self) -> int | None:
        """A whole frame arrived: its number, or None when we hung up, so that it was not received."""
        with self.lock:
            if self.closed or self.leaving:
                return None
            self.row["received"] += 1
            return int(self.row["received"]) - 1

    def arrive_as(self, ending: Ending, count: int) -> None:
        """Frames arrived, and that is what became of them."""
        with self.lock:
            if self.leaving:
                return
            self.row["received"] += count
            self.count(ending, count)

    def end(self, ending: Ending) -> None:
        """A frame that is in no place ends."""
        with self.lock:
            self.count(ending)

    def count(self, ending: Ending, count: int = 1) -> None:
        """With the lock held."""
        if self._gone:
            return  # a thread was in the middle of a frame, which has been counted by ``left``
        outcome, place = _FIELDS[ending]
        self.row[outcome] += count
        self.row[place] += count

    # ---- inside the decoder

    def enter(self, seq: int, captured: float, shown: float, arrived: float, began: float) -> bool:
        """The frame goes into the decoder; False when we hung up meanwhile."""
        with self.lock:
            if self.closed:
                self.count(Ending.ORPHANED_DECODE)
                return False
            self.row["decoded"] += 1
            self._inside[seq] = Arrival(captured, int(self.row["epoch"]), shown, arrived, began)
            self._numbers.append(seq)
        return True

    def decodes_chosen(self) -> None:
        """One that was taken goes into the decoder."""
        with self.lock:
            self.row["decoded"] += 1

    def lose(self, seq: int) -> None:
        """Nothing will come out of the decoder for this frame."""
        with self.lock:
            if self._inside.pop(seq, None) is not None:
                # With frames out of order its own number may be gone to another picture.
                self._numbers.remove(seq if seq in self._numbers else self._numbers[0])
                self.count(Ending.FAILED_DECODE)

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

    # ---- the newest pictures

    def keep(self, kept: Kept) -> None:
        """It is the newest now; the oldest makes room. With the lock held."""
        # Never chosen because its turn had not come, or because newer ones came first? Those that are held
        # back are left out on purpose: there is none of them to catch up with.
        held_back = kept.decoded_at < self.row["not_before"]
        while len(self._kept) >= (1 if held_back else self._buffer):
            self._kept.popleft()
            self.count(Ending.SKIPPED_RATE if held_back else Ending.SUPERSEDED)
        self._kept.append(kept)
        self._offer()

    def _offer(self) -> None:
        """Let the oldest of the kept pictures be the one that can be asked for."""
        row = self.row
        row["kept"] = len(self._kept)
        if not self._kept:
            row["newest_seq"] = -1
            return
        first = self._kept[0]
        if first.width:
            row["width"], row["height"] = first.width, first.height
        # How fresh a camera is says its newest picture: by its oldest, one with a buffer would never have its
        # turn among others that have none.
        row["newest_captured"] = self._kept[-1].captured
        row["newest_seq"] = first.seq

    def newest(self) -> Kept | None:
        """The newest picture that is kept. With the lock held."""
        return self._kept[-1] if self._kept else None

    def leave_to_another(self) -> None:
        """Receive nothing more; what waits gives way to newer frames, which another process receives."""
        with self.lock:
            self.leaving = True
            self.count(Ending.SUPERSEDED, len(self._kept))
            self._kept.clear()
            self._offer()

    @property
    def at_the_detector(self) -> bool:
        with self.lock:
            return bool(self._taken)

    def orphan_kept(self) -> None:
        """With the lock held."""
        self.count(Ending.ORPHANED_WAIT, len(self._kept))
        self._kept.clear()
        self._offer()

    def has_room(self) -> bool:
        """Whether a source that waits may bring the next picture. With the lock held."""
        return not self._kept and self.unacknowledged < UNACKNOWLEDGED_AT_MOST

    def expire(self, before: float) -> None:
        """End the kept pictures that were captured before that."""
        with self.lock:
            while self._kept and self._kept[0].captured < before:
                self._kept.popleft()
                self.count(Ending.EXPIRED_WAIT)
            self._offer()

    # ---- at the detector

    def take(self, ticket: int, wanted: Callable[[Kept], bool]) -> Kept | None:
        """Hand the oldest kept picture that is ``wanted`` to the detector; those before it are expired."""
        with self.lock:
            kept = None
            while self._kept and kept is None:
                kept = self._kept.popleft()
                if not wanted(kept):
                    self.count(Ending.EXPIRED_WAIT)
                    kept = None
            self._offer()
            if kept is not None:
                self._taken[ticket] = kept
                self.room.notify_all()
            return kept

    def taken(self, ticket: int) -> Kept | None:
        """What was taken with this ticket; None where it has ended."""
        return self._taken.get(ticket)

    def finish(self, ticket: int) -> Kept | None:
        """It comes back from the detector; whoever called counts it. With the lock held."""
        return self._taken.pop(ticket, None)

    def give_back(self, ticket: int, ending: Ending) -> None:
        """A frame that was taken ends without detections."""
        with self.lock:
            if self._taken.pop(ticket, None) is not None:
                self.count(ending)

    # ---- the end

    @property
    def idle(self) -> bool:
        """Whether every received frame has its outcome."""
        with self.lock:
            return not (self._kept or self._taken or self._inside)

    def acknowledge(self, results: int) -> None:
        """Sinks have taken so many results."""
        with self.lock:
            self.unacknowledged -= results
            self.room.notify_all()

    def left(self) -> None:
        """What is still inside the decoder, or on its way there, gives way, too; nothing is counted here from
        now on."""
        with self.lock:
            self._inside.clear()
            self._numbers.clear()
            self.count(Ending.ORPHANED_INFER, len(self._taken))
            self._taken.clear()
            ended = sum(int(self.row[outcome]) for outcome in _OUTCOMES)
            self.count(Ending.SUPERSEDED, int(self.row["received"]) - ended)
            self.closed = self._gone = True
            self.room.notify_all()

    def close(self) -> None:
        """End everything in flight as orphaned; whoever waits for room is let go."""
        with self.lock:
            self.closed = True
            self.orphan_kept()
            self.count(Ending.ORPHANED_INFER, len(self._taken))
            self._taken.clear()
            self._orphan_inside()
            self.room.notify_all()

    def _orphan_inside(self) -> None:
        self.count(Ending.ORPHANED_DECODE, len(self._inside))
        self._inside.clear()
        self._numbers.clear()
