"""Listens to a node, and keeps what is judged later. Called from the node's threads."""

from __future__ import annotations

import threading
import time
from array import array
from dataclasses import dataclass, field

from vedette.chaos.seen import Results, Row, Told
from vedette.facts import AnyFact, GapChanged, GapClosed, GapOpened, Sees, Trouble, WorkerEnded
from vedette.results import UNTRACKED, Result

__all__ = ["Collector"]

ROWS_AT_MOST = 200_000
TOLD_AT_MOST = 1000
"""Causes of one row."""

RESULT_EVERY_S = 0.2
"""Of results that follow each other closely only so many are kept. The first after a pause always is."""
RESULTS_AT_MOST = 1_000_000
"""Of all cameras together: two hours of 32. Beyond that, no results are kept."""

TRACKS_AT_MOST = 100_000
"""Of one camera; ids are forgotten in the order in which they came."""
TROUBLES_AT_MOST = 100


@dataclass(slots=True)
class _Camera:
    captured: array[float] = field(default_factory=lambda: array("d"))
    emitted: array[float] = field(default_factory=lambda: array("d"))
    last: float = 0.0
    oldest: float = 0.0
    results: int = 0
    epoch_of: dict[int, int] = field(default_factory=dict)
    reused: set[int] = field(default_factory=set)


class Collector:
    """``fact`` and ``result`` are what :func:`vedette.run` calls. Monotonic seconds throughout."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = time.time() - time.monotonic()
        self._rows: dict[str, Row] = {}
        self._cameras: dict[str, _Camera] = {}
        self._kept = 0
        self.seeing: set[str] = set()
        """Cameras that gave a picture."""
        self.lost: list[WorkerEnded] = []
        self.troubles: list[str] = []
        self.left_out = 0
        """Rows and results there was no room for."""

    # ---- from the node

    def fact(self, fact: AnyFact) -> None:
        heard = time.monotonic()
        with self._lock:
            match fact:
                case GapOpened() | GapChanged() | GapClosed():
                    self._row(fact, heard)
                case Sees(camera=camera):
                    self.seeing.add(camera)
                case WorkerEnded(planned=False) if len(self.lost) < TROUBLES_AT_MOST:
                    self.lost.append(fact)
                case Trouble() if len(self.troubles) < TROUBLES_AT_MOST:
                    self.troubles.append(fact.message)

    def _row(self, fact: GapOpened | GapChanged | GapClosed, heard: float) -> None:
        gap = fact.gap
        start = gap.start / 1e6 - self._offset
        end = None if gap.end is None else gap.end / 1e6 - self._offset
        told = Told(heard, gap.cause, gap.blame, gap.detail)
        known = self._rows.get(gap.id)
        if known is None:
            if len(self._rows) >= ROWS_AT_MOST:
                self.left_out += 1
                return
            self._rows[gap.id] = Row(gap.id, gap.camera, gap.kind, start, end, (told,))
            return
        story = known.told
        if story[-1].cause is not gap.cause and len(story) < TOLD_AT_MOST:
            story = (*story, told)
        self._rows[gap.id] = Row(gap.id, gap.camera, gap.kind, start, end, story)

    def result(self, result: Result) -> None:
        captured, emitted = result.captured_at - self._offset, result.emitted_at - self._offset
        with self._lock:
            camera = self._cameras.setdefault(result.camera, _Camera())
            camera.results += 1
            camera.oldest = max(camera.oldest, result.age)
            self._tracks(camera, result)
            if emitted - camera.last < RESULT_EVERY_S:
                return
            camera.last = emitted
            if self._kept >= RESULTS_AT_MOST:
                self.left_out += 1
                return
            self._kept += 1
            camera.captured.append(captured)
            camera.emitted.append(emitted)

    def _tracks(self, camera: _Camera, result: Result) -> None:
        for number in result.boxes.track_id.tolist():
            if number == UNTRACKED:
                continue
            if camera.epoch_of.setdefault(number, result.epoch) != result.epoch:
                camera.reused.add(number)
        while len(camera.epoch_of) > TRACKS_AT_MOST:
            del camera.epoch_of[next(iter(camera.epoch_of))]

    # ---- afterwards

    @property
    def rows(self) -> list[Row]:
        with self._lock:
            return list(self._rows.values())

    def results(self) -> dict[str, Results]:
        with self._lock:
            return {
                name: Results(camera.captured[:], camera.emitted[:]) for name, camera in self._cameras.items()
            }

    def open_rows(self, cameras: set[str]) -> list[Row]:
        return [row for row in self.rows if row.end is None and row.camera in cameras]

    def oldest(self) -> dict[str, float]:
        """Seconds: the age of each camera's oldest result."""
        with self._lock:
            return {name: camera.oldest for name, camera in self._cameras.items()}

    def reused(self) -> dict[str, set[int]]:
        """Track ids that were met in two epochs, by camera."""
        with self._lock:
            return {name: set(camera.reused) for name, camera in self._cameras.items() if camera.reused}
