"""What reviews said before they were changed or taken back: kept beside them, and never changed itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, insert, literal, select, update

from vedette.errors import ReviewError
from vedette.quality.review.encoding import microseconds, review_row, stored_of
from vedette.quality.review.rows import Ended, Review, State, Stored
from vedette.quality.review.schema import reviews, revisions

__all__ = ["ChangedMeanwhileError", "change", "current", "first_said", "keep", "of_item"]

_KEPT = ("item", "repeat_of", "state", "boxes", "verdicts", "looked_for", "reviewer", "seconds", "at_us")

_THEN: Select[Any] = select(
    revisions.c.review.label("id"),
    revisions.c.revision,
    *(revisions.c[name] for name in _KEPT),
    revisions.c.ended_us,
)
"""As rows of reviews."""


class ChangedMeanwhileError(ReviewError):
    """``now``: what the review says; somebody changed it after whoever wants to change it had read it."""

    def __init__(self, now: Stored) -> None:
        super().__init__(f"review {now.id} was changed meanwhile, by {now.review.reviewer or 'somebody'}")
        self.now = now


def current(connection: Connection, review: int, revision: int | None) -> Stored:
    """The review. Raises ReviewError where there is none, ChangedMeanwhileError where it is not at
    ``revision``, if that is given."""
    row = connection.execute(select(reviews).where(reviews.c.id == review)).one_or_none()
    if row is None:
        raise ReviewError(f"there is no review {review}")
    found = stored_of(row)
    if revision not in (None, found.revision):
        raise ChangedMeanwhileError(found)
    return found


def keep(connection: Connection, review: int, ended_at: float) -> None:
    """Keep what a review says, before it says something else or is taken back."""
    said = select(
        reviews.c.id,
        reviews.c.revision,
        *(reviews.c[name] for name in _KEPT),
        literal(microseconds(ended_at)),
    ).where(reviews.c.id == review)
    connection.execute(insert(revisions).from_select(["review", "revision", *_KEPT, "ended_us"], said))


def change(connection: Connection, there: Stored, review: Review) -> None:
    """Under its id: repeats of it stay repeats."""
    keep(connection, there.id, review.at)
    row = review_row(there.item, review, there.repeat_of) | {"revision": there.revision + 1}
    connection.execute(update(reviews).where(reviews.c.id == there.id).values(row))


def of_item(connection: Connection, item: str) -> list[Ended]:
    """Of all its reviews, in the order in which they ended."""
    rows = connection.execute(_THEN.where(revisions.c.item == item).order_by(revisions.c.id))
    return [Ended(stored_of(row), row.ended_us / 1e6) for row in rows]


def first_said(connection: Connection, ids: Collection[int]) -> dict[int, Review]:
    """What these reviews said when they first said something of the picture; only of those that said
    something else later."""
    query = _THEN.where(revisions.c.review.in_(ids), revisions.c.state == State.REVIEWED.value)
    rows = connection.execute(query.order_by(revisions.c.revision.desc()))
    return {row.id: stored_of(row).review for row in rows}
