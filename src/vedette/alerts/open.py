"""What is wrong now, as plain values: for those who look on, instead of being told. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from vedette.alerts import words
from vedette.alerts.conditions import Condition
from vedette.observe.views import AlertView

__all__ = ["OPEN_AT_MOST", "open_alerts"]

OPEN_AT_MOST = 1000
"""Whoever has more of them looks at the worst first."""

_OF_WORKERS = ("worker", "quarantine")
_OF_SITE = " of site "


def open_alerts(conditions: Iterable[Condition], wall: float) -> tuple[AlertView, ...]:
    """The most severe first; of the same severity, the oldest first. ``wall``: now, in Unix seconds."""
    worst = sorted(conditions, key=lambda each: (-each.severity.rank, each.began))
    return tuple(_alert(each, wall) for each in worst[:OPEN_AT_MOST])


def _alert(condition: Condition, wall: float) -> AlertView:
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
