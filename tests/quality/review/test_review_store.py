"""The review store on a real disk, with a real database: what is kept, what goes, what a crash leaves."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import review_lives
from review_frames import DAY_S, START, accepted, frame, noise, rejected
from vedette.errors import ReviewError
from vedette.quality.labels.dataset import Box
from vedette.quality.labels.formats import read
from vedette.quality.review.convert import to_dataset
from vedette.quality.review.frames import StoreSettings
from vedette.quality.review.room import Held, to_drop
from vedette.quality.review.rows import Final, Item, Prediction, State, Verdict
from vedette.quality.review.sampling import Period, Reason
from vedette.quality.review.store import Store


def opened(folder: Path, **changed: Any) -> Store:
    return Store.open(folder / "review", StoreSettings(**changed))


def added(store: Store, number: int = 0, reason: Reason | None = None, **changed: Any) -> Item:
    item = store.add(frame(number, reason, **changed)).item
    assert item is not None
    return item


def files(store: Store) -> set[str]:
    return {
        path.relative_to(store.pictures).as_posix() for path in store.pictures.rglob("*") if path.is_file()
    }


# ---- frames


def test_a_frame_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(
        store,
        predictions=(
            Prediction((1.0, 2.0, 3.5, 4.25), "мёд / 🐝", 0.5, 7),
            Prediction((0, 0, 1, 1), "x", 0.04),
        ),
    )
    store.close()
    again = opened(tmp_path)
    assert again.item(item.id) == item == again.items()[0]
    assert item.predictions == (Prediction((1.0, 2.0, 3.5, 4.25), "мёд / 🐝", 0.5, 7),), "0.04 is too weak"
    assert (item.camera, item.captured_at, item.light, item.model) == ("gate", START, "day", "m1")
    assert (item.probability, item.reason, item.state) == (0.25, None, State.WAITING)
    data = again.picture(item.id)
    assert sha256(data).hexdigest() == item.sha256
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (item.width, item.height) == (64, 48)


def test_the_same_frame_is_not_there_twice(tmp_path: Path) -> None:
    store = opened(tmp_path)
    first, again = store.add(frame()), store.add(frame())
    assert first == again
    assert len(store.items()) == len(files(store)) == 1
    other = added(store, model="m2")
    assert first.item is not None
    assert other.id != first.item.id, "another model said something else of it"
    assert len(store.items()) == 2


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"probability": None}, r"needs a probability in \(0, 1\], not None"),
        ({"probability": 1.5}, "needs a probability"),
        ({"camera": ""}, "without a camera"),
        ({"captured_at": float("nan")}, "cannot be captured at nan"),
        (
            {"picture": np.zeros((4, 4), np.uint8)},
            r"a picture is uint8 \[height, width, 3\], not uint8 \[4, 4\]",
        ),
        ({"picture": np.zeros((4, 4, 3), np.float32)}, "not float32"),
        ({"predictions": (Prediction((3, 0, 1, 1), "x", 0.5),)}, "its width or height is negative"),
        ({"predictions": (Prediction((0, 0, 1, 1), "x", float("nan")),)}, "a score is nan"),
    ],
)
def test_frames_that_make_no_sense_are_refused(changed: dict[str, Any], says: str, tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(ReviewError, match=says):
        store.add(frame(**changed))
    assert store.items() == []
    assert files(store) == set()


def test_names_of_cameras_cannot_leave_the_folder(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store, camera="../../yard/ü")
    assert item.camera == "../../yard/ü"
    assert (store.pictures / item.file).resolve().is_relative_to(store.pictures.resolve())


def test_items_are_found_by_what_they_are(tmp_path: Path) -> None:
    store = opened(tmp_path)
    one = added(store, 1)
    two = added(store, 2, Reason.SUSPECTED_LOSS)
    three = added(store, 3, camera="yard")
    assert store.items() == [one, two, three]
    assert store.items(limit=2) == [two, three]
    assert store.items(camera="yard") == [three]
    assert store.items(uniform=False) == [two]
    assert store.items(uniform=True, until=START + 3) == [one]
    assert store.items(since=START + 2, states=[State.WAITING]) == [two, three]
    assert store.items(states=[]) == []
    assert store.counts() == {State.WAITING: 3}
    assert store.used() == one.bytes + two.bytes + three.bytes


# ---- what people must not see


def test_faces_are_gone_before_anything_is_written(tmp_path: Path) -> None:
    store = opened(tmp_path, redact=("face",), quality=95)
    face = Prediction((10.0, 10.0, 34.0, 34.0), "face", 0.01)
    item = added(store, predictions=(face,), redact=((44.0, 30.0, 60.0, 40.0),))
    with Image.open(io.BytesIO(store.picture(item.id))) as picture:
        kept = np.asarray(picture).astype(int)
    inside = kept[12:32, 12:32]
    assert len({tuple(each) for each in inside[::7, ::7].reshape(-1, 3).tolist()}) <= 9
    raw = noise().astype(int)
    assert abs(inside - raw[12:32, 12:32]).mean() > 40, "nothing of it is left"
    assert abs(kept[31:39, 45:59] - raw[31:39, 45:59]).mean() > 40
    assert np.abs(kept[:8, :8].mean((0, 1)) - raw[:8, :8].mean((0, 1))).max() < 12, (
        "elsewhere it is as it was"
    )
    assert item.predictions == (), "what is too weak to store is not too weak to hide"


# ---- room


def test_targeted_frames_nobody_looked_at_go_first_and_the_oldest_of_them(tmp_path: Path) -> None:
    store = opened(tmp_path)
    sizes = added(store, 0, Reason.WEAK_BOXES).bytes
    store.close()
    store = opened(tmp_path, budget=int(sizes * 4.5))
    uniform = added(store, 1)
    seen = added(store, 2, Reason.WEAK_BOXES)
    store.review(seen.id, accepted(seen))
    kept = added(store, 3, Reason.WEAK_BOXES)
    last = store.add(frame(4, Reason.WEAK_BOXES))
    assert [store.item(id).captured_at for id in last.dropped] == [START]
    assert store.item(last.dropped[0]).state is State.DROPPED
    assert last.item is not None
    assert files(store) == {each.file for each in (uniform, seen, kept, last.item)}
    assert store.used() <= store.settings.budget


def test_the_uniform_stream_makes_room_for_itself_only(tmp_path: Path) -> None:
    size = added(opened(tmp_path / "a"), 0).bytes
    store = opened(tmp_path, budget=int(size * 2.5))
    first, second = added(store, 1), added(store, 2)
    refused = store.add(frame(3, Reason.SUSPECTED_LOSS))
    assert refused.item is None
    assert refused.dropped == ()
    assert store.add(frame(4)).dropped == (first.id,)
    assert store.item(second.id).bytes > 0
    assert store.item(first.id).probability == 0.25, "estimates still know that it was drawn"


def test_reviewed_pictures_stay_unless_told_otherwise(tmp_path: Path) -> None:
    size = added(opened(tmp_path / "a"), 0).bytes
    store = opened(tmp_path, budget=int(size * 1.5))
    item = added(store, 1)
    store.review(item.id, accepted(item))
    assert store.add(frame(2)).item is None
    assert store.add(frame(3, Reason.WEAK_BOXES)).item is None
    assert store.counts() == {State.REVIEWED: 1, State.DROPPED: 1}, "the uniform one was drawn all the same"
    told = opened(tmp_path, budget=int(size * 1.5), drop_reviewed=True)
    assert told.add(frame(4)).dropped == (item.id,)
    assert told.item(item.id).state is State.REVIEWED, "what was said of it stays"
    assert told.reviewed()[0][1] == accepted(item)
    with pytest.raises(ReviewError, match="cannot be read"):
        told.picture(item.id)


held = st.builds(
    Held,
    st.uuids().map(str),
    st.integers(1, 100),
    st.integers(0, 50),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=200)
@given(
    there=st.lists(held, max_size=20, unique_by=lambda each: each.id),
    excess=st.integers(1, 500),
    uniform=st.booleans(),
    settled_too=st.booleans(),
)
def test_no_more_goes_than_must(there: list[Held], excess: int, uniform: bool, settled_too: bool) -> None:
    chosen = to_drop(there, excess, uniform=uniform, settled_too=settled_too)
    may = [
        each
        for each in there
        if (each.settled and settled_too) or (not each.settled and (uniform or not each.uniform))
    ]
    if chosen is None:
        assert sum(each.bytes for each in may) < excess
        return
    assert set(chosen) <= set(may)
    assert sum(each.bytes for each in chosen) >= excess > sum(each.bytes for each in chosen[:-1])
    for stays in set(may) - set(chosen):
        assert all(
            (goes.settled, goes.uniform, goes.captured_us)
            <= (stays.settled, stays.uniform, stays.captured_us)
            for goes in chosen
        )


# ---- crashes


def test_orphans_are_swept_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    folder = (store.pictures / item.file).parent
    old, fresh, torn = folder / "old.jpg", folder / "fresh.jpg", folder / f"x.jpg.77{'.tmp'}"
    now = (store.pictures / item.file).stat().st_mtime
    for path in (old, fresh, torn):
        path.write_bytes(b"x")
    for path in (old, torn):
        os.utime(path, (now - 7200, now - 7200))
    assert store.sweep(now + 1).orphans == 2
    assert files(store) == {item.file, fresh.relative_to(store.pictures).as_posix()}


def test_items_whose_picture_is_lost_do_not_wait_any_more(tmp_path: Path) -> None:
    store = opened(tmp_path)
    lost, reviewed = added(store, 1), added(store, 2)
    store.review(reviewed.id, accepted(reviewed))
    for item in (lost, reviewed):
        (store.pictures / item.file).unlink()
    assert store.sweep().missing == 2
    assert store.sweep().missing == 0
    assert store.item(lost.id).state is State.DROPPED
    assert store.item(reviewed.id).state is State.REVIEWED
    assert store.next(5, seed=1) == []
    assert to_dataset(store.reviewed(), ("person", "car")).pictures == ()


def test_a_disk_that_takes_no_picture_leaves_no_row(tmp_path: Path) -> None:
    store = opened(tmp_path)
    (store.pictures / "2023-11-14").write_text("in the way")
    with pytest.raises(ReviewError, match=r"2023-11-14/gate_221320_\w+.jpg: cannot be written"):
        store.add(frame())
    assert store.items() == []
    (store.pictures / "2023-11-14").unlink()
    assert added(store) == store.items()[0]


def test_a_store_survives_being_killed_over_and_over(tmp_path: Path) -> None:
    folder = tmp_path / "review"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, review_lives.__file__, str(folder), "25", "1914"],
        capture_output=True,
        check=True,
        env=environment,
    )
    said = json.loads(ran.stdout)
    with Store.open(folder, StoreSettings(budget=review_lives.BUDGET)) as store:
        assert store.sweep(START * 2).missing == 0
        rows = {item.id: item for item in store.items()}
        assert files(store) == {item.file for item in rows.values() if item.bytes}
        for item in rows.values():
            if item.bytes:
                assert sha256(store.picture(item.id)).hexdigest() == item.sha256
        assert [each for each in said if "broken" in each] == []
        assert {each["added"] for each in said if each.get("added")} <= rows.keys()
        reviewed = {each.item: each.id for each in store.reviews()}
        for id, review in (each["reviewed"] for each in said if "reviewed" in each):
            assert reviewed[id] == review
            assert rows[id].state is State.REVIEWED
            assert rows[id].bytes, "reviewed pictures stay"
        assert store.used() <= review_lives.BUDGET
    assert len(said) > 50
    assert any(item.state is State.DROPPED for item in rows.values())


def test_several_threads_and_processes_may_write(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    threads = [
        threading.Thread(target=lambda store=store, start=start: [added(store, start + n) for n in range(12)])
        for start, store in ((0, first), (6, second), (100, first))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(first.items()) == len(second.items()) == len(files(first)) == 30


# ---- the file


def test_other_databases_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "review"
    folder.mkdir()
    with sqlite3.connect(folder / "review.db") as other:
        other.execute("CREATE TABLE gaps (id)")
    with pytest.raises(ReviewError, match=r"review.db: is not a review store"):
        opened(tmp_path)
    (folder / "review.db").write_bytes(b"something else" * 100)
    with pytest.raises(ReviewError, match=r"is not a review store \(not an SQLite database\)"):
        opened(tmp_path)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "review/review.db") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ReviewError, match=r"made by a newer Vedette \(version 99"):
        opened(tmp_path)


def test_readers_create_nothing_and_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="cannot be opened"):
        Store.open(tmp_path / "review", readonly=True)
    assert not (tmp_path / "review").exists()
    store = opened(tmp_path)
    item = added(store)
    reader = Store.open(tmp_path / "review", readonly=True)
    assert reader.items() == [item]
    with pytest.raises(ReviewError, match="is not writable"):
        reader.review(item.id, accepted(item))
    assert store.item(item.id).state is State.WAITING


def test_an_error_does_not_end_the_store(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    blocker = sqlite3.connect(tmp_path / "review/review.db", isolation_level=None)
    store._database.close()
    blocker.execute("DROP TABLE versions")
    with pytest.raises(ReviewError, match="no such table"):
        store.versions()
    assert store.items() == [item]


# ---- reviews


def test_a_review_comes_back_as_it_was_said(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    box = Box((1.0, 2.0, 3.0, 4.5), "car", crowd=True, difficult=True, track_id=5, attributes={"a": [1]})
    review = accepted(
        item,
        boxes=(Final(Box((5.0, 4.0, 24.0, 40.0), "person"), 0), Final(box)),
        verdicts=(Verdict.CORRECTED, None),
    )
    number = store.review(item.id, review)
    (stored,) = opened(tmp_path).reviews()
    assert (stored.id, stored.item, stored.review, stored.repeat_of) == (number, item.id, review, None)
    assert store.item(item.id).state is State.REVIEWED
    assert store.reviewed() == [(store.item(item.id), review)]


def test_a_second_review_replaces_the_first(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    assert store.review(item.id, accepted(item)) == store.review(item.id, rejected(item, reviewer="bob"))
    assert [each.review.reviewer for each in store.reviews()] == ["bob"]
    store.review(item.id, accepted(item, state=State.DIFFICULT))
    assert store.item(item.id).state is State.DIFFICULT


def test_a_repeat_changes_nothing_about_the_item(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    first = store.review(item.id, accepted(item))
    store.review(item.id, rejected(item, state=State.SKIPPED), repeat_of=first)
    assert store.item(item.id).state is State.REVIEWED
    assert [each.repeat_of for each in store.reviews(repeats=True)] == [None, first]
    assert [each.review for each in store.reviews()] == [accepted(item)]
    with pytest.raises(ReviewError):
        store.review(item.id, accepted(item), repeat_of=first)
    with pytest.raises(ReviewError, match="there is no review 99 of it"):
        store.review(item.id, accepted(item), repeat_of=99)


def test_a_review_can_be_taken_back(tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    first = store.review(item.id, accepted(item))
    repeat = store.review(item.id, accepted(item), repeat_of=first)
    store.withdraw(repeat)
    assert store.item(item.id).state is State.REVIEWED
    store.review(item.id, accepted(item), repeat_of=first)
    store.withdraw(first)
    assert store.item(item.id).state is State.WAITING
    assert store.reviews(repeats=True) == []
    with pytest.raises(ReviewError, match="there is no review"):
        store.withdraw(first)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"state": State.WAITING}, "a review cannot leave it waiting"),
        ({"verdicts": (Verdict.ACCEPTED,)}, "1 verdicts about 2 predictions"),
        (
            {"verdicts": (Verdict.ACCEPTED, None)},
            r"predictions \[0\] are accepted or corrected, and the boxes are",
        ),
        ({"boxes": ()}, r"the boxes are of \[\]"),
        ({"looked_for": ("person",)}, "there is a 'car', which was not looked for"),
        ({"seconds": -1.0}, "it took -1.0 s"),
        ({"boxes": (Final(Box((3.0, 0.0, 1.0, 1.0), "car")),)}, "its width or height is negative"),
    ],
)
def test_what_cannot_have_been_said_is_refused(changed: dict[str, Any], says: str, tmp_path: Path) -> None:
    store = opened(tmp_path)
    item = added(store)
    with pytest.raises(ReviewError, match=says):
        store.review(item.id, accepted(item, **changed))
    assert store.item(item.id).state is State.WAITING


def test_all_reviews_of_an_import_are_written_or_none(tmp_path: Path) -> None:
    store = opened(tmp_path)
    one, two = added(store, 1), added(store, 2)
    with pytest.raises(ReviewError):
        store.import_reviews([(one, accepted(one)), (two, accepted(two, boxes=()))])
    assert store.reviews() == []
    assert store.import_reviews([(one, accepted(one)), (two, rejected(two))]) == 2
    assert store.counts() == {State.REVIEWED: 2}


def test_about_one_in_twenty_is_shown_again_without_saying_so(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for number in range(100):
        added(store, number, picture=noise(0, 8, 8), predictions=())
    rng, repeats, shown = random.Random(1), 0, 0
    while True:
        tasks = store.next(3, seed=11)
        if not tasks:
            break
        task = tasks[0]
        shown += 1
        repeats += task.repeat_of is not None
        store.review(task.item.id, rng.choice([accepted, rejected])(task.item), repeat_of=task.repeat_of)
    assert shown == 100 + repeats
    assert 1 <= repeats <= 15
    assert store.agreement().looks == repeats
    assert len({each.repeat_of for each in store.reviews(repeats=True)}) == repeats + 1


# ---- periods, versions


def test_periods_of_before_and_after_a_restart_are_added_up(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add_periods([Period("gate", START, 600.0, 100, 2, 1.5)])
    store.add_periods(
        [Period("gate", START, 600.0, 50, 1, 0.5), Period("yard", START + 600, 600.0, 9, 0, 0.1)]
    )
    assert store.periods(since=START, until=START + 600) == [Period("gate", START, 600.0, 150, 3, 2.0)]
    assert len(store.periods(since=0, until=START * 2)) == 2
    assert store.periods(since=0, until=START * 2, camera="yard")[0].frames == 9


def test_a_version_is_what_the_set_was_then(tmp_path: Path) -> None:
    store = opened(tmp_path)
    first, second = added(store, 1), added(store, 2)
    store.review(first.id, accepted(first))
    dataset = to_dataset(store.reviewed(), ("person", "car"))
    version = store.record(dataset, "held out", START)
    assert store.record(dataset, "held out", START + DAY_S) == version, "the same is there once"
    store.review(second.id, accepted(second))
    later = store.record(to_dataset(store.reviewed(), ("person", "car")), "held out", START + DAY_S)
    assert [each.hash for each in store.versions()] == [version.hash, later.hash]
    assert read(store.version_file(version)) == dataset
    assert (version.pictures, later.pictures) == (1, 2)
