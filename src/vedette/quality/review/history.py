"""Items that people have looked at, the last one first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from vedette.quality.review.encoding import item_of, microseconds, stored_of
from vedette.quality.review.rows import Item, Stored
from vedette.quality.review.schema import items, reviews
from vedette.quality.review.selection import Selection

__all__ = ["Past", "page"]


@dataclass(frozen=True, slots=True)
class Past:
    """``last``: what was said of the item last. ``counts``: the review that counts, which a correction
    changes, whichever was the last: whoever goes back does not learn which of them was a blind repeat."""

    item: Item
    last: Stored
    counts: Stored

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in the order."""
        return microseconds(self.last.review.at), self.item.id


def page(
    connection: Connection,
    count: int,
    *,
    before: tuple[int, str] | None,
    chosen: Selection | None,
    without: Collection[str],
) -> list[Past]:
    """Pictures that are gone from the disk are left out."""
    last = (
        select(reviews.c.item, func.max(reviews.c.at_us).label("at_us")).group_by(reviews.c.item).subquery()
    )
    query = select(items).join(last, last.c.item == items.c.id).where(items.c.bytes > 0)
    if before is not None:
        at, id = before
        query = query.where(or_(last.c.at_us < at, and_(last.c.at_us == at, items.c.id > id)))
    if chosen:
        query = query.where(chosen.looked_at())
    if without:
        query = query.where(items.c.id.not_in(without))
    found = [
        item_of(row)
        for row in connection.execute(query.order_by(last.c.at_us.desc(), items.c.id).limit(count))
    ]
    return [_past(connection, item) for item in found]


def _past(connection: Connection, item: Item) -> Past:
    rows = connection.execute(select(reviews).where(reviews.c.item == item.id).order_by(reviews.c.id))
    looks = [stored_of(row) for row in rows]
    return Past(
        item,
        max(looks, key=lambda each: (each.review.at, each.id)),
        next(each for each in looks if each.repeat_of is None),
    )
