"""How frames arrive from simulated cameras, as arrays of arrival times (seconds, ascending)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["PATTERNS", "arrivals"]

JITTER_S = 0.2
PATTERNS = {
    "jitter": "each frame ±200 ms",
    "bursts": "and held up for 0.1 to 0.8 s once a minute, then all at once",
    "heavy": "and held up for 2 s every three minutes",
    "rarely heavy": "and held up for 2 s every twenty minutes",
    "gops": "in groups of half a second, keyframes up to 0.4 s later",
}

_HOLD_UPS = {
    "bursts": [(60.0, 0.1, 0.8)],
    "heavy": [(60.0, 0.1, 0.8), (180.0, 2.0, 2.0)],
    "rarely heavy": [(60.0, 0.1, 0.8), (1200.0, 2.0, 2.0)],
}

Times = npt.NDArray[np.float64]


def arrivals(pattern: str, fps: float, seconds: float, rng: np.random.Generator) -> Times:
    """What arrives from 0 to ``seconds`` at ``fps``. In order: TCP overtakes nothing."""
    sent = np.arange(int(seconds * fps)) / fps
    if pattern == "gops":
        sent = _in_groups(sent, fps, rng)
    came = sent + JITTER_S + rng.uniform(-JITTER_S, JITTER_S, len(sent))
    for every, least, most in _HOLD_UPS.get(pattern, []):
        came = _hold_up(
            came, np.cumsum(rng.exponential(every, int(2 * seconds / every) + 8)), least, most, rng
        )
    return np.maximum.accumulate(came)


def _hold_up(came: Times, begin: Times, least: float, most: float, rng: np.random.Generator) -> Times:
    """What arrives while the network holds up comes when it lets go, 0.2 ms apart."""
    until = begin + rng.uniform(least, most, len(begin))
    which = np.searchsorted(begin, came, side="right") - 1
    held = (which >= 0) & (came < until[which])
    came = came.copy()
    came[held] = until[which[held]]
    return came + np.where(held, np.arange(len(came)) % 100 * 2e-4, 0.0)


def _in_groups(sent: Times, fps: float, rng: np.random.Generator) -> Times:
    """An encoder that hands on half a second at a time, and takes longer over keyframes (every 2 s)."""
    grouped = np.ceil(sent / 0.5) * 0.5
    keyframe = np.arange(len(sent)) % max(1, int(2 * fps)) == 0
    return grouped + np.where(keyframe, rng.uniform(0.1, 0.4, len(sent)), 0.0)
