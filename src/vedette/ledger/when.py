"""Moments and stretches of time between people and the ledger, which counts microseconds since 1970, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

__all__ = [
    "LOCAL",
    "SECOND",
    "counted",
    "iso",
    "local",
    "moment",
    "percent",
    "period",
    "seconds_text",
    "stretch",
]

SECOND = 1_000_000
"""Microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGO = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,6})?)(?P<unit>s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAYS = {"today": 0, "yesterday": 1}


def moment(text: str, now: int) -> int:
    """Microseconds of ``24h`` (that long before ``now``), ``2026-11-01``, ``2026-11-01T14:30+01:00``,
    ``now``, ``today`` or ``yesterday`` (their first moment). What names no offset is local time.

    Raises:
        ValueError: it is none of these; the message says what is wanted.
    """
    text = text.strip()
    if text == "now":
        return now
    if match := _AGO.fullmatch(text):
        return now - round(float(match["number"]) * _UNITS[match["unit"]] * SECOND)
    try:
        return _microseconds(_named_day(text, now) or datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a time ago such as 90m, 24h or 7d, a day such as 2026-11-01, a time such as "
            "2026-11-01T14:30 (local, or with its offset), now, today or yesterday"
        ) from None


def _named_day(text: str, now: int) -> datetime | None:
    if text not in _DAYS:
        return None
    day = local(now).date() - timedelta(days=_DAYS[text])
    return datetime(day.year, day.month, day.day)


def _microseconds(when: datetime) -> int:
    return (when.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def local(at: int, tz: tzinfo | None = None) -> datetime:
    """With its offset; in the zone of this machine unless another is given. Exact to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(tz)


def iso(at: int, tz: tzinfo | None = None) -> str:
    """``2026-11-01T14:30:00.000000+01:00``: microseconds and offset are always there."""
    return local(at, tz).isoformat(timespec="microseconds")


def seconds_text(microseconds: int) -> str:
    """Exact decimal seconds: columns of them add up to the last digit."""
    if microseconds == 0:
        return "0"
    sign, rest = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    return f"{sign}{rest // SECOND}.{rest % SECOND:06d}"


def stretch(microseconds: int) -> str:
    """For people, at most seven characters: ``0.4s``, ``12s``, ``3m12s``, ``2h05m``, ``3d04h``."""
    if microseconds < 10 * SECOND:
        # Never "0.0s": what is in the ledger took some time, and only events took none.
        return f"{max(microseconds / SECOND, 0.1):.1f}s" if microseconds else "0s"
    minutes, seconds = divmod(round(microseconds / SECOND), 60)
    if minutes == 0:
        return f"{seconds}s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes}m{seconds:02d}s"
    days, hours = divmod(hours, 24)
    return f"{hours}h{minutes:02d}m" if days == 0 else f"{days}d{hours:02d}h"


def period(since: int, until: int, tz: tzinfo | None = None) -> str:
    """``2026-11-01 00:00 to 2026-11-02 00:00 (+01:00)``; with seconds where there are any."""
    begin, end = local(since, tz), local(until, tz)
    form = "%Y-%m-%d %H:%M" if not (begin.second or end.second) else "%Y-%m-%d %H:%M:%S"
    first, last = (f"{when:%z}" for when in (begin, end))
    if first == last:
        return f"{begin:{form}} to {end:{form}} ({_colon(last)})"
    return f"{begin:{form}} ({_colon(first)}) to {end:{form}} ({_colon(last)})"


def _colon(offset: str) -> str:
    return f"{offset[:3]}:{offset[3:5]}"


def percent(part: int, whole: int) -> str:
    """Rounded down: only what is whole is ``100.00%``."""
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


class _Local(tzinfo):
    """This machine's zone with its changes of the clock, which a fixed offset does not know."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        there = dt.replace(tzinfo=UTC).astimezone()
        offset, naive = there.utcoffset(), there.replace(tzinfo=None)
        # An hour that comes twice: fold says which of the two it is.
        again = naive.replace(fold=0).astimezone().utcoffset() != offset
        return naive.replace(tzinfo=self, fold=int(again))


LOCAL = _Local()
