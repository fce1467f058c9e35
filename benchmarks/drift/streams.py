"""Numbers that are alike for a while: part of their variance is that of levels that last."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCKS", "Floats", "Kind", "alike"]

Floats = npt.NDArray[np.float64]
Kind = Literal["renewed", "heavy", "fixed", "autoregressive"]

BLOCKS = {"10s": 1, "60s": 6, "10m": 60}
"""Windows that a level lasts, in the mean."""


def alike(
    rng: np.random.Generator, shape: tuple[int, int], block: int, share: float = 0.5, kind: Kind = "renewed"
) -> Floats:
    """Mean 0, variance 1, [streams, windows]. ``share``: of the variance that levels have.

    Levels last ``block`` windows: for a random time (``renewed``; ``heavy``: with Student's t of 5 degrees
    instead of normal), exactly so long (``fixed``), or they wander with that time constant
    (``autoregressive``).
    """
    noise = rng.standard_normal(shape)
    if block <= 1:
        return noise
    levels = _wandering(rng, shape, block) if kind == "autoregressive" else _drawn(rng, shape, block, kind)
    return np.asarray(share**0.5 * levels + (1 - share) ** 0.5 * noise)


def _drawn(rng: np.random.Generator, shape: tuple[int, int], block: int, kind: Kind) -> Floats:
    streams, windows = shape
    if kind in ("renewed", "heavy"):
        anew = rng.random(shape) < 1 / block
    else:
        anew = (np.arange(windows) + rng.integers(0, block, streams)[:, None]) % block == 0
    anew[:, 0] = True
    since = np.maximum.accumulate(np.where(anew, np.arange(windows), 0), axis=1)
    drawn = rng.standard_t(5, shape) * (3 / 5) ** 0.5 if kind == "heavy" else rng.standard_normal(shape)
    return np.take_along_axis(drawn, since, axis=1)


def _wandering(rng: np.random.Generator, shape: tuple[int, int], block: int) -> Floats:
    keep = float(np.exp(-1 / block))
    steps = rng.standard_normal(shape) * (1 - keep**2) ** 0.5
    levels = np.empty(shape)
    level = rng.standard_normal(shape[0])
    for window in range(shape[1]):
        level = keep * level + steps[:, window]
        levels[:, window] = level
    return levels
