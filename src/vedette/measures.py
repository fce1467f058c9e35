"""What is measured of one camera's frames on their way: its row of the shared table, and histograms."""

from __future__ import annotations

from typing import Any

from vedette.workers.table import Stage, Table

__all__ = ["Measures"]

KEYFRAMES_APART_S = 60.0
"""An interval between keyframes counts for at most so much: it may have been an outage."""


class Measures:
    """Of the camera ``index``, by camera worker ``worker``. All times in seconds."""

    def __init__(self, table: Table, worker: int, index: int) -> None:
        self._table, self._worker, self._index = table, worker, index
        self._row: Any = table.rows[index]
        self._last_arrival = self._last_keyframe = 0.0
        self._decode_s = self._lag_s = 0.0
        # What another pipeline left there, of other settings or of a worker that died.
        self._row["lag"] = 0.0

    @property
    def keyframe_every(self) -> float:
        """Between the stream's keyframes; 0.0 while that is not known."""
        return float(self._row["keyframe_every"])

    def go_on(self, lag: float) -> None:
        """From where another process was; its row says the rest. ``lag`` in seconds."""
        self._decode_s = float(self._row["decode_s"])
        self._lag_s = self._row["lag"] = lag

    def opened(self) -> None:
        """What lies between two sessions is no interval."""
        self._last_arrival = self._last_keyframe = 0.0

    def arrived(self, at: float, usual: float) -> None:
        """A live frame came. ``usual``: the interval that is known from its arrivals."""
        if self._last_arrival:
            interval = float(self._row["interval"])
            # A pause says nothing about the rate; one interval counts for at most a second.
            step = min(1.0, at - self._last_arrival) - interval
            smoothed = interval + step * (0.1 if interval else 1.0)
            self._row["interval"] = usual if usual > 1.0 else smoothed
        self._last_arrival = at

    def keyframe(self, at: float) -> None:
        row = self._row
        row["keyframes"] += 1
        known = float(row["keyframe_every"])
        if self._last_keyframe:
            step = min(KEYFRAMES_APART_S, at - self._last_keyframe) - known
            row["keyframe_every"] = known + step * (0.3 if known else 1.0)
        self._last_keyframe = at

    def keyframe_missed(self) -> None:
        """One may have been among frames that were left out without a look."""
        self._last_keyframe = 0.0

    def decoded(self, took: float, lag: float) -> None:
        self.stage(Stage.LAG, lag)
        self.stage(Stage.DECODE, took)
        self._decode_s += (0.05 if self._decode_s else 1.0) * (took - self._decode_s)
        self._lag_s += 0.1 * (lag - self._lag_s)
        self._row["decode_s"], self._row["lag"] = self._decode_s, self._lag_s

    def stage(self, stage: Stage, seconds: float) -> None:
        """A frame was in this stage for so long."""
        self._table.record_stage(self._worker, self._index, stage, seconds)

    def age(self, seconds: float) -> None:
        """A result left."""
        self._table.record_age(self._index, seconds)
