"""Workers whose memory behaves as memory does, in simulated time; one of them may leak.

What it is made of, per worker (drawn anew for each, from the seed):

- 200 to 500 MB to begin with, 40 to 120 MB more that fill in the first hour (time constant 6 to 12 min), and
  growth with the logarithm of its age on top (up to 2 MB), as heaps that fragment have it
- the day: a sinusoid of the node with an amplitude of 10 to 20 MB, which each worker follows by 0.8 to 1.2
  and early or late (deviation half an hour); ``unlike``: by 0.5 to 1.5, deviation an hour
- steps: four a day of 1 to 5 MB (cameras that come back differently), one in four days of 8 to 25 MB (cameras
  that are added or removed). Six of ten go up; half come at once, half take up to half an hour. ``restless``:
  three a day of 3 to 25 MB in their place
- a sawtooth of the allocator: 5 to 20 MB, period 5 to 40 min, teeth of uneven length
- noise that follows itself (AR(1)): 3 MB, time constant 10 to 30 min
- peaks, ten an hour, that last 10 to 60 s: Pareto, 10 MB and more, at most 150 MB

Descriptors and threads: 20 to 60 and 10 to 30, a step a day by 1 to 4, and up to 3 that come and go by the
minute.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["EVERY_S", "Leaking", "Life", "Node", "lives"]

EVERY_S = 10.0
"""Between two samples."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Leaking:
    """``memory``: bytes an hour, ``files``: descriptors an hour, from ``since`` hours of its life on."""

    memory: float = 0.0
    files: float = 0.0
    since: float = 0.0


NOTHING = Leaking()


@dataclass(frozen=True)
class Node:
    """What all workers of a node share: the day, ``swing`` in bytes, ``noon`` in hours; and of which kind."""

    swing: float
    noon: float
    kind: str = "usual"

    @classmethod
    def drawn(cls, rng: np.random.Generator, kind: str = "usual") -> Node:
        return cls(rng.uniform(10e6, 20e6), rng.uniform(0, 24), kind)


@dataclass(frozen=True)
class Life:
    """An instance of a worker: a sample each ``EVERY_S`` seconds, float64 [N] each, bytes and numbers."""

    memory: Floats
    files: Floats
    threads: Floats


def lives(
    rng: np.random.Generator, node: Node, start_h: float, hours: float, leak: Leaking = NOTHING
) -> Life:
    """The life of a worker that begins ``start_h`` hours after the node and lasts ``hours``."""
    age = np.arange(round(hours * 3600 / EVERY_S)) * (EVERY_S / 3600)
    leaked = np.maximum(0.0, age - leak.since)
    memory = (
        rng.uniform(200e6, 500e6)
        + _begins(rng, age)
        + _day(rng, node, start_h + age)
        + _changes(rng, node, age)
        + _sawtooth(rng, age)
        + _noise(rng, len(age), 3e6)
        + _peaks(rng, len(age))
        + leak.memory * leaked
    )
    files = _count(rng, age, rng.integers(20, 60)) + np.floor(leak.files * leaked)
    return Life(np.maximum(memory, 50e6), files, _count(rng, age, rng.integers(10, 30)))


def _begins(rng: np.random.Generator, age: Floats) -> Floats:
    fills = rng.uniform(40e6, 120e6) * (1 - np.exp(-age / rng.uniform(6 / 60, 12 / 60)))
    return fills + rng.uniform(0, 2e6) * np.log1p(age)


def _day(rng: np.random.Generator, node: Node, at: Floats) -> Floats:
    apart, late = (0.5, 1.0) if node.kind == "unlike" else (0.2, 0.5)
    phase = 2 * np.pi * (at - node.noon + rng.normal(0, late)) / 24
    return node.swing * rng.uniform(1 - apart, 1 + apart) * np.cos(phase)


def _changes(rng: np.random.Generator, node: Node, age: Floats) -> Floats:
    if node.kind == "restless":
        return _steps(rng, age, 3.0, 3e6, 25e6)
    return _steps(rng, age, 4.0, 1e6, 5e6) + _steps(rng, age, 0.25, 8e6, 25e6)


def _steps(rng: np.random.Generator, age: Floats, a_day: float, least: float, most: float) -> Floats:
    total = np.zeros_like(age)
    for _ in range(rng.poisson(a_day * age[-1] / 24)):
        size = rng.uniform(least, most) * (1 if rng.random() < 0.6 else -1)
        takes = EVERY_S / 3600 if rng.random() < 0.5 else rng.uniform(0.01, 0.5)
        total += size * np.clip((age - rng.uniform(0, age[-1])) / takes, 0, 1)
    return total


def _sawtooth(rng: np.random.Generator, age: Floats) -> Floats:
    height, period = rng.uniform(5e6, 20e6), rng.uniform(5 / 60, 40 / 60)
    ends = np.cumsum(period * rng.uniform(0.5, 1.5, size=int(2 * age[-1] / period) + 2))
    tooth = np.searchsorted(ends, age)
    begins = np.concatenate([[0.0], ends])[tooth]
    return height * (age - begins) / period


def _noise(rng: np.random.Generator, count: int, deviation: float) -> Floats:
    keeps = np.exp(-EVERY_S / rng.uniform(600, 1800))
    pushes = rng.normal(0, deviation * np.sqrt(1 - keeps**2), count).tolist()
    value, values = rng.normal(0, deviation), []
    for push in pushes:
        value = keeps * value + push
        values.append(value)
    return np.array(values)


def _peaks(rng: np.random.Generator, count: int) -> Floats:
    total = np.zeros(count)
    for _ in range(rng.poisson(10 * count * EVERY_S / 3600)):
        begin, lasts = rng.integers(count), round(rng.uniform(10, 60) / EVERY_S)
        total[begin : begin + max(1, lasts)] += min(150e6, 10e6 * (1 + rng.pareto(2.0)))
    return total


def _count(rng: np.random.Generator, age: Floats, base: int) -> Floats:
    comes_and_goes = rng.binomial(3, 0.3, size=len(age) // 6 + 1).repeat(6)[: len(age)]
    return base + np.round(_steps(rng, age, 1.0, 1, 4)) + comes_and_goes
