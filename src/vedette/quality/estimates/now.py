"""Accuracy now: precision and recall of a period from reviewed frames, and how many more tell it better.

How an interval is made is settled before the labels are looked at, by the caller or by what data there is;
what the labels then decide is only whether they are too few for it, and that makes it wider. Nothing here
looks at several and takes the narrowest.

An interval misses one time in 1/(1 - level). Of twenty cameras at 95% one may well lie outside of its own:
what is to alarm is :mod:`~vedette.quality.estimates.loss`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vedette.quality.estimates.emitted import Emitted
from vedette.quality.estimates.frames import Judged, by_cells, drawn, of_boxes, of_objects
from vedette.quality.estimates.intervals import Estimate, Method, estimate
from vedette.quality.estimates.powered import powered
from vedette.quality.estimates.ratio import cautious, classical
from vedette.quality.estimates.stratified import stratified

__all__ = ["LEAST_FRAMES", "LEVEL", "SIZES", "TooFew", "grouped", "more_frames", "precision", "recall"]

LEVEL = 0.95
LEAST_FRAMES = 10
"""Drawn frames with something in them. With fewer even the cautious interval says next to nothing."""
SIZES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, math.inf)}
)
"""Of objects, px²: COCO's."""
MOST_FRAMES = 1_000_000


@dataclass(frozen=True, slots=True)
class TooFew:
    """No number is given. ``frames``: drawn and reviewed, with something in them; ``needed``: of those."""

    frames: int
    needed: int = LEAST_FRAMES


def precision(
    frames: Iterable[Judged],
    emitted: Emitted | None = None,
    level: float = LEVEL,
    method: Method = Method.POWERED,
) -> Estimate | TooFew:
    """Of all boxes that were emitted, the share that is right.

    ``frames``: all that were reviewed, of the same cameras, period and model as ``emitted``; those that were
    picked, not drawn, only teach what a score is worth, and only ``POWERED``. Without ``emitted`` the method
    is ``CLASSICAL``. ValueError where a frame has boxes that cannot be among those emitted.
    """
    frames = list(frames)
    by_chance = drawn(frames)
    shares = of_boxes(by_chance)
    if shares.informed < LEAST_FRAMES:
        return TooFew(shares.informed)
    if method is Method.CAUTIOUS:
        return cautious(shares, level)
    if emitted is None or method is Method.CLASSICAL:
        return classical(shares, level)
    cells = by_cells(by_chance, emitted)
    if method is Method.STRATIFIED:
        return stratified(cells, emitted, level)
    picked = [frame for frame in frames if frame.probability is None]
    return powered(cells, emitted, level, by_cells(picked, emitted) if picked else None)


def recall(
    frames: Iterable[Judged], level: float = LEVEL, size: tuple[float, float] = (0.0, math.inf)
) -> Estimate | TooFew:
    """Of all objects that were there, the share that was found. ``size``: px², from and to below."""
    shares = of_objects(drawn(frames), *size)
    return classical(shares, level) if shares.informed >= LEAST_FRAMES else TooFew(shares.informed)


def grouped(
    frames: Iterable[Judged],
    key: Callable[[Judged], str],
    each: Callable[[str, list[Judged]], Estimate | TooFew],
) -> dict[str, Estimate | TooFew]:
    """By camera, site, light or model, ordered by name. Every group stands on its own frames.

    ``each``: from a group's name and frames, e.g. ``lambda light, its: precision(its,
    emitted.under(light))``.
    """
    groups: dict[str, list[Judged]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return {name: each(name, groups[name]) for name in sorted(groups)}


def more_frames(known: Estimate, half_width: float) -> int | None:
    """So many more frames, drawn as those before, would narrow the interval to ± ``half_width``.

    0 = it is that narrow. None = more than a million. After a ``CAUTIOUS`` interval it is the most that it
    can take: with more frames one of the others takes over.
    """
    if half_width <= 0:
        raise ValueError("an interval has a width")
    short, enough = -1, MOST_FRAMES
    if _with_more(known, enough) > half_width:
        return None
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (middle, enough) if _with_more(known, middle) > half_width else (short, middle)
    return enough


def _with_more(known: Estimate, frames: int) -> float:
    """Its half width with so many more frames, if they were like those before."""
    grown = 1 + frames / known.frames
    return estimate(
        known.value,
        known.effective * grown,
        known.freedom * grown,
        known.level,
        known.method,
        frames=known.frames + frames,
        judged=known.judged,
    ).half_width
