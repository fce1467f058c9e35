"""Cameras that went at once, as the rules see them: when such an incident is worth one message, and over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vedette.alerts.cameras import CameraMemory, seconds
from vedette.facts import Incident

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IncidentMemory", "Incidents"]

INCIDENTS_AT_MOST = 1000
MOST_ARE_BACK = 0.2
"""When no more than this share is still away, the incident is over; each of those is told of by itself."""
JOINS_WITHIN_S = 60.0
"""A gap of one of its cameras that we hear of so much later belongs to something else."""


@dataclass(slots=True, eq=False)
class IncidentMemory:
    """``cameras``: those that the rule covers. ``over``: told, or not to be told of any more."""

    incident: Incident
    cameras: tuple[str, ...]
    heard_at: float
    away_at_most: int = 0
    over: bool = False

    @property
    def key(self) -> str:
        return f"incident/{self.incident.id}"

    @property
    def began(self) -> float:
        return seconds(self.incident.start)

    def away(self, cameras: Mapping[str, CameraMemory]) -> list[str]:
        """Its cameras that are still in the outage that belongs to it."""
        return [
            name
            for name in self.cameras
            if (camera := cameras.get(name)) is not None and camera.incident == self.incident.id
        ]


class Incidents:
    """By id."""

    def __init__(self, at_least: int) -> None:
        self._at_least = at_least
        self._all: dict[str, IncidentMemory] = {}

    def heard(
        self, incident: Incident, covered: tuple[str, ...], cameras: Mapping[str, CameraMemory], now: float
    ) -> IncidentMemory | None:
        """Opened, or larger than it was. None where there is no room for more."""
        memory = self._all.get(incident.id)
        if memory is None:
            if len(self._all) >= INCIDENTS_AT_MOST and not self._forget_one():
                return None
            memory = self._all[incident.id] = IncidentMemory(incident, covered, now)
        memory.incident, memory.cameras, memory.heard_at = incident, covered, now
        for name in covered:
            if (camera := cameras.get(name)) is not None and camera.lost:
                camera.incident = incident.id
        if memory.over and len(memory.away(cameras)) >= max(self._at_least, len(covered) / 2):
            memory.over = False
        return memory

    def _forget_one(self) -> bool:
        key = next((key for key, memory in self._all.items() if memory.over), None)
        if key is not None:
            del self._all[key]
        return key is not None

    def joins(self, name: str, camera: CameraMemory, now: float) -> None:
        """A camera went: does that belong to an incident that was heard of before its gap?"""
        if camera.incident is not None:
            return
        for memory in self._all.values():
            if not memory.over and now - memory.heard_at <= JOINS_WITHIN_S and name in memory.cameras:
                camera.incident = memory.incident.id
                return

    def closed(self, incident_id: str, cameras: Mapping[str, CameraMemory]) -> IncidentMemory | None:
        memory = self._all.pop(incident_id, None)
        if memory is not None:
            for name in memory.away(cameras):
                cameras[name].incident = None
        return memory

    def speaks_for(self, camera: CameraMemory) -> bool:
        """Whether an incident is told of in place of this camera's outage."""
        memory = self._all.get(camera.incident) if camera.incident is not None else None
        return memory is not None and not memory.over and len(memory.cameras) >= self._at_least

    def mostly_over(self, cameras: Mapping[str, CameraMemory]) -> list[tuple[IncidentMemory, list[str]]]:
        """Those of which most cameras came back since the last call, with the ones still away."""
        found = []
        for memory in self._all.values():
            if memory.over or len(memory.cameras) < self._at_least:
                continue
            away = memory.away(cameras)
            memory.away_at_most = max(memory.away_at_most, len(away))
            enough_seen = memory.away_at_most >= self._at_least
            if enough_seen and len(away) <= MOST_ARE_BACK * len(memory.cameras):
                memory.over, memory.away_at_most = True, 0
                found.append((memory, away))
        return found
