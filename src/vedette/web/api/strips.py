"""Coverage of all cameras at a glance, and how long they were not seen: of many rows, quickly. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import msgspec

from vedette.causes import BLINDING, Cause
from vedette.ledger.buckets import Bucket, bucket_edges
from vedette.ledger.coverage import Stretch, sums
from vedette.ledger.rows import LedgerWatch
from vedette.ledger.when import SECOND

__all__ = ["NOT_KNOWN", "NOT_WATCHED", "Blindness", "Strips", "blind_s", "strips"]

NOT_WATCHED, NOT_KNOWN = -1, -2
"""In a strip, in place of a share."""


class Strips(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage by the hour, small enough for a thousand cameras. ``edges``: Unix seconds, one more than there
    are buckets. ``shares``: for each camera and bucket, of a thousand: 1000 = seen all the time; -1 = not
    watched, -2 = not known. ``causes``: for each camera and bucket the number of the cause in ``names`` that
    took most of what was not seen, -1 where there was none. ``day``: the share of the whole time, 0…1, null
    where it was not watched."""

    edges: list[float]
    names: list[str]
    shares: Mapping[str, list[int]]
    causes: Mapping[str, list[int]]
    day: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Blindness:
    """What strips are made of, of one node: when cameras were not seen (start, end and cause, by camera), and
    when they were watched, µs. ``heard``: when the node was last heard of, where it does not run; None while
    it does."""

    blind: Mapping[str, Sequence[tuple[int, int | None, Cause]]]
    watches: Sequence[LedgerWatch]
    heard: int | None

    def ended(self, start: int, end: int | None, until: int) -> int:
        """What is open is known up to now, or up to when the node was last heard of."""
        if end is not None:
            return end
        return until if self.heard is None else max(start, self.heard)

    def known(self, edges: list[int]) -> Iterator[tuple[str, list[int], list[dict[Cause, int]]]]:
        """Of each camera and bucket the time watched, and what was not seen of it."""
        until = edges[-1]
        blind = {
            camera: [(start, self.ended(start, end, until), cause) for start, end, cause in gaps]
            for camera, gaps in self.blind.items()
        }
        watched: dict[str, list[Stretch]] = {}
        for each in self.watches:
            stretch = (each.start, self.ended(each.start, each.end, until), None)
            watched.setdefault(each.camera, []).append(stretch)
        return sums(watched, blind, edges)

    def unknown(self, edges: list[int]) -> dict[str, list[int]]:
        """The time since the node was last heard of: as if it were watched by somebody else."""
        tails: dict[str, list[Stretch]] = {}
        for each in self.watches if self.heard is not None else ():
            if each.end is None:
                start = self.ended(each.start, None, edges[-1])
                tails.setdefault(each.camera, []).append((start, edges[-1], None))
        return {camera: wholes for camera, wholes, _ in sums(tails, {}, edges)}


def strips(found: Blindness, since: int, until: int, bucket: Bucket, zone: tzinfo) -> Strips:
    """The same shares as of :func:`vedette.ledger.answers.covered`."""
    edges = bucket_edges(since, until, bucket, zone)
    names = sorted(cause.value for cause in BLINDING)
    numbers = {Cause(name): number for number, name in enumerate(names)}
    shares: dict[str, list[int]] = {}
    causes: dict[str, list[int]] = {}
    day: dict[str, float | None] = {}
    nothing = [0] * (len(edges) - 1)
    unknown = found.unknown(edges) if edges else {}
    for camera, wholes, losses in found.known(edges) if edges else ():
        tails = unknown.pop(camera, nothing)
        lost = [sum(each.values()) for each in losses]
        shares[camera] = [
            (whole - part) * 1000 // whole if whole else NOT_KNOWN if tail else NOT_WATCHED
            for whole, part, tail in zip(wholes, lost, tails, strict=True)
        ]
        causes[camera] = [numbers[max(each, key=each.__getitem__)] if each else -1 for each in losses]
        watched = sum(wholes)
        day[camera] = (watched - sum(lost)) / watched
    for camera, tails in unknown.items():
        shares[camera] = [NOT_KNOWN if tail else NOT_WATCHED for tail in tails]
        causes[camera] = [-1] * len(tails)
        day[camera] = None
    return Strips(edges=[edge / SECOND for edge in edges], names=names, shares=shares, causes=causes, day=day)


def blind_s(found: Blindness, since: int, until: int) -> float:
    """Seconds that cameras were not seen, all together, without those that somebody paused."""
    if until <= since:
        return 0.0
    lost = (losses[0] for _, _, losses in found.known([since, until]))
    return sum(
        time for causes in lost for cause, time in causes.items() if cause is not Cause.PAUSED
    ) / float(SECOND)
