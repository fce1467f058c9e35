"""Precision over recall as a picture: SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from vedette.quality.validate.records import Records

__all__ = ["MOST_CURVES", "Curve", "curves_of", "svg"]

MOST_CURVES = 8
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 520, 340, 46, 40, 12, 12


@dataclass(frozen=True, slots=True)
class Curve:
    """Of one label at an overlap of one half. ``points``: (recall, precision), precision made falling as for
    AP. ``at``: recall and precision at the pipeline's threshold; None where no box is so sure."""

    label: str
    points: list[tuple[float, float]]
    at: tuple[float, float] | None


def curves_of(records: Records, confidence: float, most: int = MOST_CURVES) -> list[Curve]:
    """Of the labels with the most objects, at most ``most``."""
    objects = records.truths.sum(axis=0)
    order = [int(label) for label in np.argsort(-objects, kind="stable")[:most] if objects[label]]
    return [_curve(records, label, int(objects[label]), confidence) for label in order]


def _curve(records: Records, label: int, objects: int, confidence: float) -> Curve:
    right, wrong = records.at(0)
    boxes = np.flatnonzero((records.label == label) & (right | wrong))
    boxes = boxes[np.argsort(-records.score[boxes], kind="stable")]
    hits = np.cumsum(right[boxes])
    recall, precision = hits / objects, hits / np.arange(1, len(boxes) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    sure = int((records.score[boxes] >= confidence).sum())
    at = (float(recall[sure - 1]), float(precision[sure - 1])) if sure else None
    kept = _corners(recall.tolist(), falling.tolist())
    return Curve(records.labels[label], kept, at)


def _corners(recall: list[float], precision: list[float]) -> list[tuple[float, float]]:
    """The points at which the line bends, to half a pixel; to the axes at both ends."""
    kept: list[tuple[float, float]] = []
    for point in zip(recall, precision, strict=True):
        if not kept or abs(point[0] - kept[-1][0]) > 0.001 or abs(point[1] - kept[-1][1]) > 0.001:
            kept.append(point)
    return [(0.0, kept[0][1]), *kept, (kept[-1][0], 0.0)] if kept else []


def svg(curves: Sequence[Curve]) -> str:
    """Lines of classes ``line c0`` …, in the order of the curves."""
    parts = [
        f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="precision over recall by label">'
    ]
    for step in range(0, 11, 2):
        x, y = _at(step / 10, step / 10)
        parts.append(f'<path class="grid" d="M{_at(0, step / 10)[0]} {y}H{WIDTH - RIGHT}"/>')
        parts.append(f'<path class="grid" d="M{x} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{step / 10:.1f}</text>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{step / 10:.1f}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">recall</text>')
    centre = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text x="12" y="{centre}" text-anchor="middle" transform="rotate(-90 12 {centre})">precision</text>'
    )
    for number, curve in enumerate(curves):
        title = f"<title>{escape(curve.label)}</title>"
        line = " ".join("{},{}".format(*_at(*point)) for point in curve.points)
        parts.append(f'<polyline class="line c{number}" points="{line}">{title}</polyline>')
        if curve.at is not None:
            x, y = _at(*curve.at)
            parts.append(f'<circle class="dot c{number}" cx="{x}" cy="{y}" r="4">{title}</circle>')
    return "".join([*parts, "</svg>"])


def _at(recall: float, precision: float) -> tuple[float, float]:
    x = LEFT + recall * (WIDTH - LEFT - RIGHT)
    y = HEIGHT - BOTTOM - precision * (HEIGHT - BOTTOM - TOP)
    return round(x, 1), round(y, 1)
