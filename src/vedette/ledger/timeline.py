"""Facts in, rows of the ledger out: when each camera of a node was blind, and why. Pure; no clock, no I/O.

From the moment a camera is added until it is removed it is either seen or in exactly one blind row. Which of
several reasons a row names, and where it begins and ends, is in :mod:`vedette.ledger.claims`
and :mod:`vedette.ledger.camera_rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from vedette.causes import Blame
from vedette.facts import (
    Blind,
    CameraAdded,
    CameraRemoved,
    Degraded,
    EpochStarted,
    Fact,
    Gap,
    Happened,
    Recovered,
    Sees,
    StoodStill,
)
from vedette.ledger.camera_rows import CameraRows, Given, Told
from vedette.ledger.claims import Claim, no_detector, shorten

__all__ = ["Timeline", "Told"]

REMOVED_AT_MOST = 10_000
"""Cameras of which is remembered that they were removed, so that they begin no earlier when added again."""


class Timeline:
    """The rows of all cameras of a node.

    Rows told of are to be kept in the order told; ``at`` is that of the fact they come from. A ``GapChanged``
    may name an earlier ``start`` than before, never one inside another row. Facts about cameras that are not
    watched, and other kinds of facts, change nothing. Not for several threads at once.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        interval: Callable[[str], float],
        when: Callable[[float], int],
        epochs: Mapping[str, int] | None = None,
        not_before: int = 0,
    ) -> None:
        """``interval``: a camera's own seconds between frames, 0.0 where not known. ``when``: monotonic
        seconds to µs since 1970; it may step, rows do not overlap for it. ``epochs``: each camera's last
        epoch before the node started. ``not_before``: µs; everything in the ledger is older, though the clock
        may have been set back since.
        """
        self._given = Given(new_id, interval, when)
        self._cameras: dict[str, CameraRows] = {}
        self._epochs = dict(epochs or {})
        self._not_before = not_before
        self._removed: dict[str, int] = {}
        """Where the watch of a camera ended."""
        self._lost: Claim | None = None
        """That no detector is running."""

    # ---- facts

    def take(self, fact: Fact) -> list[Told]:
        """What a fact makes of the rows."""
        match fact:
            case CameraAdded():
                return self._add(fact.camera, fact.at)
            case CameraRemoved():
                return self.finished(fact.camera, fact.at)
            case StoodStill():
                rows = self._cameras.get(fact.camera)
                return [] if rows is None else rows.stood_still(fact.since, fact.at, fact.detail)
            case Blind() | Degraded() | Sees() | Recovered() | Happened() | EpochStarted():
                rows = self._cameras.get(fact.camera)
                return [] if rows is None else _heard(rows, fact)
        return []

    def _add(self, camera: str, at: float) -> list[Told]:
        """A camera that is watched already was changed."""
        rows = self._cameras.get(camera)
        if rows is None:
            floor = max(self._given.when(at), self._removed.pop(camera, self._not_before))
            rows = CameraRows(camera, self._given, floor, self._epochs.pop(camera, None), self._lost)
            self._cameras[camera] = rows
            return rows.starts(at)
        return rows.changed(at)

    def finished(self, camera: str, at: float) -> list[Told]:
        """A file ended, or a camera was removed: nobody is responsible for it any more; what is open ends."""
        rows = self._cameras.pop(camera, None)
        if rows is None:
            return []
        told = rows.removed(at)
        self._remember(rows)
        return told

    def _remember(self, rows: CameraRows) -> None:
        self._removed[rows.camera] = rows.floor
        if rows.epoch is not None:
            self._epochs[rows.camera] = rows.epoch
        for known in (self._removed, self._epochs):
            if len(known) > REMOVED_AT_MOST:
                del known[next(iter(known))]

    # ---- what only the node knows

    def worker_lost(
        self,
        cameras: Iterable[str],
        at: float,
        detail: str = "",
        tracks: Mapping[str, int] | None = None,
        since: float | None = None,
    ) -> list[Told]:
        """A camera worker died at ``at``; ``since``: where it is known that it had looked at nothing since
        then.

        ``tracks``: open tracks that died with it, per camera. What it still said before is not believed any
        more: facts with an earlier ``at`` that come afterwards are left out.
        """
        tracks, since = tracks or {}, at if since is None else since
        told: list[Told] = []
        for camera in cameras:
            rows = self._cameras.get(camera)
            if rows is not None:
                told += rows.worker_lost(at, since, detail, tracks.get(camera, 0))
        return told

    def quarantined(self, cameras: Iterable[str], at: float, detail: str) -> list[Told]:
        """The worker of these cameras died so often that it is not started again for now."""
        known = (self._cameras[camera] for camera in cameras if camera in self._cameras)
        return [told for rows in known for told in rows.quarantined(at, detail)]

    def detector_quarantined(self, at: float, detail: str) -> list[Told]:
        """The same of the detector, which is lost already."""
        if self._lost is None:
            return []
        self._lost = replace(self._lost, detail=shorten(detail))
        return [told for rows in self._cameras.values() for told in rows.detector(at, self._lost)]

    def detector_lost(self, at: float, detail: str = "") -> list[Told]:
        """No detector is running: nobody looks at any camera's pictures."""
        if self._lost is not None:
            return []
        self._lost = no_detector(self._given.when(at), detail)
        return [told for rows in self._cameras.values() for told in rows.detector(at, self._lost)]

    def detector_back(self, at: float) -> list[Told]:
        self._lost = None
        return [told for rows in self._cameras.values() for told in rows.detector(at, None)]

    def paused(self, camera: str, at: float, detail: str = "", tracks: int = 0) -> list[Told]:
        """``tracks``: that were open."""
        rows = self._cameras.get(camera)
        return [] if rows is None else rows.paused(at, detail, tracks)

    def restarted(self, camera: str, at: float, detail: str = "", tracks: int = 0) -> list[Told]:
        """An operator has it opened anew. ``tracks``: that were open."""
        rows = self._cameras.get(camera)
        return [] if rows is None else rows.changed(at, Blame.OPERATOR, detail, tracks)

    def resumed(self, camera: str, at: float) -> list[Told]:
        """It begins again, and is ``starting`` until it sees. Not paused: nothing happens."""
        rows = self._cameras.get(camera)
        return [] if rows is None else rows.resumed(at)

    def asleep(self, start: int, end: int, at: float) -> list[Told]:
        """The machine slept from ``start`` to ``end``: ledger µs, since the monotonic clock slept with it.

        Call it before the first fact from after the sleep. Cameras that were not blind get a row for exactly
        that stretch, which is whole when told; those that were stay in theirs.
        """
        return [told for rows in self._cameras.values() for told in rows.asleep(start, end, at)]

    # ---- now

    def edge(self, camera: str) -> int | None:
        """Where the watch of a camera began (µs), or, if it is watched no more, ended; None: unknown.

        Rows lie within watches that begin and end there, whatever the clock did meanwhile.
        """
        rows = self._cameras.get(camera)
        return self._removed.get(camera) if rows is None else rows.added

    def open_gaps(self) -> list[Gap]:
        """The open rows of all cameras, as they are now."""
        return [gap for rows in self._cameras.values() for gap in rows.open_gaps]


def _heard(
    rows: CameraRows, fact: Blind | Degraded | Sees | Recovered | Happened | EpochStarted
) -> list[Told]:
    match fact:
        case Blind() | Degraded():
            return rows.wrong(fact)
        case Sees():
            return rows.sees(fact)
        case Recovered():
            return rows.recovered(fact)
        case Happened():
            return rows.happened(fact)
        case EpochStarted():
            rows.epoch = fact.epoch
            return []
