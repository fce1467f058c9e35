"""The seam at which faults act.

A fault sees every request before it is answered, every frame of every reader before it is sent, and every
link before a reader gets it; readers and connections know nothing else of faults. Frames that a fault
withholds count as ``withheld``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from vedette.sim.clip import AccessUnit
from vedette.sim.link import Link
from vedette.sim.messages import Request, Response

__all__ = ["Faults", "NoFaults", "Outgoing", "Silence"]


class Silence(Enum):
    """Instead of a response: none, and nothing more is read from or written to that connection."""

    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame about to be sent: clip frame ``slot``, its payloads, its RTP timestamp (32 bits)."""

    slot: int
    unit: AccessUnit
    timestamp: int


class Faults(Protocol):
    """What may go wrong. Called in the event loop: quick, never blocking."""

    def on_request(self, camera: str, request: Request) -> Response | Silence | None:
        """Called before a request for a camera is answered; a response (``close=True`` ends the connection
        after it) is given instead of the true one, None lets it pass. ``camera`` is "" where unknown."""
        ...

    def on_frame(self, camera: str, frame: Outgoing) -> Sequence[Outgoing]:
        """Called once per reader and frame; what it returns is sent instead: ``(frame,)`` as it is, nothing
        for a lost frame, a changed copy for a broken one, several for a burst."""
        ...

    def wrap(self, camera: str, link: Link) -> Link:
        """Called for each link that a reader gets; what it returns carries the frames."""
        ...


class NoFaults:
    """Cameras that work."""

    def on_request(self, camera: str, request: Request) -> Response | Silence | None:
        return None

    def on_frame(self, camera: str, frame: Outgoing) -> Sequence[Outgoing]:
        return (frame,)

    def wrap(self, camera: str, link: Link) -> Link:
        return link
