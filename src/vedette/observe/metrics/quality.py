"""The samples of how the detector does: drift, and accuracy by what people reviewed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vedette.observe.metrics import families
from vedette.observe.metrics.text import Page, label
from vedette.observe.views import AccuracyView, DriftView, NodeView
from vedette.quality.drift.decisions import Stage

__all__ = ["put_quality"]

STAGES = tuple(sorted(stage.value for stage in Stage))
LEAST, MOST = 1e-6, 1e30
"""Camera-days. Evidence begins at nothing, whose logarithm no graph can show."""


def put_quality(page: Page, view: NodeView, names: Mapping[str, str]) -> None:
    """``names``: the labels of the cameras."""
    for camera in view.cameras:
        if camera.drift is not None:
            _put_drift(page, camera.drift, names[camera.name])
        for each in camera.accuracy:
            _put_accuracy(page, each)
    for each in view.sites:
        _put_accuracy(page, each)


def _put_drift(page: Page, drift: DriftView, name: str) -> None:
    for stage in STAGES:
        page.add(families.DRIFT_STATE, int(drift.stage == stage), f'{name},state="{stage}"')
    page.add(families.SUSPICIONS, drift.suspicions, name)
    page.add(families.EVIDENCE, math.log10(min(max(drift.evidence, LEAST), MOST)), name)
    page.add(families.LIGHTS, len(drift.lights), name)
    page.add(families.LEARNT, drift.learnt, name)


def _put_accuracy(page: Page, known: AccuracyView) -> None:
    labels = ",".join(label(key, getattr(known, key)) for key in ("camera", "site", "measure"))
    for bound in ("value", "lower", "upper"):
        if (share := getattr(known, bound)) is not None:
            page.add(families.ACCURACY, share, f'{labels},bound="{bound}"')
    page.add(families.REVIEWED, known.frames, labels)
    if known.floor is not None:
        page.add(families.FLOOR, known.floor, labels)
        page.add(families.LOST, int(known.lost), labels)
