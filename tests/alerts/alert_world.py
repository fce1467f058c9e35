"""Facts and time for the rules of alerts, as a node would make them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from vedette.alerts.message import Message
from vedette.alerts.rules import Alerts
from vedette.alerts.settings import AlertSettings
from vedette.causes import Blame, Cause, kind_of
from vedette.facts import (
    AnyFact,
    Gap,
    GapChanged,
    GapClosed,
    GapOpened,
    Incident,
    IncidentClosed,
    IncidentOpened,
)

NOON = 1_700_049_600.0
"""2023-11-15 12:00 UTC."""


class World:
    """Cameras that go and come back, on a clock that moves when told. ``said``: every message so far."""

    def __init__(
        self, coverage: Any = None, start: float = NOON, tick_s: float = 1.0, **settings: Any
    ) -> None:
        settings.setdefault("zone", "UTC")
        self.alerts = Alerts(AlertSettings(**settings), coverage)
        self.now, self.wall, self.tick_s = 1000.0, start, tick_s
        self.said: list[Message] = []
        self.said_at: list[float] = []
        self.open: dict[str, Gap] = {}
        self._ids = 0

    def micro(self) -> int:
        return round(self.wall * 1e6)

    def take(self, fact: AnyFact) -> None:
        self.alerts.take(fact, self.now, self.wall)

    def goes(self, camera: str, cause: Cause = Cause.CONNECTION_LOST, **more: Any) -> Gap:
        self._ids += 1
        gap = Gap(
            id=f"gap-{self._ids}",
            camera=camera,
            kind=kind_of(cause),
            start=self.micro(),
            cause=cause,
            blame=Blame.NETWORK,
            **more,
        )
        self.open[camera] = gap
        self.take(GapOpened(at=self.now, gap=gap))
        return gap

    def turns_out(self, camera: str, **changes: Any) -> None:
        self.open[camera] = replace(self.open[camera], **changes)
        self.take(GapChanged(at=self.now, gap=self.open[camera]))

    def back(self, camera: str) -> None:
        gap = replace(self.open.pop(camera), end=self.micro())
        self.take(GapClosed(at=self.now, gap=gap))

    def incident(self, cameras: list[str], name: str = "i1", scope: str = "host 10.0.0.5") -> Incident:
        incident = Incident(
            id=name, scope=scope, start=self.micro(), cause=Cause.UNREACHABLE, cameras=cameras
        )
        self.take(IncidentOpened(at=self.now, incident=incident))
        return incident

    def incident_over(self, incident: Incident) -> None:
        self.take(IncidentClosed(at=self.now, incident=replace(incident, end=self.micro())))

    def passes(self, seconds: float) -> list[Message]:
        """Messages said in that time."""
        new: list[Message] = []
        left = seconds
        while left > 0:
            step = min(self.tick_s, left)
            left -= step
            self.now += step
            self.wall += step
            messages = self.alerts.tick(self.now, self.wall)
            self.said_at += [self.now] * len(messages)
            new += messages
        self.said += new
        return new

    def titles(self, seconds: float) -> list[str]:
        return [message.title for message in self.passes(seconds)]
