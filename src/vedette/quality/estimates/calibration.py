"""How often boxes of a score are right, learnt from labels: logistic regression, one frame left out.

Scores are no probabilities: detectors are over- or under-sure, differently by night. A line through the log
odds (Platt 1999), bent a little, with a step per light, is all that some hundred labels can tell. Every frame
is judged by a curve that never saw its labels (Zrnic and Candès, "Cross-Prediction-Powered Inference", PNAS
2024): leaving out one frame at a time needs no folds to be drawn, so the order of frames does not matter.
"""

from __future__ import annotations

import numpy as np

from vedette.quality.estimates.ratio import Floats

__all__ = ["left_out"]

_STEPS = 25
_REFITS = 4
"""From the curve of all frames to that without one of them is a short way."""
_LONGEST_STEP = 2.0
_SURE = 30.0
"""Log odds beyond which nothing changes in a float."""


def left_out(right: Floats, wrong: Floats, features: Floats, stiffness: Floats, other: Floats) -> Floats:
    """For each frame the share of boxes that are right in each cell, as told without it: [frames, cells].

    ``right``, ``wrong``: weighted numbers of boxes [frames, cells]. ``features``: of each cell [cells, p],
    the first 1. ``stiffness``: [p], how strongly each coefficient is held at 0. ``other``: right and wrong
    boxes of frames that only teach [2, cells].
    """
    all_right = right.sum(axis=0) + other[0]
    all_wrong = wrong.sum(axis=0) + other[1]
    start = np.zeros((1, features.shape[1]))
    start[0, 0] = np.log((all_right.sum() + 0.5) / (all_wrong.sum() + 0.5))
    whole = _fitted(start, all_right[np.newaxis], all_wrong[np.newaxis], features, stiffness, _STEPS)
    start = np.repeat(whole, len(right), axis=0)
    each = _fitted(start, all_right - right, all_wrong - wrong, features, stiffness, _REFITS)
    return _shares(each, features)


def _shares(coefficients: Floats, features: Floats) -> Floats:
    odds = np.clip(coefficients @ features.T, -_SURE, _SURE)
    shares: Floats = 1 / (1 + np.exp(-odds))
    return shares


def _fitted(
    start: Floats, right: Floats, wrong: Floats, features: Floats, stiffness: Floats, steps: int
) -> Floats:
    """Newton's steps for many regressions at once: [fits, p] from [fits, cells]."""
    size = features.shape[1]
    products = (features[:, :, np.newaxis] * features[:, np.newaxis, :]).reshape(-1, size * size)
    coefficients = start
    total = right + wrong
    for _ in range(steps):
        shares = _shares(coefficients, features)
        slope = (right - total * shares) @ features - stiffness * coefficients
        curve = ((total * shares * (1 - shares)) @ products).reshape(-1, size, size) + np.diag(stiffness)
        step = np.linalg.solve(curve, slope[..., np.newaxis])[..., 0]
        coefficients = coefficients + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if np.abs(step).max() < 1e-9:
            break
    return coefficients
