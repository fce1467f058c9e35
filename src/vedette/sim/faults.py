"""The seam at which faults act. There are none yet: this is where they will go.

A fault sees every request before it is answered and every frame of every reader before it is sent; nothing
else in the simulator has to know of faults. Frames that a fault withholds count as ``withheld``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vedette.sim.clip import AccessUnit
from vedette.sim.messages import Request, Response

__all__ = ["Faults", "NoFaults", "Outgoing"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame about to be sent: clip frame ``slot``, its payloads, its RTP timestamp (32 bits)."""

    slot: int
    unit: AccessUnit
    timestamp: int


class Faults(Protocol):
    """What may go wrong. Called in the event loop: quick, never blocking."""

    def on_request(self, camera: str, request: Request) -> Response | None:
        """Called before a request for a camera is answered; a response (``close=True`` ends the connection
        after it) is given instead of the true one, None lets it pass. ``camera`` is "" where unknown."""
        ...

    def on_frame(self, camera: str, frame: Outgoing) -> Sequence[Outgoing]:
        """Called once per reader and frame; what it returns is sent instead: ``(frame,)`` as it is, nothing
        for a lost frame, a changed copy for a broken one, several for a burst."""
        ...


class NoFaults:
    """Cameras that work."""

    def on_request(self, camera: str, request: Request) -> Response | None:
        return None

    def on_frame(self, camera: str, frame: Outgoing) -> Sequence[Outgoing]:
        return (frame,)
