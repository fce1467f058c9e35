"""Precision and recall of reviewed frames: of all, by camera, site, light and model. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add

from vedette.quality.estimates import (
    Emitted,
    Estimate,
    Judged,
    Method,
    Narrowing,
    TooFew,
    narrowing,
    precision,
    recall,
)

__all__ = ["Figures", "Row", "figures"]

BY: Mapping[str, Callable[[Judged], str]] = {
    "all": lambda frame: "",
    "camera": lambda frame: frame.camera,
    "site": lambda frame: frame.site,
    "light": lambda frame: frame.light,
}


@dataclass(frozen=True, slots=True)
class Row:
    """``by``: all, camera, site, light or model. ``drawn``: frames that were taken by chance; ``picked``: the
    others, of which no share is made."""

    by: str
    name: str
    drawn: int
    picked: int
    precision: Estimate | TooFew
    recall: Estimate | TooFew

    @property
    def more(self) -> dict[str, Narrowing]:
        """What the next frames would narrow, by measure."""
        found = {"precision": narrowing(self.precision), "recall": narrowing(self.recall)}
        return {measure: each for measure, each in found.items() if each is not None}


@dataclass(frozen=True, slots=True)
class Figures:
    """``model``: whose frames all rows are of but those by model. ``remarks``: what to know when reading
    them."""

    model: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = field(default=())


def figures(
    frames: Iterable[Judged],
    model: str,
    emitted: Mapping[str, Emitted],
    *,
    method: Method = Method.POWERED,
    level: float = 0.95,
) -> Figures:
    """``emitted``: by camera, what ``model`` emitted on it; where there is none of a camera, precision is
    from labels alone. ``frames``: all that were reviewed, of any model."""
    every = list(frames)
    own = [frame for frame in every if frame.model == model]
    remarks: dict[str, None] = {}
    rows = []
    for by, key in BY.items():
        names = sorted({key(frame) for frame in own})
        if by != "all" and names in ([], [""]):
            continue
        for name in names:
            group = [frame for frame in own if key(frame) == name]
            rows.append(_row(by, name, group, emitted, method, level, remarks))
    models = sorted({frame.model for frame in every})
    if len(models) > 1:
        for name in models:
            group = [frame for frame in every if frame.model == name]
            rows.append(_row("model", name, group, {}, Method.CLASSICAL, level, {}))
    return Figures(model, tuple(rows), tuple(remarks))


def _row(
    by: str,
    name: str,
    group: Sequence[Judged],
    emitted: Mapping[str, Emitted],
    method: Method,
    level: float,
    remarks: dict[str, None],
) -> Row:
    drawn = sum(frame.probability is not None for frame in group)
    return Row(
        by,
        name,
        drawn,
        len(group) - drawn,
        _precision(by, name, group, emitted, method, level, remarks),
        recall(group, level),
    )


def _precision(
    by: str,
    name: str,
    group: Sequence[Judged],
    emitted: Mapping[str, Emitted],
    method: Method,
    level: float,
    remarks: dict[str, None],
) -> Estimate | TooFew:
    if not emitted or method is Method.CLASSICAL:
        return precision(group, level=level, method=Method.CLASSICAL)
    cameras = sorted({frame.camera for frame in group})
    without = [camera for camera in cameras if camera not in emitted]
    if without:
        remarks[f"nothing was counted of {', '.join(without)}: its precision is from labels alone"] = None
        return precision(group, level=level, method=Method.CLASSICAL)
    try:
        there = reduce(add, (emitted[camera] for camera in cameras))
        if by == "light":
            there = there.under(name)
        return precision(group, there, level, method)
    except ValueError as err:
        remarks[f"{by} {name}".strip() + f": precision is from labels alone, because {err}"] = None
        return precision(group, level=level, method=Method.CLASSICAL)
