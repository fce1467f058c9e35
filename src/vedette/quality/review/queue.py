"""What to look at next. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from vedette.quality.review.chance import chance
from vedette.quality.review.rows import Item, Task
from vedette.quality.review.sampling import Reason

__all__ = ["REPEATS", "Look", "in_turn", "repeatable"]

REPEATS = 0.05
"""Share of what is shown that was reviewed before."""
REMEMBERED = 20
"""Reviews that somebody may still have in mind: none of the last so many is repeated."""

_RANK = {reason: number for number, reason in enumerate(Reason)}


def in_turn(
    waiting: Sequence[Item], repeats: Sequence[Task], *, done: int, count: int, seed: int
) -> list[Task]:
    """The next ``count``, of which about 5% are ``repeats``; ``done``: how many looks there have been.

    Uniform and targeted take turns, also over several calls. The uniform ones come in the order of their
    ids, which is one of chance: whoever stops in between has looked at a part that says as much of the
    camera as the whole. Of the targeted ones the most pressing reasons come first, then the newest.
    """
    uniform, targeted = _uniform(waiting), _targeted(waiting)
    again = iter(repeats)
    tasks: list[Task] = []
    for number in range(done, done + count):
        task = next(again, None) if chance(seed, "repeat", number) < REPEATS else None
        if task is None:
            first, second = (uniform, targeted) if number % 2 == 0 else (targeted, uniform)
            item = next(first, None) or next(second, None)
            if item is None:
                break
            task = Task(item)
        tasks.append(task)
    return tasks


@dataclass(frozen=True, slots=True)
class Look:
    """A review, as far as it matters for what to repeat."""

    id: int
    item: str
    repeat_of: int | None


def repeatable(shown: Collection[str], looks: Sequence[Look], *, seed: int) -> list[Look]:
    """Reviews that may be repeated, in an order of chance; none is repeated twice.

    ``looks``: all, in the order they were made. ``shown``: ids of reviewed items that can be shown.
    """
    repeated = {each.repeat_of for each in looks}
    fresh_in_mind = {each.item for each in looks[-REMEMBERED:]}
    found = [
        each
        for each in looks
        if each.repeat_of is None
        and each.item in shown
        and each.id not in repeated
        and each.item not in fresh_in_mind
    ]
    return sorted(found, key=lambda each: chance(seed, "which", each.item))


def _uniform(waiting: Sequence[Item]) -> Iterator[Item]:
    return iter(sorted((item for item in waiting if item.uniform), key=lambda item: item.id))


def _targeted(waiting: Sequence[Item]) -> Iterator[Item]:
    by_reason = ((item.reason, item) for item in waiting)
    ranked = [(_RANK[reason], -item.captured_at, item.id, item) for reason, item in by_reason if reason]
    return (item for *_, item in sorted(ranked, key=lambda each: each[:3]))
