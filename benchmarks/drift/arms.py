"""Ours, and what others would have said of the same windows: when each alarmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.drift.cases import DAY, Run
from vedette.quality.drift.decisions import Noticed, UnseenConditions
from vedette.quality.drift.measured import LEARNT, MEASURES, Measure
from vedette.quality.drift.monitor import Monitor
from vedette.quality.drift.settings import Settings
from vedette.quality.drift.windows import WINDOW_S, Window

__all__ = ["ARMS", "Alarms", "Arm"]

Alarms = dict[str, list[list[int]]]
"""By kind and camera: the windows, counted from the start of the run, at which it alarmed while watching."""
Arm = Callable[[Run, float], Alarms]

HOUR = 360
STREAMS = {"confidence": (Measure.CONFIDENCE,), "features": tuple(Measure)[:LEARNT]}
"""What peers are fed: what people feed them, and what we judge. Any of several that alarms is an alarm."""


def ours(run: Run, arl_days: float) -> Alarms:
    """The whole :class:`~vedette.quality.drift.monitor.Monitor`, from windows on."""
    settings = Settings(learn_days=(run.learn - 1) / DAY, arl_days=arl_days)
    monitor = Monitor(settings)
    names = [f"camera-{number}" for number in range(len(run.values))]
    place = {name: number for number, name in enumerate(names)}
    for name in names:
        monitor.watch(name, "model-1", 0.0)
    loss: list[list[int]] = [[] for _ in names]
    unseen: list[list[int]] = [[] for _ in names]
    for window in range(run.values.shape[1]):
        now = (window + 1) * WINDOW_S
        if run.case.model:
            for number in np.flatnonzero(run.change == window).tolist():
                monitor.watch(names[number], "model-2", now)
        closed = {name: _window(run, number, window) for name, number in place.items()}
        for told in monitor.judge(window, closed, now):
            if isinstance(told, Noticed):
                loss[place[told.camera]].append(window)
            elif isinstance(told, UnseenConditions):
                unseen[place[told.camera]].append(window)
    return {"ours: loss": loss, "ours: unseen": unseen}


def _window(run: Run, camera: int, window: int) -> Window:
    hour = window % DAY // HOUR
    counts = np.broadcast_to(run.counts[camera, window], MEASURES)
    return Window(window, int(run.lights[camera, window]), hour, run.values[camera, window], counts)


def adwin(run: Run, arl_days: float) -> Alarms:
    """river's ADWIN as shipped (delta 0.002), over the windows' values from the start of the run on."""
    from river.drift import ADWIN

    return _sequential("ADWIN", ADWIN, run)


def page_hinkley(run: Run, arl_days: float) -> Alarms:
    """river's Page–Hinkley as shipped (delta 0.005, threshold 50)."""
    from river.drift import PageHinkley

    return _sequential("Page–Hinkley", PageHinkley, run)


def _sequential(name: str, detector: Callable[[], object], run: Run) -> Alarms:
    alarms: Alarms = {}
    for stream, measures in STREAMS.items():
        alarms[f"{name}: {stream}"] = [
            sorted({at for m in measures for at in _followed(detector(), values[:, m], run.learn)})
            for values in run.values
        ]
    return alarms


def _followed(detector: object, values: np.ndarray, learn: int) -> Iterator[int]:
    for window, value in enumerate(values.tolist()):
        if value != value:  # nothing was there to measure
            continue
        detector.update(value)  # type: ignore[attr-defined]
        if window >= learn and detector.drift_detected:  # type: ignore[attr-defined]
            yield window


def kolmogorov(run: Run, arl_days: float) -> Alarms:
    """Two-sample KS each hour, p < 0.05, as Evidently does for references of up to 1000."""
    from scipy.stats import ks_2samp

    return _hourly("KS", lambda hour, usual: bool(ks_2samp(hour, usual).pvalue < 0.05), run)


def wasserstein(run: Run, arl_days: float) -> Alarms:
    """Wasserstein distance each hour, in deviations of the reference, from 0.1 on, as Evidently does for
    references of more than 1000."""
    from scipy.stats import wasserstein_distance

    def drifted(hour: np.ndarray, usual: np.ndarray) -> bool:
        return bool(wasserstein_distance(hour, usual) >= 0.1 * max(float(np.std(usual)), 0.001))

    return _hourly("Wasserstein", drifted, run)


def _hourly(name: str, drifted: Callable[[np.ndarray, np.ndarray], bool], run: Run) -> Alarms:
    """Against all of the reference, mixed, and against the same hour of its days."""
    alarms: Alarms = {}
    for stream, measures in STREAMS.items():
        for against in ("mixed", "same hour"):
            alarms[f"{name}, {against}: {stream}"] = [
                sorted({at for m in measures for at in _hours(drifted, values[:, m], run.learn, against)})
                for values in run.values
            ]
    return alarms


def _hours(
    drifted: Callable[[np.ndarray, np.ndarray], bool], values: np.ndarray, learn: int, against: str
) -> Iterator[int]:
    reference = values[:learn]
    of_day = np.arange(learn) % DAY // HOUR
    for end in range(learn + HOUR, len(values) + 1, HOUR):
        usual = reference if against == "mixed" else reference[of_day == (end - HOUR) % DAY // HOUR]
        hour, usual = (each[~np.isnan(each)] for each in (values[end - HOUR : end], usual))
        if len(hour) and len(usual) and drifted(hour, usual):
            yield end - 1


ARMS: dict[str, Arm] = {
    "ours": ours,
    "adwin": adwin,
    "page-hinkley": page_hinkley,
    "ks": kolmogorov,
    "wasserstein": wasserstein,
}
