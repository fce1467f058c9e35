"""Where frames wait for people, and what people said of them: a folder with JPEG files and an SQLite
database.

::

    review.db           rows of items, reviews, periods and versions
    pictures/DAY/…      a file for each item
    versions/…          labelled sets as they were when somebody recorded them, in COCO

**Crashes.** A picture is on the disk before its row says so, and a row says that it is gone before it is.
So a crash leaves at worst a file without a row, which the next :meth:`Store.sweep` removes. Reviews are on
the disk when :meth:`Store.review` returns.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from vedette.errors import ReviewError
from vedette.quality.labels.coco import write_coco
from vedette.quality.labels.content import content_hash
from vedette.quality.labels.dataset import Dataset
from vedette.quality.review import history, pictures, revisions
from vedette.quality.review.agreement import Agreement, agreement
from vedette.quality.review.database import Database
from vedette.quality.review.encoding import item_of, item_row, microseconds, review_row, stored_of
from vedette.quality.review.frames import Encoded, Frame, StoreSettings, prepared
from vedette.quality.review.history import Past
from vedette.quality.review.queue import Look, in_turn, repeatable
from vedette.quality.review.room import Held, to_drop
from vedette.quality.review.rows import Ended, Item, Review, State, Stored, Task, Version
from vedette.quality.review.sampling import Period, Reason
from vedette.quality.review.schema import items, periods, reviews, versions
from vedette.quality.review.selection import Facets, Selection, facets
from vedette.quality.review.verdicts import review_problem

__all__ = ["Added", "Encoded", "Frame", "Store", "StoreSettings", "Swept"]

ORPHAN_AFTER_S = 3600.0
"""A file without a row may be one that another process is writing just now, but not for so long."""
HEADROOM = 0.02
"""Of the budget, freed beyond what one picture needs: not every one has to look for room."""
_SETTLED = (State.REVIEWED.value, State.DIFFICULT.value)


@dataclass(frozen=True, slots=True)
class Added:
    """``item``: None where there was no room, or no picture; of the uniform stream there is a row all the
    same. ``dropped``: ids of items whose picture had to go."""

    item: Item | None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    """``orphans``: files without a row, removed. ``missing``: items whose file is gone."""

    orphans: int
    missing: int


class Store:
    """An open store. May be used from several threads and processes. Every method raises ReviewError."""

    def __init__(self, folder: Path, settings: StoreSettings, *, readonly: bool) -> None:
        """Opens nothing; use :meth:`open`."""
        self.folder, self.settings = folder, settings
        self.pictures = folder / "pictures"
        self._database = Database(folder / "review.db", readonly=readonly)

    @classmethod
    def open(
        cls, folder: str | Path, settings: StoreSettings | None = None, *, readonly: bool = False
    ) -> Store:
        """Made where there is none, unless ``readonly``."""
        store = cls(Path(folder), settings or StoreSettings(), readonly=readonly)
        try:
            if not readonly:
                store.folder.mkdir(parents=True, exist_ok=True)
                # People are in them; nobody else on this machine needs to see that.
                store.pictures.mkdir(mode=0o700, exist_ok=True)
        except OSError as err:
            raise ReviewError(f"{folder}: cannot be made: {err.strerror or err}") from err
        with store._database.transaction():
            pass
        return store

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """It may be used again; it connects anew."""
        self._database.close()

    def sweep(self, now: float | None = None) -> Swept:
        """Bring files and rows together after a crash. To be called when a node starts. ``now``: Unix
        seconds."""
        now = time.time() if now is None else now
        with self._database.transaction() as connection:
            rows = connection.execute(select(items.c.id, items.c.file).where(items.c.bytes > 0)).all()
            missing = [row.id for row in rows if not (self.pictures / row.file).exists()]
            _gone(connection, missing)
        known = frozenset(row.file for row in rows)
        orphans = list(pictures.orphans(self.pictures, known, now - ORPHAN_AFTER_S))
        for name in orphans:
            pictures.remove(self.pictures, name)
        return Swept(len(orphans), len(missing))

    # ---- frames

    def add(self, frame: Frame | Encoded) -> Added:
        """Keep a frame. One that is there already is not added again. Of one whose picture was lost there is
        a row only in the uniform stream."""
        item, data = prepared(frame, self.settings)
        with self._database.transaction() as connection:
            there = connection.execute(select(items).where(items.c.id == item.id)).one_or_none()
            if there is not None:
                return Added(item_of(there))
            dropped = self._make_room(connection, item) if data else None
            if dropped is None and item.uniform:
                # Estimates must know that it was drawn.
                row = item_row(replace(item, state=State.DROPPED, bytes=0))
                connection.execute(insert(items).values(row))
        if dropped is None:
            return Added(None)
        for each in dropped:
            pictures.remove(self.pictures, each.file)
        pictures.write(self.pictures / item.file, data)
        try:
            with self._database.transaction() as connection:
                # Somebody else may have added the same meanwhile: the file is the same, too.
                connection.execute(upsert(items).values(item_row(item)).on_conflict_do_nothing())
        except ReviewError:
            pictures.remove(self.pictures, item.file)
            raise
        return Added(item, tuple(each.id for each in dropped))

    def _make_room(self, connection: Connection, item: Item) -> list[_File] | None:
        used = self._used(connection)
        excess = used + item.bytes - self.settings.budget
        if excess <= 0:
            return []
        rows = connection.execute(
            select(
                items.c.id, items.c.file, items.c.bytes, items.c.captured_us, items.c.reason, items.c.state
            ).where(items.c.bytes > 0)
        ).all()
        held = [
            Held(row.id, row.bytes, row.captured_us, row.reason is None, row.state in _SETTLED)
            for row in rows
        ]
        more = int(self.settings.budget * HEADROOM)
        for wanted in (excess + more, excess):
            chosen = to_drop(held, wanted, uniform=item.uniform, settled_too=self.settings.drop_reviewed)
            if chosen is not None:
                break
        if chosen is None:
            return None
        _gone(connection, [each.id for each in chosen])
        files = {row.id: row.file for row in rows}
        return [_File(each.id, files[each.id]) for each in chosen]

    def _used(self, connection: Connection) -> int:
        return int(connection.execute(select(func.coalesce(func.sum(items.c.bytes), 0))).scalar_one())

    def used(self) -> int:
        """Bytes of pictures."""
        with self._database.transaction() as connection:
            return self._used(connection)

    def item(self, id: str) -> Item:
        with self._database.transaction() as connection:
            row = connection.execute(select(items).where(items.c.id == id)).one_or_none()
        if row is None:
            raise ReviewError(f"{self.folder}: there is no item {id!r}")
        return item_of(row)

    def items(
        self,
        *,
        states: Collection[State] | None = None,
        camera: str | None = None,
        uniform: bool | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
    ) -> list[Item]:
        """Captured in [``since``, ``until``) Unix seconds, by the time of capture; the newest ``limit``."""
        query = select(items)
        if states is not None:
            query = query.where(items.c.state.in_([state.value for state in states]))
        if camera is not None:
            query = query.where(items.c.camera == camera)
        if uniform is not None:
            query = query.where(items.c.reason.is_(None) if uniform else items.c.reason.is_not(None))
        if since is not None:
            query = query.where(items.c.captured_us >= microseconds(since))
        if until is not None:
            query = query.where(items.c.captured_us < microseconds(until))
        return self._items(query.order_by(items.c.captured_us.desc(), items.c.id).limit(limit))[::-1]

    def _items(self, query: Select[Any]) -> list[Item]:
        with self._database.transaction() as connection:
            return [item_of(row) for row in connection.execute(query)]

    def picture(self, id: str) -> bytes:
        """The JPEG file of an item."""
        path = pictures.inside(self.pictures, self.item(id).file)
        try:
            return path.read_bytes()
        except OSError as err:
            raise ReviewError(f"{path}: cannot be read: {err.strerror or err}") from err

    def counts(self) -> dict[State, int]:
        """Items in each state."""
        with self._database.transaction() as connection:
            rows = connection.execute(select(items.c.state, func.count()).group_by(items.c.state)).all()
        return {State(state): count for state, count in rows}

    def facets(self) -> Facets:
        """What frames can be chosen by."""
        with self._database.transaction() as connection:
            return facets(connection)

    # ---- reviews

    def next(self, count: int, *, seed: int, chosen: Selection | None = None) -> list[Task]:
        """What to look at, blind repeats among it. ``seed``: the same for as long as the store lives.
        ``chosen``: only these; of the uniform stream none that were chosen by what is in them."""
        there = items.c.bytes > 0
        if chosen:
            there &= chosen.condition() & chosen.fair()
        waiting = select(items).where(there, items.c.state == State.WAITING.value).limit(count)
        pressing = case({reason.value: number for number, reason in enumerate(Reason)}, value=items.c.reason)
        with self._database.transaction() as connection:
            # In the orders in which they are shown: the limit must not choose others.
            uniform = self._items(waiting.where(items.c.reason.is_(None)).order_by(items.c.id))
            targeted = self._items(
                waiting.where(items.c.reason.is_not(None)).order_by(
                    pressing, items.c.captured_us.desc(), items.c.id
                )
            )
            done, repeats = self._repeats(connection, there, count, seed)
        return in_turn(uniform + targeted, repeats, done=done, count=count, seed=seed)

    def _repeats(
        self, connection: Connection, there: ColumnElement[bool], count: int, seed: int
    ) -> tuple[int, list[Task]]:
        """How many reviews there are, and what might be repeated next."""
        rows = connection.execute(
            select(reviews.c.id, reviews.c.item, reviews.c.repeat_of).order_by(reviews.c.id)
        )
        looks = [Look(row.id, row.item, row.repeat_of) for row in rows]
        reviewed = select(items.c.id).where(there, items.c.state == State.REVIEWED.value)
        shown = frozenset(connection.execute(reviewed).scalars())
        chosen = repeatable(shown, looks, seed=seed)[:count]
        return len(looks), [Task(self.item(each.item), each.id) for each in chosen]

    def review(self, id: str, review: Review, *, repeat_of: int | None = None) -> int:
        """Write down what somebody said of an item; of one that was reviewed before, it replaces that.

        ``repeat_of``: as the :class:`Task` has it; then it changes nothing about the item. Returns the
        review's id.
        """
        with self._database.transaction() as connection:
            item = self.item(id)
            if problem := review_problem(item, review):
                raise ReviewError(f"item {id}: {problem}")
            row = review_row(id, review, repeat_of)
            if repeat_of is not None:
                first = connection.execute(select(reviews.c.item).where(reviews.c.id == repeat_of)).scalar()
                if first != id:
                    raise ReviewError(f"item {id}: there is no review {repeat_of} of it to be repeated")
                return _inserted(connection, row)
            _leaves(connection, id, review.state)
            mine = (reviews.c.item == id) & reviews.c.repeat_of.is_(None)
            there = connection.execute(select(reviews.c.id).where(mine)).scalar()
            if there is not None:
                revisions.change(connection, revisions.current(connection, there, None), review)
                return int(there)
            return _inserted(connection, row)

    def revise(self, number: int, review: Review, *, revision: int) -> Stored:
        """Change a review, or a repeat, that is still at ``revision``. What it said is kept as an earlier
        revision. Raises ChangedMeanwhileError where somebody else changed it, ReviewError where it is not
        there any more."""
        with self._database.transaction() as connection:
            there = revisions.current(connection, number, revision)
            if problem := review_problem(self.item(there.item), review):
                raise ReviewError(f"item {there.item}: {problem}")
            revisions.change(connection, there, review)
            if there.repeat_of is None:
                _leaves(connection, there.item, review.state)
            return revisions.current(connection, number, None)

    def withdraw(self, review: int, *, revision: int | None = None, now: float | None = None) -> None:
        """Take a review back, and repeats of it; its item waits again. For undo. What they said is kept
        among the earlier revisions. Raises ChangedMeanwhileError where it is not at ``revision`` any more.
        ``now``: Unix seconds."""
        now = time.time() if now is None else now
        with self._database.transaction() as connection:
            there = revisions.current(connection, review, revision)
            repeats = connection.execute(select(reviews.c.id).where(reviews.c.repeat_of == review)).scalars()
            for each in (*repeats, review):
                revisions.keep(connection, each, now)
                connection.execute(reviews.delete().where(reviews.c.id == each))
            if there.repeat_of is None:
                gone = not self.item(there.item).bytes
                _leaves(connection, there.item, State.DROPPED if gone else State.WAITING)

    def revisions(self, id: str) -> list[Ended]:
        """What reviews of an item said before they were changed or taken back, in that order."""
        with self._database.transaction() as connection:
            return revisions.of_item(connection, id)

    def history(
        self,
        count: int,
        *,
        before: tuple[int, str] | None = None,
        chosen: Selection | None = None,
        without: Collection[str] = (),
    ) -> list[Past]:
        """The ``count`` items that were looked at last, the last one first. ``before``: only those after
        this :attr:`Past.place`. ``without``: ids of items."""
        with self._database.transaction() as connection:
            return history.page(connection, count, before=before, chosen=chosen, without=without)

    def reviews(self, *, repeats: bool = False) -> list[Stored]:
        """In the order they were made; with ``repeats`` those as well."""
        with self._database.transaction() as connection:
            found = self._reviews(connection)
        return [each for each in found if repeats or each.repeat_of is None]

    def looks(self, id: str) -> list[Stored]:
        """All reviews of an item: the one that counts, then repeats."""
        query = select(reviews).where(reviews.c.item == id).order_by(reviews.c.repeat_of.is_not(None))
        with self._database.transaction() as connection:
            return [stored_of(row) for row in connection.execute(query.order_by(reviews.c.id))]

    def stamp(self) -> tuple[int, int, int]:
        """Another one whenever a review was made, replaced or taken back: how many count, the newest, and
        when the last was made, µs since 1970."""
        query = select(
            func.count().filter(reviews.c.repeat_of.is_(None)),
            func.coalesce(func.max(reviews.c.id), 0),
            func.coalesce(func.max(reviews.c.at_us), 0),
        )
        with self._database.transaction() as connection:
            count, newest, at = connection.execute(query).one()
        return int(count), int(newest), int(at)

    def reviewed(self, camera: str | None = None, *, since: float | None = None) -> list[tuple[Item, Review]]:
        """Items with what counts of them: what :func:`~vedette.quality.review.convert.to_dataset` takes.
        ``since``: only what was said then or later, Unix seconds."""
        if since is not None:
            return [pair for pair in self._said_since(since) if camera in (None, pair[0].camera)]

        theirs = items.c.id.in_(select(reviews.c.item))
        mine = theirs if camera is None else theirs & (items.c.camera == camera)
        with self._database.transaction():
            said = {each.item: each.review for each in self.reviews()}
            found = self._items(select(items).where(mine).order_by(items.c.captured_us, items.c.id))
        return [(item, said[item.id]) for item in found]

    def _said_since(self, since: float) -> list[tuple[Item, Review]]:
        lately = (reviews.c.at_us >= microseconds(since)) & reviews.c.repeat_of.is_(None)
        with self._database.transaction() as connection:
            rows = connection.execute(select(reviews).where(lately)).all()
            said = {row.item: stored_of(row).review for row in rows}
            theirs = items.c.id.in_(select(reviews.c.item).where(lately))
            found = self._items(select(items).where(theirs).order_by(items.c.captured_us, items.c.id))
        return [(item, said[item.id]) for item in found]

    def agreement(self) -> Agreement:
        """Of first looks and blind repeats, as they were before anybody corrected them."""
        repeated = select(reviews.c.repeat_of).where(reviews.c.repeat_of.is_not(None))
        query = select(reviews).where(reviews.c.repeat_of.is_not(None) | reviews.c.id.in_(repeated))
        with self._database.transaction() as connection:
            found = [stored_of(row) for row in connection.execute(query)]
            said = {each.id: each.review for each in found}
            said |= revisions.first_said(connection, said)
        return agreement(
            (said[each.repeat_of], said[each.id]) for each in found if each.repeat_of is not None
        )

    def import_reviews(self, found: Iterable[tuple[Item, Review]]) -> int:
        """All, or none where one does not fit. Returns how many."""
        with self._database.transaction():
            return len([self.review(item.id, review) for item, review in found])

    def _reviews(self, connection: Connection) -> list[Stored]:
        return [stored_of(row) for row in connection.execute(select(reviews).order_by(reviews.c.id))]

    # ---- of how many frames the uniform stream is a part

    def add_periods(self, closed: Sequence[Period]) -> None:
        """Those that are there already, of before a restart or a minute ago, are added up."""
        rows = [
            {
                "camera": each.camera,
                "start_us": microseconds(each.start),
                "seconds": each.seconds,
                "frames": each.frames,
                "kept": each.kept,
                "expected": each.expected,
            }
            for each in closed
        ]
        new = upsert(periods)
        adds_up = {name: periods.c[name] + new.excluded[name] for name in ("frames", "kept", "expected")}
        add = new.on_conflict_do_update(index_elements=["camera", "start_us"], set_=adds_up)
        with self._database.transaction() as connection:
            if rows:
                connection.execute(add, rows)

    def periods(self, *, since: float, until: float, camera: str | None = None) -> list[Period]:
        """Those that begin in [``since``, ``until``) Unix seconds, by their start."""
        query = select(periods).where(
            periods.c.start_us >= microseconds(since), periods.c.start_us < microseconds(until)
        )
        if camera is not None:
            query = query.where(periods.c.camera == camera)
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(periods.c.start_us, periods.c.camera)).all()
        return [
            Period(row.camera, row.start_us / 1e6, row.seconds, row.frames, row.kept, row.expected)
            for row in rows
        ]

    # ---- versions

    def record(self, dataset: Dataset, name: str, now: float) -> Version:
        """Keep a labelled set as it is: a held-out set, say, that models are held to. One with the same
        content and name is there once. ``now``: Unix seconds. Raises LabelError as well."""
        version = Version(content_hash(dataset), name, now, len(dataset.pictures))
        path = self.version_file(version)
        if not path.exists():
            write_coco(dataset, path)
        with self._database.transaction() as connection:
            row = {
                "hash": version.hash,
                "name": name,
                "made_us": microseconds(now),
                "pictures": version.pictures,
            }
            connection.execute(upsert(versions).values(row).on_conflict_do_nothing())
        return next(each for each in self.versions() if (each.hash, each.name) == (version.hash, name))

    def versions(self) -> list[Version]:
        """Oldest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(select(versions).order_by(versions.c.made_us, versions.c.name)).all()
        return [Version(row.hash, row.name, row.made_us / 1e6, row.pictures) for row in rows]

    def version_file(self, version: Version) -> Path:
        """COCO; its pictures lie in :attr:`pictures`."""
        return self.folder / "versions" / f"{version.hash}.json"


@dataclass(frozen=True, slots=True)
class _File:
    id: str
    file: str


def _inserted(connection: Connection, row: dict[str, Any]) -> int:
    """The id of a new review."""
    return int(connection.execute(insert(reviews).values(row).returning(reviews.c.id)).scalar_one())


def _leaves(connection: Connection, id: str, state: State) -> None:
    connection.execute(update(items).where(items.c.id == id).values(state=state.value))


def _gone(connection: Connection, ids: Sequence[str]) -> None:
    """The pictures of these are no longer there. What nobody has looked at nobody can look at any more."""
    for id in ids:
        connection.execute(update(items).where(items.c.id == id).values(bytes=0))
        lost = (items.c.id == id) & items.c.state.in_([State.WAITING.value, State.SKIPPED.value])
        connection.execute(update(items).where(lost).values(state=State.DROPPED.value))
