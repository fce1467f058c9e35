"""What others would say of the same windows: river's ADWIN and Page–Hinkley, hourly Kolmogorov–Smirnov and
Wasserstein as Evidently does by default; as shipped, or tuned until nothing was a false alarm.

Of each camera and measure there is one; they go on from the end of what was usual, like ours.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.drift.cases import DAY
from benchmarks.drift.streams import Floats
from vedette.quality.drift.measured import LEARNT, Measure

__all__ = ["ADWIN_DELTAS", "PAGE_HINKLEY", "Hourly", "Sequential", "adwin", "page_hinkley"]

HOUR = DAY // 24
ADWIN_DELTAS = (0.002, 1e-6, 1e-18, 1e-50, 1e-200)
"""The first is as shipped."""
PAGE_HINKLEY = (50.0, 10.0, 2.0, 0.5, 0.1)
NEVER = np.inf
THINNED = 10
"""Of a reference every so many windows are held against an hour: 2592 of three days."""
Firsts = npt.NDArray[np.float64]
"""[cameras, 2]: windows until the first alarm, of the confidence, and of any feature; infinite: none."""


def adwin(delta: float) -> Any:
    from river.drift import ADWIN

    return ADWIN(delta=delta)


def page_hinkley(threshold: float) -> Any:
    from river.drift import PageHinkley

    return PageHinkley(threshold=threshold)


@dataclass(eq=False)
class Sequential:
    """``detectors`` [cameras][6 measures]."""

    detectors: list[list[Any]]

    @classmethod
    def of(cls, make: Callable[[float], Any], setting: float, cameras: int) -> Sequential:
        return cls([[make(setting) for _ in range(LEARNT)] for _ in range(cameras)])

    def alarms(self, values: Floats) -> npt.NDArray[np.int64]:
        """How often each alarmed, [cameras, 6], over ``values`` [cameras, windows, 6], which it learns."""
        counted = np.zeros((len(values), LEARNT), np.int64)
        for camera, each in enumerate(self.detectors):
            for measure, detector in enumerate(each):
                counted[camera, measure] = sum(1 for _ in _alarms(detector, values[camera, :, measure]))
        return counted

    def firsts(self, values: Floats) -> Firsts:
        """Until the first alarms; what they have seen before stays as it is."""
        found = np.full((len(values), 2), NEVER)
        for camera, each in enumerate(self.detectors):
            order = [Measure.CONFIDENCE, *(m for m in range(LEARNT) if m != Measure.CONFIDENCE)]
            for measure in order:
                most = len(values[camera]) if measure == Measure.CONFIDENCE else found[camera, 1]
                until = values[camera, : int(min(most, len(values[camera]))), measure]
                first = next(_alarms(copy.deepcopy(each[measure]), until), NEVER)
                found[camera, 1] = min(found[camera, 1], first)
                if measure == Measure.CONFIDENCE:
                    found[camera, 0] = first
        return found


def _alarms(detector: Any, values: Floats) -> Iterator[int]:
    for window, value in enumerate(values.tolist()):
        if value != value:  # nothing was there to measure
            continue
        detector.update(value)
        if detector.drift_detected:
            yield window + 1


@dataclass(eq=False)
class Hourly:
    """``reference`` [cameras, windows, 6]: all of what was learnt. ``statistic`` (hour, reference): alarms
    where it is more than ``limit`` of the measure."""

    reference: Floats
    statistic: Callable[[Floats, Floats], float]

    def statistics(self, values: Floats, offset: int = 0) -> Floats:
        """[cameras, hours, 6] of whole hours from ``offset`` on; NaN where there was nothing."""
        hours = (values.shape[1] - offset) // HOUR
        found = np.full((len(values), hours, LEARNT), np.nan)
        for camera in range(len(values)):
            for measure in range(LEARNT):
                usual = self._usual(camera, measure)
                for hour in range(hours):
                    start = offset + hour * HOUR
                    lately = _there(values[camera, start : start + HOUR, measure])
                    if len(lately) and len(usual):
                        found[camera, hour, measure] = self.statistic(lately, usual)
        return found

    def firsts(self, before: Floats, after: Floats, limits: npt.NDArray[np.float64], most: int = 6) -> Firsts:
        """``before``: what came in the hour before the change, of which part lies in the same hour as what
        came ``after``. ``limits`` [2]: for the confidence, and for any feature. ``most``: hours looked at."""
        found = np.full((len(after), 2), NEVER)
        for camera in range(len(after)):
            part = (camera * 37) % HOUR  # the change comes at any minute of an hour
            joined = np.concatenate([before[camera, len(before[camera]) - part :], after[camera]])
            for hour in range(min(most, len(joined) // HOUR)):
                lately = joined[hour * HOUR : (hour + 1) * HOUR]
                values = [self._of(camera, measure, lately) for measure in range(LEARNT)]
                at = (hour + 1) * HOUR - part
                if values[Measure.CONFIDENCE] > limits[0]:
                    found[camera, 0] = min(found[camera, 0], at)
                if max(values) > limits[1]:
                    found[camera, 1] = min(found[camera, 1], at)
                if np.isfinite(found[camera]).all():
                    break
        return found

    def _usual(self, camera: int, measure: int) -> Floats:
        return _there(self.reference[camera, ::THINNED, measure])

    def _of(self, camera: int, measure: int, lately: Floats) -> float:
        some, usual = _there(lately[:, measure]), self._usual(camera, measure)
        return self.statistic(some, usual) if len(some) and len(usual) else -NEVER


def _there(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def kolmogorov(hour: Floats, usual: Floats) -> float:
    """−log10 p: as shipped, more than −log10 0.05 alarms."""
    from scipy.stats import ks_2samp

    return float(-np.log10(max(ks_2samp(hour, usual, method="asymp").pvalue, 1e-300)))


def wasserstein(hour: Floats, usual: Floats) -> float:
    """In deviations of the reference: as shipped, 0.1 and more alarms."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(hour, usual) / max(float(np.std(usual)), 0.001))
