"""A column of a table in a terminal: values in, text out; which columns have room, and the order of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vedette.top.words import plain

__all__ = ["GAP", "Cell", "Column", "arrange", "fitting", "number", "text"]

T = TypeVar("T")

Cell = tuple[str, str]
"""Text, and its Rich style."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """What a table shows of a row. ``key``: what ``--sort`` calls it. ``about``: one line for the help.

    ``place``: its value to sort by; ``down``: the largest come first, unless reversed. ``width``: in cells,
    and up to ``grows`` more where there is room. Where there is not, those with the highest ``rank`` go.
    """

    key: str
    title: str
    about: str
    cell: Callable[[T], Cell]
    place: Callable[[T], Any]
    width: int
    rank: int = 0
    number: bool = True
    down: bool = True
    grows: int = 0


GAP = 1
"""Cells between two columns."""


def fitting(columns: Sequence[Column[T]], width: int) -> tuple[tuple[Column[T], int], ...]:
    """The columns that have room in ``width`` cells, each with its own width."""
    chosen: list[Column[T]] = []
    left = width + GAP
    for column in sorted(columns, key=lambda column: column.rank):
        if chosen and left < column.width + GAP:
            break
        chosen.append(column)
        left -= column.width + GAP
    widths = {column.key: column.width for column in chosen}
    for column in reversed(chosen):
        more = max(0, min(column.grows, left))
        widths[column.key] += more
        left -= more
    return tuple((column, widths[column.key]) for column in columns if column.key in widths)


def arrange(rows: Iterable[T], column: Column[T], *, backwards: bool = False) -> list[T]:
    """By that column; rows that are alike keep their order."""
    return sorted(rows, key=column.place, reverse=column.down != backwards)


def text(value: str, style: str = "") -> Cell:
    return plain(value) or "–", style if value else "dim"


def number(shown: str, value: float, style: str = "") -> Cell:
    """Nothing is shown faintly."""
    return shown, style if value else "dim"
