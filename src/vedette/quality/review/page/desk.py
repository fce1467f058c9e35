"""Hands frames to those who look, no frame to two at once, and writes down what they say."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from vedette.errors import ReviewError
from vedette.quality.review.encoding import microseconds
from vedette.quality.review.history import Past
from vedette.quality.review.revisions import ChangedMeanwhileError
from vedette.quality.review.rows import Item, Review, State, Stored
from vedette.quality.review.selection import Selection
from vedette.quality.review.store import Store

__all__ = ["Changes", "Desk", "Saved", "Stores", "seed_of"]

Stores = Callable[[], Store]
"""Where the store is got from, whenever one is needed."""

Changes = tuple[int, int]
"""The id of a review, and the revision of it that somebody has read."""

HELD_S = 180.0
"""So long is a frame kept for a tab that says nothing; an open page says something each minute."""
TABS_AT_MOST = 200
_REMARK = "Others looked at this picture meanwhile, twice. What you said of it was not needed."


@dataclass(frozen=True, slots=True)
class Saved:
    """``review``: its id; None where it was not written down, and ``remark`` says why, or ``theirs``: what
    somebody else has said meanwhile. ``at``: as :attr:`Past.place` has it."""

    review: int | None
    revision: int = 1
    at: int = 0
    remark: str = ""
    theirs: Stored | None = None


@dataclass(slots=True)
class _Tab:
    heard: float
    held: dict[str, Item] = field(default_factory=dict)
    """Not reviewed yet, in the order they were handed out."""
    saved: dict[str, Changes] = field(default_factory=dict)
    """Reviews by item, since it was last handed out: the page may not have heard that it was saved."""


class Desk:
    """For several threads. Every method raises ReviewError. ``clock``: seconds, never set back."""

    def __init__(self, stores: Stores, clock: Callable[[], float] = time.monotonic) -> None:
        self._stores, self._clock = stores, clock
        self._guard = threading.Lock()
        self._tabs: dict[str, _Tab] = {}

    @property
    def store(self) -> Store:
        return self._stores()

    def tasks(
        self, tab: str, known: Collection[str], want: int, chosen: Selection | None = None
    ) -> list[Item]:
        """``want`` frames that the tab does not show yet, fewer where there are no more. ``known``: ids of
        those that it shows and that are not reviewed. What it was given before a reload comes first, if it
        is among the ``chosen``; of the others it lets go."""
        chosen = chosen or Selection()
        with self._guard:
            mine = self._heard(tab)
            self._hold_again(mine, known)
            mine.held = {id: item for id, item in mine.held.items() if id in known or chosen.holds(item)}
            found = [item for id, item in mine.held.items() if id not in known][:want]
            if len(found) < want:
                found += self._more(mine, want - len(found), chosen)
            return found

    def _heard(self, tab: str) -> _Tab:
        now = self._clock()
        gone = [name for name, each in self._tabs.items() if now - each.heard > HELD_S and name != tab]
        for name in gone:
            del self._tabs[name]
        if tab not in self._tabs and len(self._tabs) >= TABS_AT_MOST:
            raise ReviewError(f"{TABS_AT_MOST} pages are open already")
        mine = self._tabs.setdefault(tab, _Tab(now))
        mine.heard = now
        return mine

    def _hold_again(self, mine: _Tab, known: Collection[str]) -> None:
        """What it shows is its own also where this process did not hand it out."""
        elsewhere = {id for each in self._tabs.values() if each is not mine for id in each.held}
        for id in known:
            if id not in mine.held and id not in elsewhere:
                mine.held[id] = self.store.item(id)

    def _more(self, mine: _Tab, want: int, chosen: Selection) -> list[Item]:
        taken = {id for each in self._tabs.values() for id in each.held}
        store = self.store
        found: dict[str, Item] = {}
        for task in store.next(len(taken) + want, seed=seed_of(store.folder), chosen=chosen):
            if task.item.id not in taken and len(found) < want:
                found[task.item.id] = task.item
        for id, item in found.items():
            mine.held[id] = item
            mine.saved.pop(id, None)
        return list(found.values())

    def elsewhere(self, tab: str) -> int:
        """Frames that are open in other tabs."""
        with self._guard:
            self._heard(tab)
            return sum(len(each.held) for name, each in self._tabs.items() if name != tab)

    def history(
        self,
        tab: str,
        known: Collection[str],
        count: int,
        *,
        before: tuple[int, str] | None = None,
        chosen: Selection | None = None,
    ) -> list[Past]:
        """What was looked at before, the last first. Without the ``known``, and what is open anywhere: that
        it is there would tell a blind repeat."""
        with self._guard:
            self._heard(tab)
            open_ones = {id for each in self._tabs.values() for id in each.held}
            return self.store.history(count, before=before, chosen=chosen, without={*known, *open_ones})

    def save(self, tab: str, id: str, review: Review, changes: Changes | None = None) -> Saved:
        """Write down a look at item ``id``. ``changes``: the review that this one replaces, unless somebody
        else has changed it since.

        A second look at what was reviewed is a repeat, whether it was asked for or two people had the same
        frame open. The same look again, because its answer was lost on the way, is one look.
        """
        with self._guard:
            mine = self._heard(tab)
            saved = _written(self.store, id, review, mine.saved.get(id) if changes is None else changes)
            if saved.theirs is None:
                mine.held.pop(id, None)
            if saved.review is not None:
                mine.saved[id] = (saved.review, saved.revision)
            return saved

    def withdraw(self, tab: str, id: str, changes: Changes) -> None:
        """Take back a review of item ``id``; the tab has the frame open again. Raises ReviewError as well
        where somebody else has changed it."""
        review, revision = changes
        with self._guard:
            mine = self._heard(tab)
            store = self.store
            if any(each.id == review for each in store.looks(id)):
                store.withdraw(review, revision=revision)
            mine.held[id] = store.item(id)
            mine.saved.pop(id, None)

    def picture(self, id: str) -> bytes:
        """The JPEG file. One that is gone from the disk is not handed out again."""
        store = self.store
        item = store.item(id)
        try:
            return store.picture(id)
        except ReviewError:
            if item.bytes and not (store.pictures / item.file).exists():
                store.sweep()
            raise


def _written(store: Store, id: str, review: Review, changes: Changes | None) -> Saved:
    looks = store.looks(id)
    changed = next((each for each in looks if changes is not None and each.id == changes[0]), None)
    if changes is not None and changed is not None:
        return _changed(store, changed, review, changes[1])
    again = next((each for each in looks if _same(each.review, review)), None)
    if again is not None:
        return _saved(again)
    first = looks[0] if looks else None
    if first is not None and first.review.state is not State.REVIEWED:
        return _saved(store.revise(first.id, review, revision=first.revision))
    if len(looks) > 1:
        return Saved(None, remark=_REMARK)
    made = store.review(id, review, repeat_of=None if first is None else first.id)
    return _saved(Stored(made, id, review))


def _changed(store: Store, old: Stored, review: Review, revision: int) -> Saved:
    if _same(old.review, review):
        return _saved(old)
    try:
        return _saved(store.revise(old.id, review, revision=revision))
    except ChangedMeanwhileError as err:
        return Saved(None, theirs=err.now)


def _saved(stored: Stored) -> Saved:
    return Saved(stored.id, stored.revision, microseconds(stored.review.at))


def _same(one: Review, other: Review) -> bool:
    """The milliseconds that it took tell two looks apart that say the same."""
    return replace(one, at=0.0) == replace(other, at=0.0)


def seed_of(folder: Path) -> int:
    """The store's own, from its file ``seed``, which is made where there is none. Raises ReviewError."""
    path = folder / "seed"
    try:
        if not path.exists():
            new = folder / f".seed.{secrets.token_hex(4)}"
            new.write_text(f"{secrets.randbits(63)}\n")
            try:
                os.link(new, path)  # whole, and not over one that somebody else made just now
            except FileExistsError:
                pass
            finally:
                new.unlink()
        return int(path.read_text())
    except (OSError, ValueError) as err:
        raise ReviewError(f"{path}: cannot be read or made: {err}") from err
