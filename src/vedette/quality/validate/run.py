"""A run: one detector, one set, and everything that came of it, as it is stored and compared."""

from __future__ import annotations

import msgspec

from vedette.quality.validate.estimate import Estimate
from vedette.quality.validate.records import StoredRecords

__all__ = ["DatasetName", "Figures", "Model", "Run"]

_WHERE_IT_RUNS = ("runtime", "device")

Figures = dict[str, float | None]
"""Of COCO's summary by name; None where there was nothing to find."""


class Model(msgspec.Struct, frozen=True):
    """``hash``: SHA-256 of the model's file; of a detector written in Python, of its module's file and its
    options, which says nothing of the weights that it may load. ``settings``: all else that changes what it
    finds. Options are not kept: they may be secrets."""

    name: str
    hash: str
    python: bool
    settings: dict[str, str]

    def finds_as(self, other: Model) -> bool:
        """Whether it is known that both find the same: where they run does not matter. Of two written in
        Python that is never known."""
        known = self.hash == other.hash and not (self.python or other.python)
        return known and _of_what_it_finds(self.settings) == _of_what_it_finds(other.settings)


def _of_what_it_finds(settings: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in _WHERE_IT_RUNS}


class DatasetName(msgspec.Struct, frozen=True):
    """``name``: of its file, without the ending; baselines go by it. ``hash``: of all pictures and labels."""

    name: str
    hash: str
    pictures: int
    objects: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """``at``: ISO 8601, UTC. ``confidence``: the pipeline's threshold. ``floor``: the least sure box of all;
    None where none was found. ``estimates``: with intervals; ``figures`` …: COCO's summary, over all and by
    label and light. ``unknown``: labels the detector cannot say, all of whose objects count as missed.
    ``left_out``: names that the set did not look for, and how many boxes would have left the pipeline.
    ``precision``: in which the network computed; empty where that is not known."""

    id: str
    at: str
    dataset: DatasetName
    model: Model
    confidence: float
    floor: float | None
    estimates: dict[str, Estimate]
    figures: Figures
    by_label: dict[str, Figures]
    by_light: dict[str, Figures]
    unknown: list[str]
    left_out: dict[str, int]
    records: StoredRecords
    precision: str = ""
