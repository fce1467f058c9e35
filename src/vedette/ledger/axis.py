"""The time axis: ticks where local clocks show round times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from vedette.ledger.when import SECOND, local, moment

__all__ = ["Tick", "ticks"]

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_DAY_STEPS = (1, 2, 7, 14)
_DAY_S = 86_400
_HALF_HOUR_S = 1800
"""Clocks are set by whole or half hours; walking no further at once, no round time is missed."""


@dataclass(frozen=True, slots=True)
class Tick:
    """``at``: microseconds; ``day``: what to write below the first tick of a day, else empty."""

    at: int
    text: str
    day: str = ""


def ticks(since: int, until: int, most: int, tz: tzinfo | None = None) -> list[Tick]:
    """At most about ``most`` round local times from ``since`` to ``until``, in order."""
    length = max(1, (until - since) // SECOND)
    for step in _STEPS_S:
        if length / step <= most:
            return _within_days(since, until, step, tz)
    for days in _DAY_STEPS:
        if length / (days * _DAY_S) <= most:
            return _days(since, until, days, tz)
    months = next((count for count in (1, 3, 6) if length / (count * 30.4 * _DAY_S) <= most), 12)
    return _months(since, until, months, tz)


def _within_days(since: int, until: int, step: int, tz: tzinfo | None) -> list[Tick]:
    walk = min(step, _HALF_HOUR_S) * SECOND
    found: list[Tick] = []
    at = since - _of_day(local(since, tz)) % walk
    day = None
    while at <= until:
        when = local(at, tz)
        if at >= since and _of_day(when) % (step * SECOND) == 0:
            text = f"{when:%H:%M:%S}" if step < 60 else f"{when:%H:%M}"
            found.append(Tick(at, text, _day(when) if when.date() != day else ""))
            day = when.date()
        at += walk
    return found


def _of_day(when: datetime) -> int:
    """Microseconds the clock shows since midnight."""
    return ((when.hour * 60 + when.minute) * 60 + when.second) * SECOND + when.microsecond


def _day(when: datetime) -> str:
    return f"{when:%a} {when.day} {when:%b}"


def _days(since: int, until: int, step: int, tz: tzinfo | None) -> list[Tick]:
    midnight = local(since, tz).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    found: list[Tick] = []
    # Counted from a fixed Monday, so that a picture of next week has its ticks on the same days.
    midnight -= timedelta(days=(midnight - datetime(1970, 1, 5)).days % step)
    year = None
    while (at := _instant(midnight, tz)) <= until:
        if at >= since:
            found.append(Tick(at, _day(midnight), str(midnight.year) if midnight.year != year else ""))
            year = midnight.year
        midnight += timedelta(days=step)
    return found


def _months(since: int, until: int, step: int, tz: tzinfo | None) -> list[Tick]:
    first = local(since, tz)
    month = (first.year * 12 + first.month - 1) // step * step
    found: list[Tick] = []
    year = None
    while (at := _instant(datetime(month // 12, month % 12 + 1, 1), tz)) <= until:
        if at >= since:
            when = local(at, tz)
            found.append(Tick(at, f"{when:%b}", str(when.year) if when.year != year else ""))
            year = when.year
        month += step
    return found


def _instant(naive: datetime, tz: tzinfo | None) -> int:
    when = naive.replace(tzinfo=tz) if tz else naive
    return moment(when.isoformat(), 0)
