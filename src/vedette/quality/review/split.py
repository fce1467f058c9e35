"""A site's own held-out set: whole days that no training ever sees. Pure.

By time and never by frame: a frame in training and the next one in the test show the same parked cars, and
a model that has learnt them by heart would look good.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from vedette.errors import ReviewError
from vedette.quality.labels.dataset import Dataset, Picture
from vedette.quality.review.chance import chance

__all__ = ["Split", "SplitSettings", "is_held_out", "split"]


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """One day of every ``every`` is held out, which one by chance; a day stays where it is when others come.

    ``apart``: seconds next to a held-out day that are in neither set, for what stands there over midnight.
    """

    every: int = 5
    apart: float = 3600.0
    seed: int = 0


DEFAULT = SplitSettings()


@dataclass(frozen=True, slots=True)
class Split:
    train: Dataset
    held_out: Dataset
    between: Dataset
    """Too near to a held-out day to train with."""


def split(dataset: Dataset, settings: SplitSettings = DEFAULT, zone: tzinfo = UTC) -> Split:
    """``zone``: whose days. Raises ReviewError for a picture of which nobody knows when it was taken."""
    places = {picture.name: _place(picture, settings, zone) for picture in dataset.pictures}

    def part(place: str) -> Dataset:
        chosen = tuple(each for each in dataset.pictures if places[each.name] == place)
        return replace(dataset, pictures=chosen)

    return Split(part("train"), part("held_out"), part("between"))


def is_held_out(at: float, settings: SplitSettings = DEFAULT, zone: tzinfo = UTC) -> bool:
    """Whether the day of this moment (Unix seconds) is one that is held out."""
    day = datetime.fromtimestamp(at, zone).toordinal()
    block, number = divmod(day, settings.every)
    return number == int(chance(settings.seed, "held out", block) * settings.every)


def _place(picture: Picture, settings: SplitSettings, zone: tzinfo) -> str:
    at = picture.captured_at
    if at is None:
        raise ReviewError(
            f"picture {picture.name!r}: nobody knows when it was taken, so it cannot be split by time"
        )
    if is_held_out(at, settings, zone):
        return "held_out"
    near = (at - settings.apart, at + settings.apart)
    return "between" if any(is_held_out(moment, settings, zone) for moment in near) else "train"
