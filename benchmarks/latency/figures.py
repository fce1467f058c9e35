"""From results to figures. All pure; ``results`` is float64 [n, 4] as in :mod:`benchmarks.latency.log`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "ages",
    "between",
    "by_second",
    "frames_needed",
    "outside",
    "recovered_after",
    "served",
    "slope_per_minute",
]

Results = npt.NDArray[np.float64]
NOW, CAMERA, INDEX, SENT = range(4)

RUN = 20
"""Results in a row of which at most one may be older than usual (a 99th percentile) once things are as usual:
two are in one of 60 such rows by chance."""


def ages(results: Results) -> dict[str, Any]:
    """Percentiles in ms; NaN where there are no results."""
    found = (results[:, NOW] - results[:, SENT]) * 1000
    names = ("age_p50_ms", "age_p95_ms", "age_p99_ms", "age_max_ms")
    quantiles = np.percentile(found, [50, 95, 99, 100]) if len(found) else [np.nan] * 4
    row = {name: round(float(value), 2) for name, value in zip(names, quantiles, strict=True)}
    return row | {"results": len(found), "age_below_zero": int((found < 0).sum())}


def served(results: Results, cameras: int, seconds: float) -> dict[str, Any]:
    """Results of the least and the most served camera: how many, and against the mean in percent."""
    each = np.bincount(results[:, CAMERA].astype(int), minlength=cameras)
    mean = max(1e-9, len(results) / cameras)
    return {
        "analysed_per_s": round(len(results) / seconds, 1),
        "least_served": int(each.min()),
        "most_served": int(each.max()),
        "share_least_pct": round(100 * (float(each.min()) / mean - 1), 1),
        "share_most_pct": round(100 * (float(each.max()) / mean - 1), 1),
    }


def by_second(results: Results, begin: float, end: float) -> list[dict[str, Any]]:
    """Ages and counts of each whole second from ``begin`` on; ``s`` is 0 for the first."""
    seconds = int(end - begin)
    which = np.floor(results[:, NOW] - begin).astype(int)
    return [{"s": second, **ages(results[which == second])} for second in range(seconds)]


def between(results: Results, begin: float, end: float) -> Results:
    """Results that reached the user between two moments."""
    now = results[:, NOW]
    return results[(now >= begin) & (now < end)]


def outside(
    results: Results, spells: list[tuple[float, float]], begin: float, end: float, grace: float
) -> Results:
    """Results that reached the user between two moments and in no spell, nor within ``grace`` s after one."""
    now = results[:, NOW]
    keep = (now >= begin) & (now < end)
    for low, high in spells:
        keep &= (now < low) | (now >= high + grace)
    return results[keep]


def recovered_after(results: Results, spell_end: float, until: float, usual_ms: float) -> float | None:
    """Seconds from a spell's end until ages are as usual again: the first result of the first :data:`RUN` in
    a row of which at most one is older than ``usual_ms``. None where that does not come before ``until``."""
    now = results[:, NOW]
    after = results[(now >= spell_end) & (now < until)]
    after = after[np.argsort(after[:, NOW], kind="stable")]
    old = ((after[:, NOW] - after[:, SENT]) * 1000 > usual_ms).astype(int)
    if len(old) < RUN:
        return None
    counts = np.convolve(old, np.ones(RUN, int), mode="valid")
    good = np.flatnonzero(counts <= 1)
    return float(after[good[0], NOW] - spell_end) if len(good) else None


def frames_needed(
    results: Results, *, fps: float, gop: int, clip_frames: int, begin: float, end: float
) -> int:
    """Frames sent between two moments that had to be decoded for these results: of each group of pictures
    (``gop`` frames, each predicted from the one before) all up to the last one that was analysed."""
    needed = 0
    for camera in np.unique(results[:, CAMERA]):
        rows = results[results[:, CAMERA] == camera]
        rows = rows[np.argsort(rows[:, SENT])]
        number = rows[:, INDEX].astype(int)
        # The same group comes again when the clip does: then its frames were sent much later.
        again = np.diff(rows[:, SENT]) > min(gop, clip_frames) / fps
        last = np.append((np.diff(number // gop) != 0) | again, True)
        for row, index in zip(rows[last], number[last], strict=True):
            sent = row[SENT] - (index - np.arange(index // gop * gop, index + 1)) / fps
            needed += int(((sent >= begin) & (sent < end)).sum())
    return needed


def slope_per_minute(at: list[float], values: list[float]) -> float | None:
    """Of a straight line through the last two thirds of the samples, per minute; None with too few."""
    begin = len(at) // 3
    if len(at) - begin < 3:
        return None
    return float(np.polyfit(np.array(at[begin:]) / 60, values[begin:], 1)[0])
