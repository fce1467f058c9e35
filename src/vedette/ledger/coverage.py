"""How much of the time a camera was watched it was seen, exactly: integers of µs that add up. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import pairwise

from vedette.causes import Cause, Kind
from vedette.facts import Gap
from vedette.ledger.audit import Watch, Watched, partition_problems
from vedette.ledger.buckets import Bucket, bucket_edges

__all__ = ["Bucket", "CoverageRow", "Stretch", "Watch", "Watched", "coverage", "partition_problems", "sums"]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One camera in one bucket. All in µs; ``seen`` and the sum of ``blind`` make up ``watched``, exactly."""

    camera: str
    start: int
    end: int
    watched: int
    seen: int
    blind: dict[Cause, int] = field(default_factory=dict)
    """Only the causes that there were."""

    @property
    def share(self) -> float | None:
        """Seen of watched, 0…1; None where the camera was not watched."""
        return self.seen / self.watched if self.watched else None


def coverage(
    watches: Iterable[Watched],
    gaps: Iterable[Gap],
    since: int,
    until: int,
    bucket: Bucket = "all",
    zone: tzinfo = UTC,
) -> list[CoverageRow]:
    """A row per camera that was watched in ``since … until`` (µs) and bucket, ordered by both.

    ``gaps``: in any order; those that are not blind are left out. What is open lasts until ``until``. A
    camera is told from another by its name alone: of a ledger that several nodes share, pass the rows of one.
    Where rows overlap, which in a sound ledger they do not, the time belongs to the one that began first.
    """
    edges = bucket_edges(since, until, bucket, zone)
    if not edges:
        return []
    watched: dict[str, list[Stretch]] = defaultdict(list)
    for watch in watches:
        watched[watch.camera].append((watch.start, until if watch.end is None else watch.end, None))
    blind: dict[str, list[Stretch]] = defaultdict(list)
    for gap in gaps:
        if gap.kind is Kind.BLIND:
            blind[gap.camera].append((gap.start, until if gap.end is None else gap.end, gap.cause))
    return [
        CoverageRow(camera, start, end, whole, whole - sum(lost.values()), lost)
        for camera, wholes, losses in sums(watched, blind, edges)
        for (start, end), whole, lost in zip(pairwise(edges), wholes, losses, strict=True)
    ]


Stretch = tuple[int, int, Cause | None]
"""Start, end (µs) and, of a gap, its cause."""


def sums(
    watched: Mapping[str, Sequence[Stretch]], blind: Mapping[str, Sequence[Stretch]], edges: list[int]
) -> Iterator[tuple[str, list[int], list[dict[Cause, int]]]]:
    """The same as plain numbers, for who needs them quickly: of each camera that was watched, by its name,
    the µs that it was in each bucket, and those of them in which it was not seen, by cause."""
    since, until = edges[0], edges[-1]
    for camera in sorted(watched):
        periods = list(_in_turn(watched[camera], since, until))
        if periods:
            yield camera, *_of_camera(periods, _in_turn(blind.get(camera, ()), since, until), edges)


def _in_turn(stretches: Sequence[Stretch], since: int, until: int) -> Iterator[Stretch]:
    """Within ``since … until``, by their start, none overlapping another, none empty."""
    reached = since
    for start, end, cause in sorted(stretches, key=_start):
        start, end = max(start, reached), min(end, until)
        if start < end:
            yield start, end, cause
            reached = end


def _start(stretch: Stretch) -> int:
    return stretch[0]


def _of_camera(
    periods: list[Stretch], blind: Iterator[Stretch], edges: list[int]
) -> tuple[list[int], list[dict[Cause, int]]]:
    watched = [0] * (len(edges) - 1)
    for start, end, _ in periods:
        for number, part in _split(start, end, edges):
            watched[number] += part
    causes: list[dict[Cause, int]] = [{} for _ in watched]
    for start, end, cause in _within(blind, periods):
        assert cause is not None
        for number, part in _split(start, end, edges):
            causes[number][cause] = causes[number].get(cause, 0) + part
    return watched, causes


def _within(blind: Iterator[Stretch], periods: list[Stretch]) -> Iterator[Stretch]:
    """The parts of ``blind`` that lie in ``periods``; both in turn."""
    number = 0
    for start, end, cause in blind:
        while number < len(periods) and periods[number][0] < end:
            begins, ends, _ = periods[number]
            if ends > start:
                yield max(start, begins), min(end, ends), cause
            if ends > end:
                break
            number += 1


def _split(start: int, end: int, edges: list[int]) -> Iterator[tuple[int, int]]:
    """(number of the bucket, µs in it) of ``start … end``, which lies between the first and the last edge."""
    number = bisect_right(edges, start) - 1
    while start < end:
        part = min(end, edges[number + 1])
        yield number, part - start
        start, number = part, number + 1
