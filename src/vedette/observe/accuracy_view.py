"""Accuracy by review, as whoever looks at the node is told."""

from __future__ import annotations

from vedette.observe.views import AccuracyView
from vedette.quality.confirm.watch import Accuracy
from vedette.quality.estimates import Estimate

__all__ = ["accuracy_view"]


def accuracy_view(found: Accuracy) -> AccuracyView:
    known, key = found.known, found.key
    sure = known if isinstance(known, Estimate) else None
    return AccuracyView(
        measure=key.measure,
        camera=key.camera,
        site=key.site,
        frames=known.frames,
        value=sure.value if sure else None,
        lower=sure.lower if sure else None,
        upper=sure.upper if sure else None,
        floor=found.floor,
        lost=found.lost is not None,
        since=0.0 if found.lost is None else found.lost.at,
    )
