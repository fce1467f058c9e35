"""What the rules know of each camera: whether it is blind, since when, and how often it went."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from vedette.causes import LINK, Cause
from vedette.facts import Gap

__all__ = ["LINK_FAMILY", "CameraMemory", "seconds"]

LINK_FAMILY = frozenset({*LINK, Cause.WORKER_LOST})
"""No stream, however that came about: one outage may go through several of them."""

SAME_OUTAGE_S = 0.05
"""A row of the ledger that begins where another ended goes on with the same outage."""


def seconds(microseconds: int) -> float:
    return microseconds / 1e6


@dataclass(slots=True)
class CameraMemory:
    """``blind``: its open gap of that kind; there is at most one. Times in Unix seconds."""

    blind: Gap | None = None
    outage_began: float = 0.0
    outage_ended: float | None = None
    incident: str | None = None
    """That its open outage belongs to."""
    went: deque[float] = field(default_factory=deque)
    """When it went lately, monotonic seconds; as many as the flapping rule asks for."""

    @property
    def lost(self) -> bool:
        """Whether there is no stream now."""
        return self.blind is not None and self.blind.cause in LINK_FAMILY

    @property
    def unseen(self) -> bool:
        """Whether somebody would like to see it and cannot."""
        return self.blind is not None and self.blind.cause is not Cause.PAUSED

    def opens(self, gap: Gap) -> bool:
        """A gap of kind blind opens or is better known. True where that is a new outage of the stream."""
        known = self.blind is not None and self.blind.id == gap.id
        began = seconds(gap.start)
        if self.blind is not None and not known:
            self.closes(self.blind, began)
        new = False
        if gap.cause in LINK_FAMILY and not (known and self.lost):
            goes_on = self.outage_ended is not None and began - self.outage_ended <= SAME_OUTAGE_S
            if not goes_on:
                self.outage_began = began
            # Those are ours: the camera did not go.
            new = not goes_on and gap.cause not in (Cause.STARTING, Cause.WORKER_LOST)
        self.blind = gap
        if gap.incident is not None:
            self.incident = gap.incident
        return new

    def closes(self, gap: Gap, wall: float) -> None:
        if self.blind is None or self.blind.id != gap.id:
            return
        if self.lost:
            self.outage_ended = wall
        self.blind = self.incident = None
