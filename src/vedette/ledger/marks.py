"""Gaps become marks a pixel wide or more: none is too short to be seen; a million become a few thousand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vedette.causes import Cause
from vedette.facts import Gap
from vedette.ledger.when import local, stretch

__all__ = ["Mark", "Scale", "marks"]

DETAIL_AT_MOST = 200
"""Characters of a gap's detail in a picture."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Microseconds to whole pixels. ``left`` and ``right`` are where ``since`` and ``until`` lie."""

    since: int
    until: int
    left: int
    right: int
    tz: tzinfo | None = None

    def x(self, at: int) -> int:
        """Never outside the plot."""
        inside = min(max(at, self.since), self.until) - self.since
        return self.left + round(inside * (self.right - self.left) / max(1, self.until - self.since))

    def span(self, start: int, end: int | None) -> tuple[int, int]:
        """From which pixel to before which; at least one pixel, and inside the plot."""
        first = min(self.x(start), self.right - 1)
        return first, max(first + 1, self.x(self.until if end is None else end))

    def length(self, start: int, end: int | None) -> int:
        """Microseconds of it that are shown."""
        inside = min(self.until if end is None else end, self.until) - max(start, self.since)
        return max(0, inside)

    def shows(self, start: int, end: int | None) -> bool:
        return start < self.until and (end is None or end > self.since or start == end >= self.since)


@dataclass(frozen=True, slots=True)
class Mark:
    """``cause`` is the one with the most time where a mark stands for several gaps; ``x2`` is exclusive."""

    x1: int
    x2: int
    cause: Cause
    title: str


def marks(gaps: Iterable[Gap], scale: Scale) -> list[Mark]:
    """Marks of one camera and one lane, in the order in which to draw them: the shortest lie on top.

    Gaps shorter than a pixel that share one become one mark; neighbouring ones of the same cause too.
    """
    long: list[tuple[int, int, Gap]] = []
    columns: dict[int, list[Gap]] = defaultdict(list)
    for gap in gaps:
        if not scale.shows(gap.start, gap.end):
            continue
        x1, x2 = scale.span(gap.start, gap.end)
        if x2 - x1 > 1:
            long.append((x1, x2, gap))
        else:
            columns[x1].append(gap)
    long.sort(key=lambda found: found[0] - found[1])
    drawn = [Mark(x1, x2, gap.cause, _title([gap], scale)) for x1, x2, gap in long]
    return drawn + _joined(columns, scale)


def _joined(columns: dict[int, list[Gap]], scale: Scale) -> list[Mark]:
    runs: list[tuple[int, int, Cause, list[Gap]]] = []
    for x in sorted(columns):
        cause = _leading(columns[x], scale)
        if runs and runs[-1][1] == x and runs[-1][2] is cause:
            first, _, _, held = runs.pop()
            held.extend(columns[x])
            runs.append((first, x + 1, cause, held))
        else:
            runs.append((x, x + 1, cause, list(columns[x])))
    return [Mark(x1, x2, cause, _title(held, scale)) for x1, x2, cause, held in runs]


def _leading(gaps: Sequence[Gap], scale: Scale) -> Cause:
    spent: Counter[Cause] = Counter()
    for gap in gaps:
        spent[gap.cause] += scale.length(gap.start, gap.end) + 1  # events take no time, and count
    return spent.most_common(1)[0][0]


def _title(gaps: Sequence[Gap], scale: Scale) -> str:
    """What the mouse is answered: one gap with all its details, several in short."""
    first, last = gaps[0], gaps[-1]
    begun = f"{local(first.start, scale.tz):%Y-%m-%d %H:%M:%S}"
    if len(gaps) > 1:
        causes = Counter(gap.cause.value for gap in gaps).most_common()
        whole = stretch(sum(scale.length(gap.start, gap.end) for gap in gaps))
        named = ", ".join(f"{cause} {count}" for cause, count in causes)
        end = f"{local(scale.until if last.end is None else last.end, scale.tz):%H:%M:%S}"
        return f"{first.camera}: {len(gaps)} from {begun} to {end}, {whole} in all: {named}"
    lines = [f"{first.camera}: {first.cause.value} (blame: {first.blame.value})"]
    if first.end is None:
        lines.append(f"since {begun}, not over")
    elif first.end == first.start:
        lines.append(f"at {begun}")
    else:
        lines.append(f"{begun} to {local(first.end, scale.tz):%H:%M:%S}, {stretch(first.end - first.start)}")
    return "\n".join(lines + [first.detail[:DETAIL_AT_MOST]] if first.detail else lines)
