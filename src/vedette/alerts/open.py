"""What is wrong now, as plain values: for those who look on, instead of being told. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from vedette.alerts import words
from vedette.alerts.conditions import Condition
from vedette.alerts.message import Severity
from vedette.observe.views import AlertView

__all__ = ["open_alert", "worst_first"]

_OF_WORKERS = ("worker", "quarantine")
_OF_SITE = " of site "


def open_alert(condition: Condition, wall: float) -> AlertView:
    """``wall``: now, in Unix seconds."""
    about = condition.key.partition("/")[2]
    site = about.partition(_OF_SITE)[2] if condition.rule == "accuracy" else ""
    alone = len(condition.cameras) == 1 and not site and condition.rule not in _OF_WORKERS
    return AlertView(
        rule=condition.rule,
        severity=condition.severity.value,
        since=condition.began,
        text=words.title(condition, wall),
        camera=condition.cameras[0] if alone else "",
        site=site,
        worker=about if condition.rule in _OF_WORKERS else "",
        cameras=condition.cameras,
    )


def worst_first(alerts: Iterable[AlertView]) -> tuple[AlertView, ...]:
    """Of the same severity, the oldest first."""
    return tuple(sorted(alerts, key=lambda each: (-Severity(each.severity).rank, each.since)))
