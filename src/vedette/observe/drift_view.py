"""How the detector does on a camera, as whoever looks at the node is told."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vedette.observe.views import DriftView
from vedette.quality.drift.light import light_words
from vedette.quality.drift.monitor import Status
from vedette.quality.drift.standing import Standing
from vedette.quality.drift.windows import WINDOW_S

__all__ = ["drift_view"]


def drift_view(status: Status, standing: Standing | None) -> DriftView:
    """``standing``: None while it was not looked at yet."""
    noticed = None if standing is None else standing.noticed
    return DriftView(
        stage=status.stage.value,
        learnt=status.progress,
        light=light_words(status.light),
        evidence=status.evidence,
        since=0.0 if standing is None else standing.since,
        suspicions=0 if standing is None else standing.suspicions,
        measure="" if noticed is None else noticed.measure,
        direction="" if noticed is None else noticed.direction,
        usual=None if noticed is None else _known(noticed.usual),
        lately=None if noticed is None else _known(noticed.lately),
        lights=_hours({light: status.met.get(light, 0) for light in status.lights}),
        unknown=_hours({light: count for light, count in status.met.items() if light not in status.lights}),
        missing_s=status.missing * WINDOW_S,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _hours(windows: Mapping[int, int]) -> dict[str, float]:
    return {light_words(light): count * WINDOW_S / 3600 for light, count in sorted(windows.items())}
