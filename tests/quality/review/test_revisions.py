"""What people change and take back stays: earlier revisions, an older store, and the way back through all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from review_frames import START, accepted, frame, rejected
from vedette.errors import ReviewError
from vedette.quality.review import pictures
from vedette.quality.review.revisions import ChangedMeanwhileError
from vedette.quality.review.rows import Item, State
from vedette.quality.review.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "review") as opened:
        yield opened


def added(store: Store, number: int = 0) -> Item:
    item = store.add(frame(number)).item
    assert item is not None
    return item


def test_a_correction_is_a_new_revision_and_the_old_one_stays(store: Store) -> None:
    item = added(store)
    number = store.review(item.id, accepted(item))
    now = store.revise(number, rejected(item, at=START + 9), revision=1)
    assert (now.id, now.revision, now.review) == (number, 2, rejected(item, at=START + 9))
    [ended] = store.revisions(item.id)
    assert (ended.stored.id, ended.stored.revision, ended.at) == (number, 1, START + 9)
    assert ended.stored.review == accepted(item)
    store.review(item.id, accepted(item, reviewer="bob"))  # as imports do
    assert [each.stored.revision for each in store.revisions(item.id)] == [1, 2]
    assert [each.revision for each in store.reviews()] == [3]


def test_nobody_changes_what_they_have_not_read(store: Store) -> None:
    item = added(store)
    number = store.review(item.id, accepted(item))
    store.revise(number, rejected(item, reviewer="grace"), revision=1)
    for change in (
        lambda: store.revise(number, accepted(item), revision=1),
        lambda: store.withdraw(number, revision=1),
    ):
        with pytest.raises(ChangedMeanwhileError, match="by grace") as caught:
            change()
        assert caught.value.now.review.reviewer == "grace"
    assert store.reviews()[0].review.reviewer == "grace"


def test_what_is_taken_back_stays_with_its_repeats(store: Store) -> None:
    item = added(store)
    first = store.review(item.id, accepted(item))
    again = store.review(item.id, rejected(item), repeat_of=first)
    store.withdraw(first, now=START + 50)
    assert store.item(item.id).state is State.WAITING
    assert [(each.stored.id, each.at) for each in store.revisions(item.id)] == [
        (again, START + 50),
        (first, START + 50),
    ]


def test_a_review_that_cannot_be_is_not_written_as_a_revision(store: Store) -> None:
    item = added(store)
    number = store.review(item.id, accepted(item))
    with pytest.raises(ReviewError, match="verdicts"):
        store.revise(number, accepted(item, verdicts=()), revision=1)
    assert store.revisions(item.id) == []


def test_agreement_is_of_what_was_said_blindly(store: Store) -> None:
    item = added(store)
    first = store.review(item.id, accepted(item))
    store.review(item.id, rejected(item), repeat_of=first)
    before = store.agreement()
    store.revise(first, rejected(item), revision=1)
    assert store.agreement() == before
    assert before.f1 == 0.0


def test_history_goes_back_through_everything_the_last_first(store: Store) -> None:
    items = [added(store, number) for number in range(7)]
    for number, item in enumerate(items[:6]):
        store.review(item.id, accepted(item, at=START + number // 2))  # two at a time
    found: list[str] = []
    before = None
    while page := store.history(2, before=before):
        found += [each.item.id for each in page]
        before = page[-1].place
    assert sorted(found) == sorted(item.id for item in items[:6])
    assert {*found[:2]} == {items[4].id, items[5].id}
    assert [each.item.id for each in store.history(9, without=found[:5])] == found[5:]


def test_history_shows_what_was_said_last_and_changes_what_counts(store: Store) -> None:
    item = added(store)
    first = store.review(item.id, accepted(item, at=START))
    again = store.review(item.id, rejected(item, at=START + 5), repeat_of=first)
    [past] = store.history(5)
    assert (past.last.id, past.counts.id, past.place) == (again, first, (int((START + 5) * 1e6), item.id))


def test_an_older_store_is_brought_up_to_date_with_its_reviews(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        item = added(store)
        number = store.review(item.id, accepted(item))
    with closing(sqlite3.connect(tmp_path / "review.db")) as old:
        old.execute("DROP TABLE revisions")
        old.execute("ALTER TABLE reviews DROP COLUMN revision")
        old.execute("PRAGMA user_version = 1")
        old.commit()
    with pytest.raises(ReviewError, match=r"older Vedette; `vedette review .*` brings it up to date"):
        Store.open(tmp_path, readonly=True)
    with Store.open(tmp_path) as store:
        assert store.revise(number, rejected(item), revision=1).revision == 2
        assert len(store.revisions(item.id)) == 1
    with Store.open(tmp_path, readonly=True) as store:
        assert store.reviews()[0].review == rejected(item)


@pytest.mark.parametrize("file", ["../outside.jpg", "/etc/hostname", "day/link.jpg", "a\0b"])
def test_nothing_outside_of_the_folder_is_read_or_removed(store: Store, tmp_path: Path, file: str) -> None:
    """Somebody else may have made the store."""
    item = added(store)
    outside = tmp_path / "review" / "outside.jpg"
    outside.write_bytes(b"secret")
    (store.pictures / "day").mkdir()
    (store.pictures / "day" / "link.jpg").symlink_to(outside)
    with closing(sqlite3.connect(store.folder / "review.db")) as database:
        database.execute("UPDATE items SET file = ?", (file,))
        database.commit()
    with pytest.raises(ReviewError, match="does not lie in it"):
        store.picture(item.id)
    pictures.remove(store.pictures, file)
    assert outside.read_bytes() == b"secret"
