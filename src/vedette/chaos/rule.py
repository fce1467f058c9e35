"""The form of an expectation, and what all of them allow for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vedette.causes import Cause
from vedette.chaos.seen import Struck

__all__ = ["JITTER_S", "NONE", "SETTLE_S", "SLACK_S", "Expected", "number"]

SLACK_S: Final = 1.0
"""What a busy machine may take longer than the policies do."""

SETTLE_S: Final = 3.0
"""A row that begins so soon after a fault ended was made by it."""

JITTER_S: Final = 1.5
"""Waits between attempts are stretched by up to half."""

NONE: Final[frozenset[Cause]] = frozenset()


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds. ``within`` None: it need not be told of at all.

    ``right``: causes one of which has to be named; from ``sure_after`` seconds after the beginning on, none
    but these is right in the end. ``first``: right before that. ``also``: may be told beside them.
    ``prepared``: for so long the camera's pictures must have been as usual before, or nobody can tell.
    ``back_within``: from the end of the fault until nothing of it is open any more. ``settle``: rows that
    begin so soon after its end were made by it. ``interrupts``: no results come while it lasts.
    """

    right: frozenset[Cause] = NONE
    within: float | None = None
    first: frozenset[Cause] = NONE
    sure_after: float = 0.0
    also: frozenset[Cause] = NONE
    prepared: float = 0.0
    back_within: float = 5.0
    settle: float = SETTLE_S
    interrupts: bool = False

    @property
    def detecting(self) -> frozenset[Cause]:
        return self.right | self.first

    @property
    def explained(self) -> frozenset[Cause]:
        return self.right | self.first | self.also


def number(fault: Struck, option: str) -> float:
    """An option that is a number or a time; 0 where the kind has none."""
    value = fault.options.get(option, 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0
