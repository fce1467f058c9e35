"""Hours in which people sleep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

__all__ = ["QuietHours", "local_time", "zone_named"]

_SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class QuietHours:
    """From ``begin`` to before ``end``, in minutes since midnight; over midnight where ``end`` is earlier."""

    begin: int
    end: int

    @classmethod
    def parse(cls, text: object) -> QuietHours:
        """``22:00-06:00``; ValueError for anything else."""
        match = _SPAN.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError('must be a span of the day such as "22:00-06:00"')
        hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
        begin, end = hour * 60 + minute, end_hour * 60 + end_minute
        if begin == end:
            raise ValueError("must not be the whole day; switch rules off instead")
        return cls(begin, end)

    def hold(self, at: datetime) -> bool:
        """Whether a local time lies in them."""
        minute = at.hour * 60 + at.minute
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    def __str__(self) -> str:
        return f"{self.begin // 60:02}:{self.begin % 60:02}–{self.end // 60:02}:{self.end % 60:02}"


def zone_named(name: str | None) -> tzinfo | None:
    """A zone of the IANA database; None is the machine's own. ValueError where it is not known."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not in the database, not a name, a folder of the database
        raise ValueError("no such time zone; a known one is Europe/Berlin") from None


def local_time(wall: float, zone: tzinfo | None) -> datetime:
    """Unix seconds as the time on the clocks there."""
    return datetime.fromtimestamp(wall, zone) if zone else datetime.fromtimestamp(wall).astimezone()
