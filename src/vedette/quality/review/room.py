"""Which pictures have to go for others to come. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Held", "to_drop"]


@dataclass(frozen=True, slots=True)
class Held:
    """A picture on the disk. ``settled``: somebody has looked at it."""

    id: str
    bytes: int
    captured_us: int
    uniform: bool
    settled: bool


def to_drop(
    held: Iterable[Held], excess: int, *, uniform: bool, settled_too: bool = False
) -> list[Held] | None:
    """So many of the oldest that at least ``excess`` bytes become free, or None where that cannot be.

    Targeted ones that nobody has looked at go first. Those of the uniform stream go only for one of the
    uniform stream (``uniform``): what they are kept for is to be there. What people have looked at goes
    last, and only if told.
    """
    order = sorted(held, key=lambda each: (each.settled, each.uniform, each.captured_us, each.id))
    chosen: list[Held] = []
    for each in order:
        if excess <= 0:
            break
        if (each.settled and not settled_too) or (each.uniform and not uniform and not each.settled):
            continue
        chosen.append(each)
        excess -= each.bytes
    return chosen if excess <= 0 else None
