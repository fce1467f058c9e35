"""One camera's rows of the ledger, made from what is the matter with it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from vedette.causes import PICTURE, Blame, Cause, Kind, kind_of
from vedette.facts import Blind, Degraded, Gap, GapChanged, GapClosed, GapOpened, Happened, Recovered, Sees
from vedette.ledger.claims import Claim, Claims, shorten

__all__ = ["CameraRows", "Given", "Told"]

Told = GapOpened | GapChanged | GapClosed

SHORTEST_INTERVAL_S = 0.0005
"""No camera sends 2000 frames a second; a smaller interval means that its rate is not known."""


@dataclass(frozen=True, slots=True)
class Given:
    """Ids, a camera's seconds between frames (0.0: unknown), and µs of the ledger from monotonic seconds."""

    new_id: Callable[[], str]
    interval: Callable[[str], float]
    when: Callable[[float], int]


@dataclass(frozen=True, slots=True)
class _Open:
    """The open blind row, what it tells of, and the camera's interval while it still sent."""

    gap: Gap
    claim: Claim
    interval: float


class CameraRows:
    """Each method takes what happened and returns what becomes of the rows.

    An opened row is closed exactly once. A row that is whole when it is first told of (an event, a sleep of
    the machine) is told by its ``GapClosed`` alone. A blind row that ends where it began is closed all the
    same, with ``end == start``: it weighs nothing, and a ledger may leave it out.
    """

    def __init__(self, camera: str, given: Given, floor: int, epoch: int | None, lost: Claim | None) -> None:
        """``floor``: µs; no row begins earlier. ``epoch``: the last one known. ``lost``: no detector runs."""
        self.camera = camera
        self.epoch = epoch
        self.floor = floor
        """Where the last blind row ended; the next begins there at the earliest."""
        self.added = floor
        self._given = given
        self._latest = floor
        """The end of any row but the blind ones."""
        self._claims = Claims(lost)
        self._open: _Open | None = None
        self._degraded: dict[Cause, Gap] = {}
        self._degraded_until: dict[Cause, int] = {}
        self._lost_at = -math.inf

    @property
    def open_gaps(self) -> list[Gap]:
        return ([self._open.gap] if self._open else []) + list(self._degraded.values())

    # ---- its worker says

    def wrong(self, fact: Blind | Degraded) -> list[Told]:
        """The cause says what it is, whichever of the two facts carries it."""
        if self._claims.paused or self._stale(fact.at):
            return []
        since = self._given.when(fact.since)
        if fact.cause in PICTURE:
            self._claims.picture(fact.cause, fact.blame, since, fact.detail)
            return self._settle(fact.at)
        if kind_of(fact.cause) is Kind.BLIND:
            worth_telling = self._claims.no_stream(fact.cause, fact.blame, since, fact.detail)
            return self._settle(fact.at, quiet=not worth_telling)
        return self._degrade(fact, min(since, self._given.when(fact.at)))

    def recovered(self, fact: Recovered) -> list[Told]:
        if self._stale(fact.at):
            return []
        if self._claims.picture_is_back(fact.cause):
            return self._settle(fact.at)
        return self._end_degraded(fact.at, [fact.cause])

    def sees(self, fact: Sees) -> list[Told]:
        """The stream is there, so whatever was the matter with it is over. Nothing else is."""
        if self._stale(fact.at):
            return []
        self.epoch = fact.epoch
        if not self._claims.stream_is_back():
            return []
        return self._settle(fact.at, tracks=fact.tracks_cut)

    def happened(self, fact: Happened) -> list[Told]:
        start = max(self.added, self._given.when(fact.at))
        self._latest = max(self._latest, start)
        gap = self._row(Kind.EVENT, start, fact.cause, fact.blame, fact.detail)
        return [GapClosed(at=fact.at, gap=replace(gap, end=start, epoch_after=self.epoch))]

    def _stale(self, at: float) -> bool:
        """Whether these are the last words of a worker that is known to be dead."""
        return at < self._lost_at

    # ---- the node knows

    def starts(self, at: float) -> list[Told]:
        """It is watched from now on, or begins again: nothing is known of its picture."""
        # What is said of an earlier time, by whoever read it then, is said of something else.
        self._lost_at = at
        told = self._end_degraded(at, list(self._degraded))
        self._claims.start(self._given.when(at))
        return told + self._settle(at)

    def changed(self, at: float, blame: Blame = Blame.NODE, detail: str = "", tracks: int = 0) -> list[Told]:
        """It is opened anew: it has other settings, or somebody wants that. ``tracks``: that were open."""
        self._lost_at = at
        told = self._end_degraded(at, self._its_workers())
        self._claims.change(self._given.when(at), blame, detail, tracks)
        return told + self._settle(at)

    def worker_lost(self, at: float, since: float, detail: str, tracks: int) -> list[Told]:
        self._lost_at = at
        if self._claims.paused:
            return []
        told = self._end_degraded(at, self._its_workers())
        self._claims.worker_lost(self._given.when(since), detail, tracks)
        return told + self._settle(at)

    def quarantined(self, at: float, detail: str) -> list[Told]:
        """Its worker is dead, and will be for a while."""
        self._claims.quarantined(detail)
        return self._settle(at)

    def paused(self, at: float, detail: str, tracks: int = 0) -> list[Told]:
        if self._claims.paused:
            return []
        told = self._end_degraded(at, list(self._degraded))
        self._claims.pause(self._given.when(at), detail, tracks)
        return told + self._settle(at)

    def resumed(self, at: float) -> list[Told]:
        return self.starts(at) if self._claims.paused else []

    def detector(self, at: float, lost: Claim | None) -> list[Told]:
        """No detector is running, or (None) one is again."""
        self._claims.detector = lost
        return self._settle(at)

    def stood_still(self, since: float, at: float, detail: str) -> list[Told]:
        """Its worker did nothing from ``since`` to ``at`` (monotonic seconds), and is well again."""
        when = self._given.when
        return self.asleep(when(since), when(at), at, Cause.DECODE_BEHIND, detail)

    def asleep(
        self, start: int, end: int, at: float, cause: Cause = Cause.NODE_ASLEEP, detail: str = ""
    ) -> list[Told]:
        """The machine slept from ``start`` to ``end`` (µs). A camera that was blind stays in its row."""
        start = max(start, self.floor)
        if self._open is not None or end <= start:
            return []
        self.floor = end
        gap = replace(self._row(Kind.BLIND, start, cause, Blame.NODE, detail), end=end)
        interval = self._given.interval(self.camera)
        return [
            GapClosed(at=at, gap=replace(gap, frames_missed=_missed(gap, interval), epoch_after=self.epoch))
        ]

    def removed(self, at: float) -> list[Told]:
        """Nobody is responsible any more: what is open ends here, and so does this object."""
        told = self._end_degraded(at, list(self._degraded))
        end = max(self.floor, self._latest, self._given.when(at))
        if self._open is not None:
            told.append(self._close(self._open, end, at))
        self.floor = max(self.floor, end)
        return told

    # ---- degraded rows: any number, one per cause

    def _degrade(self, fact: Blind | Degraded, since: int) -> list[Told]:
        gap = self._degraded.get(fact.cause)
        if gap is not None:
            changed = replace(gap, blame=fact.blame, detail=shorten(fact.detail))
            self._degraded[fact.cause] = changed
            return [] if changed == gap else [GapChanged(at=fact.at, gap=changed)]
        start = max(self._degraded_until.get(fact.cause, self.added), since)
        gap = self._row(Kind.DEGRADED, start, fact.cause, fact.blame, fact.detail)
        self._degraded[fact.cause] = gap
        return [GapOpened(at=fact.at, gap=gap)]

    def _its_workers(self) -> list[Cause]:
        """What its worker said of it. That it is thinned the node said, which says also when that is over."""
        return [cause for cause in self._degraded if cause is not Cause.THINNED]

    def _end_degraded(self, at: float, causes: list[Cause]) -> list[Told]:
        told: list[Told] = []
        for cause in causes:
            gap = self._degraded.pop(cause, None)
            if gap is not None:
                end = self._degraded_until[cause] = max(gap.start, self._given.when(at))
                self._latest = max(self._latest, end)
                told.append(GapClosed(at=at, gap=replace(gap, end=end, epoch_after=self.epoch)))
        return told

    # ---- the blind row: at most one

    def _settle(self, at: float, *, quiet: bool = False, tracks: int = 0) -> list[Told]:
        """Make the open row tell of what is the matter now. A row ends at the very µs where the next begins.

        ``quiet``: a new detail alone need not be told. ``tracks``: that were cut by what is over now.
        """
        top, now, was = self._claims.top, self._given.when(at), self._open
        if was is None:
            return [] if top is None else [self._begin(top, now, at)]
        if tracks:
            was = _Open(replace(was.gap, tracks_cut=was.gap.tracks_cut + tracks), was.claim, was.interval)
        if top is None:
            return [self._close(was, now, at, sees=True)]
        if top.row == was.claim.row:
            return self._change(was, top, at, quiet)
        # What outranks a row may have begun some time ago; what it hid comes out only now.
        cut = min(top.since, now) if top.rank < was.claim.rank else now
        if cut <= was.gap.start:
            return self._change(was, top, at)  # it would end where it began: it was about this all along
        return [self._close(was, cut, at), self._begin(top, now, at)]

    def _begin(self, claim: Claim, now: int, at: float) -> Told:
        start = max(self.floor, min(claim.since, now))
        gap = self._row(Kind.BLIND, start, claim.cause, claim.blame, claim.detail)
        gap = replace(gap, tracks_cut=claim.tracks)
        # The interval is asked for now: after an hour without frames nobody remembers it.
        self._open = _Open(gap, claim, self._given.interval(self.camera))
        return GapOpened(at=at, gap=gap)

    def _change(self, was: _Open, claim: Claim, at: float, quiet: bool = False) -> list[Told]:
        gap = was.gap
        changed = replace(
            gap,
            start=max(self.floor, min(gap.start, claim.since)),
            cause=claim.cause,
            blame=claim.blame,
            detail=claim.detail,
            tracks_cut=max(gap.tracks_cut, claim.tracks),
        )
        self._open = _Open(changed, claim, was.interval)
        quiet = quiet and replace(changed, detail=gap.detail) == gap
        return [] if quiet or changed == gap else [GapChanged(at=at, gap=changed)]

    def _close(self, was: _Open, end: int, at: float, *, sees: bool = False) -> Told:
        """``sees``: from here on, in the epoch that is known now."""
        gap = replace(was.gap, end=max(end, was.gap.start), epoch_after=self.epoch if sees else None)
        # Of one that was not known before, only its first frames are known now: they come in a burst, as fast
        # as the network carries what lay in wait.
        gap = replace(gap, frames_missed=_missed(gap, was.interval))
        self.floor, self._open = max(gap.start, end), None
        return GapClosed(at=at, gap=gap)

    def _row(self, kind: Kind, start: int, cause: Cause, blame: Blame, detail: str) -> Gap:
        return Gap(
            id=self._given.new_id(),
            camera=self.camera,
            kind=kind,
            start=start,
            cause=cause,
            blame=blame,
            detail=shorten(detail),
            epoch_before=self.epoch,
        )


def _known(interval: float) -> bool:
    return SHORTEST_INTERVAL_S <= interval < math.inf


def _missed(gap: Gap, interval: float) -> int | None:
    """Frames that would have come meanwhile; None where the camera's rate is not known."""
    if gap.end is None or not _known(interval):
        return None
    return round((gap.end - gap.start) / 1e6 / interval)
