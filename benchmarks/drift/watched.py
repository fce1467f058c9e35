"""Many cameras watched at once: what :class:`~vedette.quality.drift.monitor.Monitor` does with windows, less
what it does camera by camera where nothing is to be told. ``python -m benchmarks.drift.proof check`` holds it
against the Monitor itself.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.drift.cases import DAY
from benchmarks.drift.streams import Floats
from vedette.quality.drift.baseline import Baseline
from vedette.quality.drift.decisions import Decision, Noticed
from vedette.quality.drift.evidence import Evidence
from vedette.quality.drift.light import LIGHTS
from vedette.quality.drift.measured import JUDGED, LEARNT
from vedette.quality.drift.monitor import kind_of
from vedette.quality.drift.norms import Care
from vedette.quality.drift.scores import Scores
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.state import Said, State, next_state
from vedette.quality.drift.windows import WINDOW_S, Window

__all__ = ["Stream", "Watched", "hour_of"]

HOUR = DAY // 24


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """``values``, ``counts`` [cameras, windows, 9], ``lights`` [cameras, windows]; ``first``: the number of
    the first window, 0 being midnight."""

    values: Floats
    counts: Floats
    lights: npt.NDArray[np.int8]
    first: int = 0


def hour_of(window: int) -> int:
    return window % DAY // HOUR


class Watched:
    """Learns all of ``stream``; then :meth:`step`."""

    def __init__(self, stream: Stream, settings: Settings) -> None:
        self.settings = settings
        cameras, windows = stream.lights.shape
        self._evidence = Evidence(cameras)
        self._states = [State() for _ in range(cameras)]
        self._covered = np.zeros((cameras, LIGHTS, 24), bool)
        self._met = np.zeros((cameras, LIGHTS, 24), bool)
        self.spacing: list[npt.NDArray[np.int16]] = []
        for camera in range(cameras):
            baseline = Baseline("model", windows)
            for window in range(windows):
                number = stream.first + window
                baseline.take(
                    Window(
                        number, int(stream.lights[camera, window]), hour_of(number),
                        stream.values[camera, window], stream.counts[camera, window],
                    )
                )  # fmt: skip
            norms = baseline.finish(Scores(), Care(settings.tolerance))
            self._evidence.judge(camera, norms)
            self.spacing.append(norms.spacing)
            for light in range(LIGHTS):
                for hour in range(24):
                    self._covered[camera, light, hour] = baseline.covers(light, hour)
                    self._met[camera, light, hour] = baseline.met(light, hour)
        self._uneasy = np.zeros(cameras, bool)
        """Those whose state is not the usual one."""

    def of(self, rows: npt.NDArray[np.intp]) -> Watched:
        """These cameras, each as often as it is named: futures of the same past, side by side."""
        some = copy.copy(self)
        some._evidence = Evidence(0)
        for name, array in vars(self._evidence).items():
            setattr(some._evidence, name, array[rows])
        some._states = [self._states[row] for row in rows]
        for name in ("_covered", "_met", "_uneasy"):
            setattr(some, name, getattr(self, name)[rows])
        return some

    def step(
        self, number: int, values: Floats, counts: Floats, lights: npt.NDArray[np.int8]
    ) -> list[tuple[int, Decision]]:
        """Window ``number`` of all cameras: ``values``, ``counts`` [cameras, 9]. By camera, what is told."""
        hour, cameras = hour_of(number), np.arange(len(lights))
        judged = np.flatnonzero(self._covered[cameras, lights, hour])
        if len(judged):
            self._evidence.step(
                judged, lights[judged], values[judged, :LEARNT], counts[judged, :LEARNT], number
            )
        known = self._met[cameras, lights, hour]
        evidence = self._evidence.evidence(cameras)
        named = evidence >= self.settings.arl
        told: list[tuple[int, Decision]] = []
        for camera in np.flatnonzero(named | ~known | self._uneasy).tolist():
            said = Said(
                camera=str(camera), began=number * WINDOW_S, at=(number + 1) * WINDOW_S,
                known=bool(known[camera]), light=int(lights[camera]), hour=hour,
                evidence=float(evidence[camera]),
                noticed=self._noticed(camera, number, evidence[camera]) if named[camera] else None,
            )  # fmt: skip
            self._states[camera], decisions = next_state(self._states[camera], said, self.settings)
            self._uneasy[camera] = self._states[camera] != State()
            told += [(camera, each) for each in decisions]
            if named[camera]:
                self._evidence.hold(camera, self.settings.arl)
        return told

    def _noticed(self, camera: int, number: int, evidence: float) -> Noticed:
        strongest = self._evidence.strongest(camera)
        side = JUDGED[strongest.side]
        return kind_of(self._evidence, camera, self.settings)(
            camera=str(camera), at=(number + 1) * WINDOW_S, since=strongest.since * WINDOW_S,
            measure=side.measure.name.lower(), direction="up" if side.sign > 0 else "down",
            usual=0.0, lately=0.0, deviations=strongest.deviations, light=0, evidence=evidence,
        )  # fmt: skip
