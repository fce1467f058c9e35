"""The conditions together with the settings they are made by."""

from __future__ import annotations

from vedette.alerts.conditions import Condition, Conditions
from vedette.alerts.message import Severity
from vedette.alerts.settings import AlertSettings
from vedette.facts import Gap

__all__ = ["Book", "wait_left"]


def wait_left(after: float, began: float, wall: float) -> float:
    """Seconds until something that began then has lasted ``after``.

    Clocks may have been set since: it is never longer than ``after``, nor less than nothing.
    """
    return after - min(after, max(0.0, wall - began))


class Book:
    """Begins conditions as the rule they belong to says."""

    def __init__(self, settings: AlertSettings) -> None:
        self.rules = settings.rules
        self.conditions = Conditions()
        self._remind_every = settings.remind_every

    def covers(self, name: str, camera: str) -> bool:
        """Whether there is such a rule, and it looks at this camera."""
        if not name:
            return False
        rule = self.rules.named(name)
        return rule.enabled and rule.covers(camera)

    def begin(
        self,
        key: str,
        name: str,
        *,
        began: float,
        due: float,
        cameras: tuple[str, ...] = (),
        detail: str = "",
        gap: Gap | None = None,
        once: bool = False,
        again: float = 0.0,
        until: float | None = None,
    ) -> Condition | None:
        """None where there is no room. For the rest see :class:`Condition`."""
        rule = self.rules.named(name)
        remind_every = rule.remind_every or self._remind_every
        condition = Condition(
            key=key,
            rule=name,
            severity=Severity(rule.severity),
            cameras=cameras,
            began=began,
            due=due,
            remind_every=remind_every,
            detail=detail,
            once=once,
            again=again or remind_every,
            until=until,
        )
        if gap is not None:
            condition.what, condition.detail, condition.blame = gap.cause, gap.detail, gap.blame
        return condition if self.conditions.add(condition) else None

    def move(self, condition: Condition, name: str) -> None:
        """It turns out to be a matter of another rule."""
        rule = self.rules.named(name)
        condition.rule, condition.severity = name, Severity(rule.severity)
        condition.remind_every = rule.remind_every or self._remind_every
