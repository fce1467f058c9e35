"""Looks at cameras that do not exist, whole days of them, with nothing wrong: no alarm may come from them.

The numbers are drawn around what looks at the real clips gave. A day has a night, dusk and dawn of half an
hour to an hour, clouds, fog or rain that come and go, shadows that wander, cars that pass and park, lorries
that stop right before the camera, an exposure that hunts, an infrared switch with its flash, and quiet hours
in which compression leaves no noise between keyframes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vedette.health.picture import Features

__all__ = ["camera_days"]

Array = npt.NDArray[Any]
DAY_S = 86400
_CHUNK = 1800


def camera_days(
    seed: int, days: float = 1.0, every: float = 1.0, start_hour: float = 12.0
) -> Iterator[Features]:
    """One camera for ``days``, a look every ``every`` seconds."""
    camera = _Camera(np.random.default_rng(seed), every)
    total = int(days * DAY_S / every)
    for first in range(0, total, _CHUNK):
        seconds = start_hour * 3600 + np.arange(first, min(first + _CHUNK, total)) * every
        yield from camera.looks(seconds)


class _Camera:
    def __init__(self, rng: np.random.Generator, every: float) -> None:
        self._rng, self._every = rng, every
        strength = np.where(rng.random(12) < 0.25, rng.uniform(0.3, 1.0, 12), rng.uniform(2, 14, 12))
        self._day = _map(rng) * strength[:, None]
        # At night other things are lit: edges of the same houses, and of the lamps' own light.
        kept = rng.uniform(0.45, 0.8)
        unlit = rng.random(12) < 0.3
        lit = np.where(unlit, 0.15, rng.uniform(0.4, 1.1, 12))
        self._night = (kept * self._day + (1 - kept**2) ** 0.5 * _map(rng) * strength[:, None]) * lit[:, None]
        self._shadows = _map(rng) * strength[:, None] * 0.5
        self._noise = rng.normal(0, 0.25, (257, 12, 96)).astype(np.float32)
        self._has_infrared = bool(rng.random() < 0.6)
        self._night_luma = rng.uniform(22, 60)
        self._day_luma = rng.uniform(90, 170)
        self._day_gain = rng.uniform(0.5, 1.4, 12)
        self._night_gain = np.where(unlit, rng.uniform(0.1, 0.5, 12), rng.uniform(0.8, 2.5, 12))
        self._sharpness = rng.uniform(0.3, 0.7)
        self._still_night = bool(rng.random() < 0.5)
        self._gop = float(rng.choice([1.0, 2.0, 4.0, 10.0]))
        self._counts_keyframes = bool(rng.random() < 0.7)
        self._dusk, self._dawn = rng.uniform(17, 21) * 3600, rng.uniform(5, 8) * 3600
        self._ramp = rng.uniform(1800, 3600)
        self._parked: list[tuple[float, int, Array]] = []

    def looks(self, seconds: Array) -> Iterator[Features]:
        rng, count = self._rng, len(seconds)
        light = self._light(seconds)
        clouds = np.clip(1 + 0.15 * np.sin(seconds / rng.uniform(200, 900) + rng.uniform(0, 6)), 0.5, 1.3)
        haze = 1 - 0.55 * np.clip(np.sin(seconds / 20000 + self._ramp), 0, 1) ** 4
        flicker = 1 + 0.04 * np.sin(seconds * rng.uniform(0.3, 3.0)) + rng.normal(0, 0.01, count)
        luma = (self._night_luma + light * (self._day_luma - self._night_luma)) * clouds**light * flicker
        infrared = self._has_infrared & (light < 0.25)
        edges = self._edges(seconds, np.where(infrared, 0.0, light), haze, luma / self._day_luma)
        passing = self._pass(edges, seconds)
        spread = np.sqrt((edges**2).mean(axis=2))
        texture = (spread / (spread + 1)).astype(np.float32)
        edges = (edges / ((spread + 1) * 96**0.5)[..., None]).astype(np.float32)
        same, keyframes = self._same(seconds, light, passing)
        sharpness = self._sharpness * haze**0.5 * rng.normal(1, 0.06, count) * np.where(passing, 0.8, 1.0)
        region = np.clip(
            luma[:, None] * (self._night_gain + light[:, None] * (self._day_gain - self._night_gain)), 0, 255
        ).astype(np.float32)
        flash = np.diff(infrared, prepend=infrared[:1])
        flash |= np.roll(flash, 1)
        for i in range(count):
            bright = 0.9 if flash[i] else min(0.5, max(0.0, luma[i] / 600))
            yield Features(
                640, 360, float(luma[i]), 235.0 if flash[i] else float(luma[i] * 0.3),
                255.0 if flash[i] else float(min(255.0, luma[i] * 1.7)), 0.1, bright, float(luma[i] * 0.4),
                float(sharpness[i]), 0.2 if infrared[i] else 5.0, 2.0, float(same[i]),
                int(keyframes[i]) if self._counts_keyframes else None, edges[i], texture[i], region[i],
            )  # fmt: skip

    def _light(self, seconds: Array) -> Array:
        hour = seconds % DAY_S
        up = 1 / (1 + np.exp(-(hour - self._dawn) / (self._ramp / 6)))
        down = 1 / (1 + np.exp((hour - self._dusk) / (self._ramp / 6)))
        light: Array = up * down
        return light

    def _edges(self, seconds: Array, light: Array, haze: Array, exposure: Array) -> Array:
        wander = np.sin(seconds / 6000)[:, None, None] * light[:, None, None]
        mixed = light[:, None, None] * self._day + (1 - light)[:, None, None] * self._night
        edges = (mixed + wander * self._shadows) * (haze * np.clip(exposure, 0.3, 1.3))[:, None, None]
        picked = (np.arange(len(seconds)) * 97 + self._rng.integers(257)) % 257
        # Noise of cells, and leaves in the wind: they go with the edges.
        noisy: Array = edges * (1 + 0.6 * self._noise[picked]) + self._noise[picked[::-1]]
        return noisy.astype(np.float32)

    def _pass(self, edges: Array, seconds: Array) -> Array:
        """Put objects into the looks; returns in which of them something large passes."""
        rng, count = self._rng, len(seconds)
        passing = np.zeros(count, bool)
        for _ in range(rng.poisson(count * self._every / 60)):
            first, lasting = int(rng.integers(count)), int(rng.integers(2, 30) / self._every) + 1
            regions = self._place(1, 2)
            edges[first : first + lasting, regions] = _map(rng)[regions] * rng.uniform(2, 15)
        if rng.random() < 0.5:
            # A lorry: most of the picture, with edges of its own, or a blank side for a moment.
            first = int(rng.integers(count))
            regions = self._place(2, 3)
            blank = rng.random() < 0.5
            lasting = int(rng.integers(2, 5 if blank else 40) / self._every) + 1
            side = 0.3 if blank else rng.uniform(2, 10)
            edges[first : first + lasting, regions] = _map(rng)[regions] * side
            passing[first : first + lasting] = True
        self._parked = [parked for parked in self._parked if parked[0] > seconds[0]]
        if rng.random() < 0.1 and len(self._parked) < 3:
            until = seconds[0] + rng.uniform(600, 20000)
            self._parked.append((until, int(rng.integers(12)), _map(rng)[0] * rng.uniform(2, 12)))
        for until, region, shape in self._parked:
            edges[seconds < until, region] = shape
        return passing

    def _place(self, least: int, most: int) -> list[int]:
        """Regions that a thing of ``least`` to ``most`` rows and columns hides."""
        rows, columns = (int(self._rng.integers(least, most + 1)) for _ in range(2))
        top, left = int(self._rng.integers(0, 4 - rows)), int(self._rng.integers(0, 5 - columns))
        return [4 * row + column for row in range(top, top + rows) for column in range(left, left + columns)]

    def _same(self, seconds: Array, light: Array, passing: Array) -> tuple[Array, Array]:
        rng, count = self._rng, len(seconds)
        periods = np.floor(seconds / self._gop)
        keyframes = np.diff(periods, prepend=periods[0] - 1).astype(int)
        busy = rng.beta(3, 6, count)
        quiet = np.where(keyframes > 0, rng.uniform(0.3, 0.78, count), rng.uniform(0.95, 1.0, count))
        return np.where(self._still_night & (light < 0.3) & ~passing, quiet, busy), keyframes


def _map(rng: np.random.Generator) -> Array:
    """Edges of a view: few strong cells, many weak ones; zero mean and unit spread in each region."""
    cells = rng.gamma(0.7, 1.0, (12, 96))
    cells -= cells.mean(axis=1, keepdims=True)
    return cells / cells.std(axis=1, keepdims=True)
