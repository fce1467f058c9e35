"""Drift of all cameras: frames and looks go in, every ten seconds decisions come out. Pure.

Not thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.quality.drift.baseline import Baseline, UnreadableBaseline
from vedette.quality.drift.decisions import (
    BaselineReset,
    ChangedPicture,
    Decision,
    Learnt,
    Noticed,
    Stage,
    SuspectedLoss,
    SuspicionOver,
    Why,
)
from vedette.quality.drift.evidence import Evidence
from vedette.quality.drift.fleet import chosen
from vedette.quality.drift.measured import JUDGED, LEARNT
from vedette.quality.drift.norms import Care
from vedette.quality.drift.scores import Scores
from vedette.quality.drift.settings import DAY_WINDOWS, Settings
from vedette.quality.drift.state import Said, State, next_state, stage
from vedette.quality.drift.windows import WINDOW_S, Observer, Picture, Window

__all__ = ["Monitor", "Status", "kind_of"]


BOXES_SHARE = 0.01
"""Of the ARL: so much of the evidence has to rest on boxes for a loss to be suspected. That something is
worse is told at the whole ARL; this only says by which word. Where a picture changed and boxes are as usual,
it is the wrong one once in ten camera-days at most, with an ARL of 1000."""
GONE_SHARE = 0.5
"""Of the last minutes. A picture that changed and most boxes gone are a loss: either alone may be none."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a camera stands. ``progress``: of learning, 0…1. ``lights``: those that are known. ``judged``:
    whether its last window could be; not where conditions are unseen, or were met too shortly. ``evidence``:
    in camera-days, next to the ARL. ``left_out``: boxes counted without their class, for want of room.
    ``met``: windows that were learnt from, by light. ``missing``: windows until learning is over.
    ``unseen_since``: Unix seconds, while conditions are."""

    stage: Stage
    model: str
    progress: float
    light: int
    lights: tuple[int, ...]
    judged: bool
    evidence: float
    left_out: int
    nbytes: int
    met: Mapping[int, int] = field(default_factory=dict)
    missing: int = 0
    unseen_since: float | None = None


class _Written(msgspec.Struct):
    baseline: bytes
    scores: bytes


class _Camera:
    def __init__(self, baseline: Baseline, observer: Observer, row: int) -> None:
        self.baseline = baseline
        self.observer = observer
        self.row = row
        self.state = State()
        self.judged = False

    def close(self, number: int) -> Window | None:
        baseline = self.baseline
        # While a light is learnt, its own counts say what is usual in it; then what was learnt does.
        return self.observer.close(number, baseline.mixes.get(self.observer.light))


class Monitor:
    """``sites``: by camera, where it stands; see :mod:`~vedette.quality.drift.fleet`. Times: Unix seconds."""

    def __init__(self, settings: Settings | None = None, sites: Mapping[str, str] | None = None) -> None:
        self.settings = settings or Settings()
        self.sites = dict(sites or {})
        self._care = Care(self.settings.tolerance)
        self._cameras: dict[str, _Camera] = {}
        self._evidence = Evidence(8)
        self._free: list[int] = list(range(8))
        self._closed = 0
        self._waiting: list[Decision] = []

    def watch(self, camera: str, model: str, now: float) -> None:
        """Begin with a camera, or with another model of one: what is usual is learnt anew. To go on with what
        was learnt earlier, :meth:`restore` it. Whoever feeds frames need not call it."""
        known = self._cameras.get(camera)
        if known is None:
            self._cameras[camera] = self._new(model, self._row())
        elif known.baseline.model != model:
            self._reset(camera, model, now, Why.MODEL)

    def frame(
        self,
        camera: str,
        model: str,
        at: float,
        confidence: NDArray[np.float32],
        class_id: NDArray[np.int32],
        area: NDArray[np.float32],
    ) -> None:
        """A frame was analysed: all raw boxes of at least 0.05, ``area`` as share of the picture; [n] each.

        ``model``: its hash; see :meth:`watch`. The arrays are copied.
        """
        known = self._cameras.get(camera)
        if known is None or known.baseline.model != model:
            self.watch(camera, model, at)
            known = self._cameras[camera]
        known.observer.frame(at, confidence, class_id, area, known.baseline.mixes.get(known.observer.light))

    def look(self, camera: str, at: float, picture: Picture) -> None:
        """At most once a second. Of cameras whose frames nobody analysed yet it is dropped."""
        if camera in self._cameras:
            self._cameras[camera].observer.look(at, picture)

    def close(self, now: float) -> list[Decision]:
        """To be called every ten seconds: ends the windows, and says what they say."""
        number = int(now // WINDOW_S) - 1
        if number <= self._closed:
            return self.judge(number, {}, now)
        self._closed = number
        windows = {name: window for name, each in self._cameras.items() if (window := each.close(number))}
        return self.judge(number, windows, now)

    def judge(self, number: int, windows: Mapping[str, Window], now: float) -> list[Decision]:
        """Windows of this number that somebody else has closed, by camera. Raises KeyError for strangers."""
        decisions, self._waiting = self._waiting, []
        for name, window in windows.items():
            decisions += self._learn_from(name, window, now)
        for name, window in windows.items():
            each = self._cameras[name]
            each.judged = each.baseline.covers(window.light, window.hour)
        self._step([name for name in windows if self._cameras[name].judged], windows, number)
        return decisions + self._say(windows)

    def learn(self, camera: str, now: float, hours: float | None = None, *, anew: bool = False) -> None:
        """Learn for so many hours what is usual in lights not yet known; ``anew``: in all. None: as set.

        Raises KeyError for a camera that was never fed.
        """
        each = self._cameras[camera]
        wanted = self.settings.learn_windows if hours is None else round(hours * DAY_WINDOWS / 24)
        if anew:
            each = self._reset(camera, each.baseline.model, now, Why.COMMAND)
        each.baseline.learn(wanted)

    def moved(self, camera: str, now: float) -> None:
        """It looks elsewhere: nothing that was usual is so any more."""
        if camera in self._cameras:
            self._reset(camera, self._cameras[camera].baseline.model, now, Why.MOVED)

    def forget(self, camera: str) -> None:
        """It is not watched any more."""
        gone = self._cameras.pop(camera, None)
        if gone is not None:
            self._evidence.judge(gone.row, None)
            self._free.append(gone.row)

    def status(self, camera: str) -> Status:
        """Raises KeyError for a camera that was never fed."""
        return self.statuses([camera])[camera]

    def statuses(self, cameras: Iterable[str]) -> dict[str, Status]:
        """Of many at once, which is several times quicker. Raises KeyError for one that was never fed."""
        some = {camera: self._cameras[camera] for camera in cameras}
        evidence = self._evidence_of(each.row for each in some.values())
        of_a_row = self._evidence.nbytes // len(self._evidence)
        return {
            camera: _status(each, of / DAY_WINDOWS, of_a_row)
            for (camera, each), of in zip(some.items(), evidence, strict=True)
        }

    def scores(self, camera: str) -> Scores:
        """Everything that was counted of it. Raises KeyError."""
        return self._cameras[camera].observer.scores

    def dump(self, camera: str) -> bytes:
        """What was learnt and counted, to be kept by camera and model. Not the evidence. Raises KeyError."""
        each = self._cameras[camera]
        return msgspec.msgpack.encode(_Written(each.baseline.to_bytes(), each.observer.scores.to_bytes()))

    def restore(self, camera: str, data: bytes) -> None:
        """Go on with what was dumped. Raises UnreadableBaseline, UnreadableScores."""
        try:
            written = msgspec.msgpack.decode(data, type=_Written)
        except msgspec.DecodeError as err:
            raise UnreadableBaseline(str(err)) from err
        baseline, scores = Baseline.from_bytes(written.baseline), Scores.from_bytes(written.scores)
        self.forget(camera)
        each = _Camera(baseline, Observer(scores, self.settings.utc_offset_s), self._row())
        self._cameras[camera] = each
        if baseline.known:
            self._evidence.judge(each.row, baseline.norms(self._care))

    def resume(self, camera: str, data: bytes, now: float) -> None:
        """A model detects again of which this was dumped earlier. Raises UnreadableBaseline,
        UnreadableScores."""
        suspected = self._cameras[camera].state.suspected is not None
        self.restore(camera, data)
        if suspected:
            self._waiting.append(SuspicionOver(camera=camera, at=now, since=now, reset=True))

    def _new(self, model: str, row: int) -> _Camera:
        return _Camera(
            Baseline(model, self.settings.learn_windows), Observer(None, self.settings.utc_offset_s), row
        )

    def _reset(self, camera: str, model: str, now: float, why: Why) -> _Camera:
        before = self._cameras[camera]
        if before.state.suspected is not None:
            self._waiting.append(SuspicionOver(camera=camera, at=now, since=now, reset=True))
        self._waiting.append(BaselineReset(camera=camera, at=now, why=why))
        each = self._cameras[camera] = self._new(model, before.row)
        self._evidence.judge(each.row, None)
        return each

    def _row(self) -> int:
        if not self._free:
            rows = len(self._evidence)
            self._evidence = self._evidence.grown(2 * rows)
            self._free = list(range(rows, 2 * rows))
        return self._free.pop()

    def _learn_from(self, name: str, window: Window, now: float) -> list[Decision]:
        each = self._cameras[name]
        if not each.baseline.take(window):
            return []
        norms = each.baseline.finish(each.observer.scores, self._care)
        if not each.baseline.known:
            return []
        self._evidence.judge(each.row, norms)
        return [Learnt(camera=name, at=now, lights=tuple(sorted(each.baseline.known)))]

    def _step(self, names: list[str], windows: Mapping[str, Window], number: int) -> None:
        if not names:
            return
        rows = np.array([self._cameras[name].row for name in names])
        lights = np.array([windows[name].light for name in names], np.int8)
        values = np.array([windows[name].values[:LEARNT] for name in names])
        counts = np.array([windows[name].counts[:LEARNT] for name in names])
        self._evidence.step(rows, lights, values, counts, number)

    def _evidence_of(self, rows: Iterable[int]) -> list[float]:
        return [float(each) for each in self._evidence.evidence(np.array(list(rows), np.intp))]

    def _say(self, windows: Mapping[str, Window]) -> list[Decision]:
        rows = [self._cameras[name].row for name in windows]
        evidence = dict(zip(windows, self._evidence_of(rows), strict=True))
        named = chosen(evidence, self.sites, self.settings.arl, self.settings.across)
        decisions: list[Decision] = []
        for name, window in windows.items():
            each = self._cameras[name]
            began = window.number * WINDOW_S
            said = Said(
                camera=name, began=began, at=began + WINDOW_S,
                known=each.baseline.met(window.light, window.hour) if each.baseline.known else None,
                light=window.light, hour=window.hour, evidence=evidence[name],
                noticed=self._noticed(name, window, evidence[name]) if name in named else None,
            )  # fmt: skip
            each.state, told = next_state(each.state, said, self.settings)
            decisions += told
            if name in named:
                self._evidence.hold(each.row, self.settings.arl)
        return decisions

    def _noticed(self, name: str, window: Window, evidence: float) -> Noticed:
        row = self._cameras[name].row
        kind = kind_of(self._evidence, row, self.settings)
        strongest = self._evidence.strongest(row)
        side = JUDGED[strongest.side]
        return kind(
            camera=name,
            at=(window.number + 1) * WINDOW_S,
            since=strongest.since * WINDOW_S,
            measure=side.measure.name.lower(),
            direction="up" if side.sign > 0 else "down",
            usual=self._evidence.usual(row, window.light, side.measure),
            lately=float(window.values[side.measure]),
            deviations=strongest.deviations,
            light=window.light,
            evidence=evidence / DAY_WINDOWS,
        )


def kind_of(evidence: Evidence, row: int, settings: Settings) -> type[Noticed]:
    """What is to be told: another picture only where boxes are as usual, and most of them are there."""
    of_boxes, gone = evidence.of_boxes(row), float(evidence.emptiness[row])
    lost = of_boxes >= BOXES_SHARE * settings.arl or gone >= GONE_SHARE
    return SuspectedLoss if lost else ChangedPicture


def _status(camera: _Camera, evidence: float, of_a_row: int) -> Status:
    baseline, observer = camera.baseline, camera.observer
    return Status(
        stage=stage(camera.state, baseline.learning),
        model=baseline.model,
        progress=baseline.progress,
        light=observer.light,
        lights=tuple(sorted(baseline.known)),
        judged=camera.judged,
        evidence=evidence,
        left_out=observer.scores.left_out,
        nbytes=baseline.nbytes + observer.nbytes + of_a_row,
        met=baseline.met_lights,
        missing=baseline.missing,
        unseen_since=camera.state.unseen_since,
    )
