"""When reviews confirm that a share fell below its floor, and when that is over. Pure.

The bet of :mod:`vedette.quality.estimates.loss` is looked at after every reviewed frame and stays right; but
it judges a stretch as a whole, and months that were fine would outweigh a loss for months. So frames are
judged in stretches of 200, one of which begins every 100: any loss has one to itself soon. In each a false
confirmation has at most the probability 1 − level, so there is at most one in 100 / (1 − level) frames with
something in them: 10 000 at the usual level, for each measure of each camera and site.

A bet needs to know beforehand what a frame can count at most. What all drawn frames have of emitted boxes is
known without labels: a frame counts no more than 95% of them would, so a crowd counts a little less.

A loss is over when the share of what was reviewed since is at the floor again. That is no proof; but to be
told again takes one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vedette.quality.estimates.loss import doubt, upper_bound
from vedette.quality.estimates.ratio import Floats, Shares

__all__ = ["Known", "Lost", "Over", "Rule", "Seen", "bounds", "most_of", "next_known"]

EVERY = 100
STRETCH = 2 * EVERY
"""Frames with something in them."""
USUAL = 0.95
"""Share of all drawn frames that are no larger than what a frame counts at most."""
AGAIN_LEAST = 30
"""Frames after a loss was confirmed, before it can be over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``share``: the floor. ``most``: what a frame counts at most, see :func:`most_of`."""

    share: float
    most: float
    level: float = 0.99


@dataclass(frozen=True, slots=True)
class Seen:
    """Frames of one model in the order of their review: what was judged in them, and when, Unix seconds,
    rising."""

    shares: Shares
    times: Floats

    def after(self, at: float) -> Seen:
        """Those reviewed later than that."""
        first = int(np.searchsorted(self.times, at, side="right"))
        return self.between(first, len(self.times))

    def between(self, first: int, last: int) -> Seen:
        part, shares = slice(first, last), self.shares
        return Seen(Shares(shares.weight[part], shares.parts[part], shares.wholes[part]), self.times[part])

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Lost:
    """A confirmed loss. ``at``: of the review that made it sure. ``value``, ``lower``, ``upper``: the share
    in the stretch that says so, and the interval that holds however often it is looked at. ``frames``: in
    it."""

    at: float
    floor: float
    value: float
    lower: float
    upper: float
    level: float
    frames: int


@dataclass(frozen=True, slots=True)
class Over:
    """``why``: it is at the floor ``again``, another ``model`` detects, or somebody changed the ``floor``."""

    at: float
    why: Literal["again", "model", "floor"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is to be remembered of a measure of a camera or site. ``origin``: frames reviewed up to then are
    not looked at any more."""

    model: str = ""
    origin: float = 0.0
    lost: Lost | None = None


def most_of(masses: Floats) -> float:
    """``masses``: of all drawn frames, reviewed or not."""
    return float(np.quantile(masses, USUAL)) if len(masses) else 1.0


def next_known(
    known: Known, model: str, seen: Seen, rule: Rule | None, now: float
) -> tuple[Known, tuple[Lost | Over, ...]]:
    """What is known after all of ``seen``, which are the frames of this ``model``, and what is to be told.
    ``rule``: None where there is no floor."""
    told: list[Lost | Over] = []
    if known.model != model:
        if known.lost is not None:
            told.append(Over(now, "model"))
        known = Known(model)
    if known.lost is not None and (rule is None or _lowered(known.lost, rule)):
        told.append(Over(now, "floor"))
        known = replace(known, lost=None)
    if rule is None:
        return known, tuple(told)
    while True:
        news = _found(known, seen, rule) if known.lost is None else _again(known.lost, seen, rule)
        if news is None:
            return known, tuple(told)
        told.append(news)
        if isinstance(news, Over):
            known = replace(known, lost=None, origin=news.at)
        else:
            known = replace(known, lost=news)


def bounds(shares: Shares, rule: Rule) -> tuple[float, float]:
    """Lower and upper, at the rule's level each, however often that is asked while frames come."""
    trimmed = _trimmed(shares, rule.most)
    others = Shares(trimmed.weight, trimmed.wholes - trimmed.parts, trimmed.wholes)
    lower = 1 - upper_bound(others, rule.most, rule.level)
    return max(0.0, lower), upper_bound(trimmed, rule.most, rule.level)


def _lowered(lost: Lost, rule: Rule) -> bool:
    """Whether the floor is by now one that the share may well be at."""
    return rule.share < lost.floor and rule.share <= lost.upper


def _found(known: Known, seen: Seen, rule: Rule) -> Lost | None:
    """The first loss that is sure, if there is one."""
    fresh = seen.after(known.origin)
    best: tuple[int, int] | None = None
    for first in range(0, len(fresh), EVERY):
        if best is not None and first > best[1]:
            break
        sure = _sure(fresh.between(first, first + STRETCH), rule)
        if sure is not None and (best is None or first + sure < best[1]):
            best = first, first + sure
    if best is None:
        return None
    stretch = fresh.between(best[0], best[1] + 1)
    lower, upper = bounds(stretch.shares, rule)
    value = _trimmed(stretch.shares, rule.most).share
    at = float(stretch.times[-1])
    upper = min(upper, rule.share)
    return Lost(at, rule.share, value, min(lower, value), upper, rule.level, len(stretch))


def _sure(stretch: Seen, rule: Rule) -> int | None:
    """With which frame of a stretch it is sure."""
    wealth = doubt(_trimmed(stretch.shares, rule.most), rule.share, rule.most)
    sure = np.flatnonzero(wealth >= 1 / (1 - rule.level))
    return int(sure[0]) if len(sure) else None


def _again(lost: Lost, seen: Seen, rule: Rule) -> Over | None:
    """The first moment at which the share since the loss, of 100 frames at most, is at the floor."""
    since = seen.after(lost.at)
    shares = _trimmed(since.shares, rule.most)
    parts = np.concatenate([[0.0], np.cumsum(shares.weight * shares.parts)])
    wholes = np.concatenate([[0.0], np.cumsum(shares.weight * shares.wholes)])
    last = np.arange(AGAIN_LEAST, len(since) + 1)
    first = np.maximum(0, last - EVERY)
    enough = np.flatnonzero(parts[last] - parts[first] >= rule.share * (wholes[last] - wholes[first]))
    return Over(float(since.times[last[enough[0]] - 1]), "again") if len(enough) else None


def _trimmed(shares: Shares, most: float) -> Shares:
    """No frame counts more than ``most``."""
    weight = np.minimum(shares.weight, most / np.maximum(shares.wholes, 1e-12))
    return Shares(weight, shares.parts, shares.wholes)
