"""Hours and days of a time zone, as edges in µs since 1970. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

__all__ = ["Bucket", "bucket_edges"]

Bucket = Literal["hour", "day", "all"]

_HOUR = 3_600_000_000
_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def bucket_edges(since: int, until: int, bucket: Bucket, zone: tzinfo) -> list[int]:
    """The edges (µs) of the buckets of ``since … until``; the first and the last are cut off there.

    Days begin at local midnight, so that they have 23 or 25 hours where the clocks change. Hours begin at the
    local full hour and are shorter where clocks change by half of one. Empty if ``until`` is not after
    ``since``.
    """
    if until <= since:
        return []
    edges = [since]
    if bucket != "all":
        after = _next_hour if bucket == "hour" else _next_day
        while (edge := after(edges[-1], zone)) < until:
            edges.append(edge)
    return [*edges, until]


def _next_hour(at: int, zone: tzinfo) -> int:
    local = _local(at, zone)
    return at + _HOUR - ((local.minute * 60 + local.second) * 1_000_000 + local.microsecond)


def _next_day(at: int, zone: tzinfo) -> int:
    day = _local(at, zone).date()
    while True:
        # A midnight that the clocks skip is the moment at which they do; of one that comes twice the first
        # counts. After that first one, and where a whole day is skipped, the next day is looked for again.
        day += timedelta(days=1)
        midnight = datetime.combine(day, time(), tzinfo=zone)
        edge = (midnight.astimezone(UTC) - _1970) // timedelta(microseconds=1)
        if edge > at:
            return edge


def _local(at: int, zone: tzinfo) -> datetime:
    return (_1970 + timedelta(microseconds=at)).astimezone(zone)
