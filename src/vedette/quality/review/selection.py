"""A choice among the frames of a review store: by camera, reason, class and model."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, false, func, or_, select, true

from vedette.quality.review.rows import Item
from vedette.quality.review.schema import items, reviews

__all__ = ["UNIFORM", "Facets", "Selection", "facets"]

UNIFORM = "uniform"
"""Among the reasons: none but chance."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is empty chooses nothing away; of several values one must fit. ``reasons``: of targeted streams,
    or :data:`UNIFORM`. ``classes``: of which the detector found something, with ``score_from`` or more.
    ``models``: hashes, or how they begin."""

    cameras: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    score_from: float = 0.0

    def __bool__(self) -> bool:
        return any((self.cameras, self.reasons, self.classes, self.models))

    def holds(self, item: Item) -> bool:
        """Whether it may be handed out: as :meth:`condition` and :meth:`fair` say it to the database."""
        reason = UNIFORM if item.reason is None else item.reason.value
        return (
            (not self.cameras or item.camera in self.cameras)
            and (not self.reasons or reason in self.reasons)
            and (not self.models or item.model.startswith(self.models))
            and (not self.classes or (item.reason is not None and self._found_in(item)))
        )

    def _found_in(self, item: Item) -> bool:
        return any(each.label in self.classes and each.score >= self.score_from for each in item.predictions)

    def condition(self) -> ColumnElement[bool]:
        return self._about() & (self._found() if self.classes else true())

    def fair(self) -> ColumnElement[bool]:
        """Frames that stand for others by chance must not be shown because of what is in them: recall
        would be that of frames in which something was found."""
        return items.c.reason.is_not(None) if self.classes else true()

    def looked_at(self) -> ColumnElement[bool]:
        """For frames that were reviewed: a class may also be what people said is there."""
        return self._about() & (or_(self._found(), self._said()) if self.classes else true())

    def _about(self) -> ColumnElement[bool]:
        chosen: ColumnElement[bool] = true()
        if self.cameras:
            chosen &= items.c.camera.in_(self.cameras)
        if self.reasons:
            named = items.c.reason.in_(self.reasons)
            chosen &= or_(named, items.c.reason.is_(None) if UNIFORM in self.reasons else false())
        if self.models:
            chosen &= or_(*(items.c.model.startswith(each, autoescape=True) for each in self.models))
        return chosen

    def _found(self) -> ColumnElement[bool]:
        box = func.json_each(items.c.predictions).table_valued("value")
        score, label = func.json_extract(box.c.value, "$[4]"), func.json_extract(box.c.value, "$[5]")
        return exists(select(1).select_from(box).where(label.in_(self.classes), score >= self.score_from))

    def _said(self) -> ColumnElement[bool]:
        box = func.json_each(reviews.c.boxes).table_valued("value", joins_implicitly=True)
        label = func.json_extract(box.c.value, "$.label")
        said = select(1).select_from(reviews, box).where(reviews.c.item == items.c.id)
        return exists(said.where(label.in_(self.classes)))


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from. ``models``: the newest first."""

    cameras: list[str]
    reasons: list[str]
    models: list[str]


def facets(connection: Connection) -> Facets:
    newest = func.max(items.c.captured_us).desc()
    models = select(items.c.model).group_by(items.c.model).order_by(newest)
    reasons = select(items.c.reason).where(items.c.reason.is_not(None)).distinct().order_by(items.c.reason)
    return Facets(
        list(connection.execute(select(items.c.camera).distinct().order_by(items.c.camera)).scalars()),
        [reason for reason in connection.execute(reasons).scalars() if reason],
        list(connection.execute(models).scalars()),
    )
