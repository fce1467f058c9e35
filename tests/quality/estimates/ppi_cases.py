"""Drawn cases for which the authors' own package says what the plain prediction-powered mean is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CASES", "drawn"]

Floats = npt.NDArray[np.float64]

CASES = [(seed, worth) for seed in range(20) for worth in (-1.0, 0.0, 1.0, 3.0)]
"""Seed, and how much the proxies are worth."""


def drawn(seed: int, worth: float) -> tuple[Floats, Floats, Floats]:
    """Labels, their proxies, and the proxies of what has no labels."""
    rng = np.random.default_rng(seed)
    labelled, others = int(rng.integers(20, 300)), int(rng.integers(300, 5000))
    sure = rng.normal(size=labelled + others)
    labels = (rng.random(labelled) < 1 / (1 + np.exp(-1 - worth * sure[:labelled]))).astype(float)
    proxies = 1 / (1 + np.exp(-sure))
    return labels, proxies[:labelled], proxies[labelled:]
