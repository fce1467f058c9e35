"""What people are told."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Message", "Severity"]


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    """Also during quiet hours."""

    @property
    def rank(self) -> int:
        """0, 1, 2."""
        return tuple(Severity).index(self)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, about one alert or a group of them. Times in Unix seconds.

    ``key``: what it is about: an alert's own key (``down/gate``), the rule where it is about several
    (``down``), or ``several`` where rules are mixed. ``alerts``: keys of those that are on; ``recovered``: of
    those that are over. ``resolved``: everything in it is over.
    """

    key: str
    severity: Severity
    title: str
    body: str
    cameras: tuple[str, ...]
    began: float
    """The earliest."""
    ended: float | None
    """The latest, where everything is over."""
    resolved: bool
    alerts: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
