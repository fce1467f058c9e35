"""What happens to cameras, as the numbers of their windows.

Magnitudes are those measured on one real clip of 80 s with a nano detector, in deviations of a window there;
where none was measured it says *assumed*. They show how the arms compare, not how accurate a detector is:
whether a change does harm has to be measured on real pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.drift.streams import Floats, alike
from vedette.quality.drift.light import light_of
from vedette.quality.drift.measured import MEASURES, Measure

__all__ = ["CASES", "DAY", "Case", "Run", "lights_of", "nights", "simulated"]

DAY = 8640
"""Windows."""

USUAL = {
    Measure.WEAK: (0.55, 0.05),
    Measure.CONFIDENCE: (0.70, 0.02),
    Measure.UNUSUAL: (0.40, 0.05),
    Measure.SHARPNESS: (0.33, 0.005),
    Measure.CONTRAST: (0.25, 0.01),
    Measure.EDGES: (0.93, 0.01),
    Measure.COUNT: (0.55, 0.08),
    Measure.SIZE: (0.15, 0.02),
    Measure.LUMA: (0.52, 0.01),
}
"""Mean and deviation of a window by day."""
NIGHT = {
    Measure.WEAK: +3,
    Measure.CONFIDENCE: -2,
    Measure.SHARPNESS: -8,
    Measure.CONTRAST: +5,
    Measure.COUNT: -3,
}
"""Deviations by which infrared pictures differ. Assumed."""
OF_BOXES = [Measure.WEAK, Measure.CONFIDENCE, Measure.UNUSUAL, Measure.SIZE]
DAY_LUMA, NIGHT_LUMA = 135.0, 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """``shift``: in deviations, from the change on, at severity 5. ``cycle``: the days have nights."""

    what: str
    harmful: bool
    shift: Mapping[Measure, float] = field(default_factory=dict)
    cycle: str = ""
    luma: float | None = None
    empty: bool = False
    boxes: float = 1.0
    """Times as many; means over them vary by 1 / √ of that, more or less."""
    model: bool = False


CASES = {
    "stationary": Case("nothing happens", False),
    "dusk": Case("nights, with dusk and dawn of half an hour to an hour", False, cycle="dusk"),
    "infrared": Case("nights, switched to infrared at once", False, cycle="switch"),
    "traffic": Case(
        "twice the traffic; crowding assumed",
        False,
        {Measure.COUNT: +3, Measure.WEAK: +0.1, Measure.SIZE: -0.2},
        boxes=2.0,
    ),
    "quiet": Case("a tenth of the boxes", False, {Measure.COUNT: -4}, boxes=0.1),
    "empty": Case("nobody comes any more", False, empty=True),
    "blur": Case("blur", True, {Measure.SHARPNESS: -218, Measure.COUNT: -4, Measure.CONFIDENCE: +0.2}),
    "noise": Case("noise; assumed", True, {Measure.SHARPNESS: +20, Measure.WEAK: +4, Measure.COUNT: -2}),
    "dark": Case("dark, by day", True, {Measure.WEAK: +4, Measure.COUNT: -4}, luma=30.0),
    "jpeg": Case("compression", True, {Measure.WEAK: +7.1, Measure.COUNT: -1, Measure.SHARPNESS: -4}),
    "dirt": Case("dirt on the lens", True, {Measure.WEAK: -6.2, Measure.COUNT: -3}),
    "fog": Case("fog; assumed", True, {Measure.CONTRAST: -10, Measure.SHARPNESS: -10, Measure.COUNT: -4}),
    "moved": Case("nudged: edges 0.86 to 0.42", True, {Measure.EDGES: -22}),
    "new-class": Case("another kind of object; assumed", True, {Measure.UNUSUAL: +4, Measure.WEAK: +1}),
    "swap": Case(
        "another model, whose scores differ", False, {Measure.CONFIDENCE: -5, Measure.WEAK: +5}, model=True
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """``values`` [cameras, windows, 9], NaN where nothing was there to measure. ``lights``
    [cameras, windows].
    ``counts``: of how many boxes or looks each is the mean, [cameras, windows, 9], or [cameras, windows] for
    all. ``learn``: windows before the watch begins. ``change``: by camera, the window at which something
    happens.
    """

    case: Case
    values: Floats
    lights: npt.NDArray[np.int8]
    counts: Floats
    learn: int
    change: npt.NDArray[np.intp]


def simulated(
    case: Case, rng: np.random.Generator, cameras: int, days: float, learn_days: float, block: int,
    share: float = 0.5, severity: int = 5, ramp: int = 0,
) -> Run:  # fmt: skip
    """``days``: watched, after ``learn_days``. Changes come in their first quarter, over ``ramp`` windows."""
    learn, watched = round(learn_days * DAY), round(days * DAY)
    windows = learn + watched
    change = learn + rng.integers(watched // 8, max(watched // 4, watched // 8 + 1), cameras)
    noise = alike(rng, (cameras * MEASURES, windows), block, share).reshape(cameras, MEASURES, windows)
    z = noise.transpose(0, 2, 1)
    night, luma = nights(case.cycle, rng, cameras, windows)
    for measure, by in NIGHT.items():
        z[:, :, measure] += by * night
    grown = np.clip((np.arange(windows) - change[:, None] + 1) / max(ramp, 1), 0, 1) * severity / 5
    counts = np.full((cameras, windows), 100.0)
    if case.boxes != 1:
        counts[grown > 0] *= case.boxes
        z[:, :, OF_BOXES] *= (100.0 / counts[..., None]) ** 0.5
    for measure, by in case.shift.items():
        z[:, :, measure] += by * grown
    if case.luma is not None:
        luma = luma + (case.luma - luma) * grown
    mean, deviation = np.array([USUAL[measure] for measure in Measure]).T
    values = np.clip(mean + deviation * z, 0.0, 1.0)
    values[:, :, Measure.LUMA] = np.clip(luma / 255 + 0.01 * noise[:, Measure.LUMA], 0, 1)
    if case.empty:
        gone = grown > 0
        values[gone, : Measure.UNUSUAL + 1] = np.nan
        values[gone, Measure.COUNT], values[gone, Measure.SIZE] = 0.0, np.nan
    return Run(case, values, lights_of(values[:, :, Measure.LUMA] * 255, night > 0.99), counts, learn, change)


def nights(cycle: str, rng: np.random.Generator, cameras: int, windows: int) -> tuple[Floats, Floats]:
    """How much of the night it is, 0…1, and mean luma; [cameras, windows]. The day begins at midnight.
    ``cycle``: ``dusk``, ``switch``, or none."""
    if not cycle:
        return np.zeros((cameras, windows)), np.full((cameras, windows), DAY_LUMA)
    days = -(-windows // DAY)
    hour = np.arange(windows) % DAY / 360
    number = np.arange(windows) // DAY
    # Clouds move dusk and dawn by a quarter of an hour or so from day to day.
    dusk = (rng.uniform(17, 20, cameras)[:, None] + rng.normal(0, 0.25, (cameras, days)))[:, number]
    dawn = (rng.uniform(5, 8, cameras)[:, None] + rng.normal(0, 0.25, (cameras, days)))[:, number]
    length = rng.uniform(0.5, 1.0, cameras)[:, None] if cycle == "dusk" else 1 / 360
    up, down = np.clip((hour - dawn) / length, 0, 1), np.clip((hour - dusk) / length, 0, 1)
    night = 1 - up + down
    luma = DAY_LUMA * np.exp(np.log(30 / DAY_LUMA) * night)
    # Infrared comes on when it is darkest, and lights the scene again.
    return night, np.where(night > 0.99, NIGHT_LUMA, luma)


def lights_of(luma: Floats, infrared: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    """[cameras, windows], as a camera's observer tells them, one after the other."""
    lights = np.empty(luma.shape, np.int8)
    before = [-1] * len(luma)
    for window in range(luma.shape[1]):
        at = luma[:, window].tolist()
        dark = infrared[:, window].tolist()
        before = [light_of(*each) for each in zip(at, dark, before, strict=True)]
        lights[:, window] = before
    return lights
