"""Measures the node's load, asks the policy, and performs what it says: the rung, the rate and the step in
each camera's row of the shared table, and the size that the detector's input should have.

On the node's loop, twice a second. Workers read their rows with every frame; nobody waits for anybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from vedette.causes import Blame, Cause
from vedette.clock import Clock
from vedette.endings import Ending
from vedette.facts import AnyFact, Degraded, Recovered, Resized, Stepped
from vedette.frame import Rung
from vedette.histogram import percentile
from vedette.ladder import policy
from vedette.ladder.steps import CameraLoad, Load, Move, Resize, Step
from vedette.roster import Entry, Roster
from vedette.workers.table import CameraState, Stage, Table

__all__ = ["Governor"]

LOOK_EVERY_S = 0.5
OVER_S = 1.0
"""Rates are of about so long a stretch."""

STALE_S = 2.5
"""Workers say once a second how busy they are."""

HANGS_S = 1.0
"""A batch that takes so long, and longer than others, says nothing about the load: the detector hangs, or is
about to be replaced."""

_ON_THE_LADDER = (CameraState.CONNECTING, CameraState.LIVE, CameraState.WAITING)
_COUNTERS = (
    "received",
    "analysed",
    Ending.SUPERSEDED.value,
    Ending.EXPIRED_WAIT.value,
    Ending.EXPIRED_CONVERT.value,
    Ending.EXPIRED_INFER.value,
    Ending.EXPIRED_EMIT.value,
    Ending.SKIPPED_BACKLOG.value,
    "decoded",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Counters at one moment: ``counts`` i8 [counters, cameras], ``stages`` [stages, buckets]."""

    at: float
    counts: npt.NDArray[np.int64]
    stages: npt.NDArray[np.int64]


class Governor:
    """``tell`` hears of every step. ``cpu``: share of the machine's cores in use since the last call."""

    def __init__(
        self,
        roster: Roster,
        *,
        table: Callable[[], Table],
        clock: Clock,
        tell: Callable[[AnyFact], None],
        max_age: float,
        enabled: bool = True,
        cpu: Callable[[], float] = lambda: psutil.cpu_percent(interval=None) / 100,
        resizes: Callable[[], bool] = lambda: True,
    ) -> None:
        """``resizes``: whether the detector's input may be made smaller now."""
        self._roster, self._table_of, self._clock, self._tell = roster, table, clock, tell
        self._max_age, self._enabled, self._cpu, self._resizes = max_age, enabled, cpu, resizes
        self._state = policy.began()
        self._samples: deque[_Sample] = deque(maxlen=8)
        self._looked_at = 0.0
        self._on: set[str] = set()
        """Cameras that the policy was told of last."""
        self._thinned: dict[str, str] = {}
        """Cameras for which less is done than was asked for, and what led to it."""
        self._resize_why = ""
        self._size = 0
        self.inputs: list[tuple[int, int]] = []
        """Sizes (height, width) that the detector's input may have, the full one first."""
        self.cpu_busy = 0.0

    @property
    def thinned(self) -> int:
        """Cameras for which the node does less than was asked for."""
        return len(self._held())

    @property
    def lacking(self) -> str:
        """Why the node does less for cameras than was asked for, now; empty where it does not."""
        if self._table.header["wanted_size"] > 0:
            return self._resize_why or "The detector's input is smaller"
        return next(iter(self._held()), "")

    def _held(self) -> list[str]:
        """Why, of each camera that the node holds back. What one is let off by itself, because its own
        decoder is slow, is no lack of the node's: it may last as long as the camera does."""
        held = (name for name, standing in self._state.cameras.items() if standing.thin > Step.FULL)
        return [why for name in held if (why := self._thinned.get(name))]

    @property
    def _table(self) -> Table:
        return self._table_of()

    def tick(self) -> None:
        """Called often; looks twice a second."""
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        self.cpu_busy = self._cpu()
        self._say_size(now)
        climbing = [entry for entry in self._roster if self._climbs(entry)]
        self._let_go({entry.name for entry in climbing}, now)
        before, sample = self._sampled(now)
        if not self._enabled or before is None or self._detector_hangs(now):
            return
        load = self._load(climbing, before, sample)
        self._state, actions = policy.step(self._state, load, now)
        for action in actions:
            if isinstance(action, Move):
                self._move(action, now)
            else:
                self._resize(action)
        for name in [name for name in self._thinned if not policy.thinned(self._state, name)]:
            self._as_asked_for(name, now)  # it stands where it stood, and now nothing else is asked for

    def forget(self, camera: str) -> None:
        """It was paused, removed, added or changed: whatever it was like before, it begins anew."""
        if camera in self._on:
            self._let_go(self._on - {camera}, self._clock.monotonic())
            self._state = policy.without(self._state, camera)

    # ---- measuring

    def _sampled(self, now: float) -> tuple[_Sample | None, _Sample]:
        table = self._table
        rows = table.rows[: table.used]
        counts = np.stack([rows[name] for name in _COUNTERS])
        sample = _Sample(now, counts, table.stages.sum(axis=0, dtype=np.int64))
        old = [each for each in self._samples if now - each.at >= OVER_S - LOOK_EVERY_S / 2]
        self._samples.append(sample)
        before = old[-1] if old else None
        if before is not None and before.counts.shape != counts.shape:
            return None, sample  # cameras were added meanwhile
        return before, sample

    def _detector_hangs(self, now: float) -> bool:
        header = self._table.header
        started, usual = float(header["batch_started"]), float(header["busy_s"]) / max(1, header["batches"])
        idle = now - float(self._table.beats[0]) > HANGS_S
        return idle or bool(started and now - started > max(HANGS_S, 3 * usual))

    def _load(self, climbing: list[Entry], before: _Sample, sample: _Sample) -> Load:
        table, passed = self._table, max(1e-3, sample.at - before.at)
        counts = sample.counts - before.counts
        received = max(1, int(counts[0].sum()))
        loads = table.loads[1 : 1 + table.workers].copy()
        # A worker that is dead, hangs or has just begun has said nothing of now.
        loads[sample.at - loads["at"] > STALE_S] = 0
        return Load(
            cameras=tuple(self._camera(entry, counts[:, entry.index] / passed) for entry in climbing),
            busy=tuple(loads["busy"].tolist()),
            waited=tuple(loads["waited"].tolist()),
            late=tuple(loads["late"].tolist()),
            cpu=self.cpu_busy,
            age=_ours(sample.stages - before.stages),
            expired=float(self._expired(counts)) / received,
            detector=float(table.loads[0]["busy"]),
            sizes=int(table.header["smaller"]) if self._resizes() else 0,
            size=int(table.header["size"]),
            max_age=self._max_age,
        )

    def _expired(self, counts: npt.NDArray[np.int64]) -> int:
        """Frames that grew too old with us. Where only keyframes are decoded, one that nobody asked for does
        not count: the next one comes too late to supersede it."""
        waited, *others = counts[_COUNTERS.index(Ending.EXPIRED_WAIT.value) :][:4]
        sparse = self._table.rows["rung"][: waited.size] >= Rung.KEYFRAMES
        return int(waited[~sparse].sum()) + sum(int(each.sum()) for each in others)

    def _climbs(self, entry: Entry) -> bool:
        state = self._table.rows["state"][entry.index]
        return entry.watched and not entry.settings.every_frame and state in _ON_THE_LADDER

    def _camera(self, entry: Entry, rates: npt.NDArray[np.float64]) -> CameraLoad:
        row = self._table.rows[entry.index]
        return CameraLoad(
            name=entry.name,
            worker=entry.worker,
            weight=float(row["weight"]),
            fps_in=float(rates[0]),
            analysed=float(rates[1]),
            superseded=float(rates[2]),
            decode=float(row["decode_s"]),
            lag=float(row["lag"]),
            backlog=int(row["backlog"]),
            left_out=float(rates[7]),
            decoded=float(rates[8]),
            keyframe_every=float(row["keyframe_every"]),
            max_fps=entry.settings.max_fps,
            rung=Rung(entry.settings.rung),
            live=row["state"] == CameraState.LIVE,
        )

    # ---- doing

    def _move(self, move: Move, now: float) -> None:
        for name in move.cameras:
            self._put(name, move.step, move.limit.get(name))
        thinned = [name for name in move.cameras if policy.thinned(self._state, name)]
        if move.step is not move.was:  # else only the limits are others
            self._tell(
                Stepped(
                    at=now,
                    cameras=list(move.cameras),
                    was=move.was.name.lower(),
                    step=move.step.name.lower(),
                    why=move.why,
                    wanted=not thinned and move.step > move.was,
                )
            )
        for name in move.cameras:
            if name in thinned:
                self._thin(name, move, now)
            else:
                self._as_asked_for(name, now)

    def _thin(self, name: str, move: Move, now: float) -> None:
        # Why less is done is what led down, also while it is half way up again.
        why = move.why if move.step > move.was else self._thinned.get(name, move.why)
        self._thinned[name] = why
        detail = f"{_WORDS[move.step]}. {why}"
        self._tell(
            Degraded(at=now, camera=name, since=now, cause=Cause.THINNED, blame=Blame.NODE, detail=detail)
        )

    def _put(self, name: str, step: Step, limit: float | None) -> None:
        row: Any = self._table.rows[self._roster.named_ever(name).index]
        row["step"], row["rung"] = step, step.rung
        row["limit"] = 1.0 / limit if limit else 0.0

    def _as_asked_for(self, name: str, now: float) -> None:
        if name in self._thinned:
            del self._thinned[name]
            self._tell(Recovered(at=now, camera=name, cause=Cause.THINNED))

    def _let_go(self, present: set[str], now: float) -> None:
        """Cameras that are not on the ladder any more are on no step of it."""
        for name in self._on - present:
            self._put(name, Step.FULL, None)
            self._as_asked_for(name, now)
        self._on = present

    def _resize(self, action: Resize) -> None:
        self._table.header["wanted_size"] = action.size
        self._resize_why = action.why

    def _say_size(self, now: float) -> None:
        size = int(self._table.header["size"])
        if size != self._size and size < len(self.inputs):
            self._size = size
            height, width = self.inputs[size]
            anew = size == 0 and self._table.header["wanted_size"] > 0
            why = "The detector was started anew" if anew else self._resize_why
            self._tell(Resized(at=now, height=height, width=width, why=why))


_WORDS = {
    Step.FEWER: "Analysed less often",
    Step.REFERENCE: "Only frames that others depend on are decoded",
    Step.KEYFRAMES: "Only keyframes are decoded",
    Step.PAUSED: "Paused",
}


def _ours(stages: npt.NDArray[np.int64]) -> float:
    """How long frames took with us lately, in seconds: nine of ten and more took less. The way to us is left
    out: a slow network is no reason to do less."""
    return sum(percentile(stages[stage], 0.95) for stage in Stage if stage is not Stage.LAG)
