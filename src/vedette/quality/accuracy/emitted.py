"""All that a detector emitted on a camera, as its drift counted it: what labels are held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vedette.errors import ReviewError
from vedette.quality.drift.baseline import UnreadableBaseline
from vedette.quality.drift.light import LIGHTS, light_words
from vedette.quality.drift.monitor import Monitor
from vedette.quality.drift.scores import BINS, Scores, UnreadableScores
from vedette.quality.estimates import Emitted

__all__ = ["emitted_in", "emitted_of"]


def emitted_in(folder: Path, camera: str, model: str, threshold: float) -> Emitted | None:
    """From a folder as :class:`~vedette.quality.watch.DriftWatch` keeps it. None where nothing was counted of
    this camera with this model. Raises ReviewError."""
    path = folder / f"{camera}-{model[:12]}.drift"
    if not path.is_file():
        return None
    monitor = Monitor()
    try:
        monitor.restore(camera, path.read_bytes())
    except (OSError, UnreadableBaseline, UnreadableScores) as err:
        raise ReviewError(f"{path}: cannot be read: {err}") from err
    if monitor.status(camera).model != model:
        return None
    return emitted_of(monitor.scores(camera), threshold)


def emitted_of(scores: Scores, threshold: float) -> Emitted:
    """Of all classes, by light; from the bin that ``threshold`` lies in."""
    first = min(BINS - 1, int(threshold * BINS))
    counts = np.zeros((LIGHTS, BINS), np.int64)
    for (light, _), row in scores.keys.items():
        counts[light] += scores.scores[row]
    there = np.flatnonzero(counts.sum(axis=1))
    edges = np.arange(first, BINS + 1) / BINS
    lights = tuple(light_words(int(light)) for light in there)
    return Emitted(counts[there][:, first:], edges, lights)
