"""Who gets which frame, and what becomes of what they say. Without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from review_frames import START, accepted, frame, rejected
from vedette.errors import ReviewError
from vedette.quality.review.page.desk import HELD_S, Changes, Desk, Saved, seed_of
from vedette.quality.review.rows import State
from vedette.quality.review.selection import Selection
from vedette.quality.review.store import Store
from vedette.testing import ManualClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        for number in range(4):
            opened.add(frame(number))
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(store: Store, clock: ManualClock) -> Desk:
    return Desk(lambda: store, clock.monotonic)


def ids(desk: Desk, tab: str, known: tuple[str, ...] = (), want: int = 2) -> list[str]:
    return [item.id for item in desk.tasks(tab, known, want)]


def read(saved: Saved) -> Changes:
    """What somebody changes who has read this."""
    assert saved.review is not None
    return saved.review, saved.revision


def test_no_frame_is_shown_in_two_tabs(desk: Desk) -> None:
    one, other = ids(desk, "one"), ids(desk, "other")
    assert len({*one, *other}) == 4
    assert ids(desk, "third") == []
    assert desk.elsewhere("third") == 4
    assert desk.elsewhere("one") == 2


def test_a_tab_gets_the_same_frames_after_a_reload(desk: Desk) -> None:
    before = ids(desk, "one")
    assert ids(desk, "one") == before
    more = ids(desk, "one", tuple(before), 1)
    assert len({*before, *more}) == 3
    assert ids(desk, "one", (), 3) == before + more


def test_frames_of_a_tab_that_went_away_are_handed_out_again(desk: Desk, clock: ManualClock) -> None:
    one = ids(desk, "one", want=4)
    clock.advance(HELD_S - 1)
    assert ids(desk, "other") == []
    clock.advance(2)
    assert ids(desk, "other", want=4) == one


def test_what_a_tab_shows_is_its_own_after_a_restart(store: Store, desk: Desk) -> None:
    shown = ids(desk, "one")
    anew = Desk(lambda: store)
    anew.tasks("one", shown, 1)
    assert not {*shown} & {*ids(anew, "other", want=4)}


def test_a_review_that_is_changed_stays_the_one(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    saved = desk.save("one", item.id, accepted(item))
    changed = desk.save("one", item.id, rejected(item), read(saved))
    assert (changed.review, changed.revision) == (saved.review, 2)
    [stored] = store.reviews(repeats=True)
    assert stored.review == rejected(item)
    [ended] = store.revisions(item.id)
    assert ended.stored.review == accepted(item)


def test_what_two_people_change_is_not_overwritten_unseen(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    saved = desk.save("one", item.id, accepted(item, seconds=1.0))
    theirs = desk.save("other", item.id, rejected(item, reviewer="grace"), read(saved))
    mine = desk.save("one", item.id, accepted(item, seconds=2.0), read(saved))
    assert mine.review is None
    assert mine.theirs is not None
    assert (mine.theirs.review.reviewer, mine.theirs.revision) == ("grace", theirs.revision)
    with pytest.raises(ReviewError, match="changed meanwhile, by grace"):
        desk.withdraw("one", item.id, read(saved))
    assert [each.review.reviewer for each in store.reviews()] == ["grace"]
    again = desk.save("one", item.id, accepted(item, seconds=2.0), read(theirs))
    assert again.revision == 3
    assert [each.stored.review.reviewer for each in store.revisions(item.id)] == ["ada", "grace"]


def test_a_lost_answer_is_no_leave_to_overwrite_others(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    saved = desk.save("one", item.id, accepted(item, seconds=1.0))
    desk.save("other", item.id, rejected(item, reviewer="grace"), read(saved))
    assert desk.save("one", item.id, accepted(item, seconds=2.0)).theirs is not None


def test_history_leaves_out_what_is_open_anywhere(store: Store, desk: Desk) -> None:
    """A frame that is shown again must not be found among those that were looked at."""
    [first, second] = desk.tasks("one", (), 2)
    desk.save("one", first.id, accepted(first, at=START + 1))
    desk.save("one", second.id, accepted(second, at=START + 2))
    assert [each.item.id for each in desk.history("other", (), 5)] == [second.id, first.id]
    desk._tabs["one"].held[second.id] = second
    assert [each.item.id for each in desk.history("other", (), 5)] == [first.id]
    assert desk.history("other", (first.id,), 5) == []


def test_a_tab_lets_go_of_what_is_filtered_away(store: Store, desk: Desk) -> None:
    store.add(frame(9, camera="yard"))
    before = {*ids(desk, "one", want=4)}
    yard = Selection(cameras=("yard",))
    [only] = desk.tasks("one", (), 4, yard)
    assert only.camera == "yard"
    assert {*ids(desk, "other", want=5)} >= before - {only.id}


def test_the_same_look_sent_twice_is_one_look(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    saved = desk.save("one", item.id, accepted(item))
    assert desk.save("one", item.id, accepted(item, at=START)) == saved
    assert len(store.reviews(repeats=True)) == 1


def test_a_look_of_which_the_page_did_not_hear_is_changed_and_not_repeated(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    desk.save("one", item.id, accepted(item, seconds=1.0))
    desk.save("one", item.id, rejected(item, seconds=2.0))
    [stored] = store.reviews(repeats=True)
    assert stored.review == rejected(item, seconds=2.0)


def test_a_second_look_is_a_repeat_and_a_third_is_not_needed(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    first = desk.save("one", item.id, accepted(item, seconds=1.0))
    second = desk.save("other", item.id, rejected(item, seconds=2.0))
    third = desk.save("third", item.id, rejected(item, seconds=3.0))
    assert [(each.id, each.repeat_of) for each in store.reviews(repeats=True)] == [
        (first.review, None),
        (second.review, first.review),
    ]
    assert third.review is None
    assert "not needed" in third.remark


def test_a_repeat_that_is_changed_stays_a_repeat(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    first = desk.save("one", item.id, accepted(item, seconds=1.0))
    second = desk.save("other", item.id, accepted(item, seconds=2.0))
    changed = desk.save("other", item.id, rejected(item, seconds=3.0), read(second))
    assert [(each.id, each.repeat_of) for each in store.reviews(repeats=True)] == [
        (first.review, None),
        (changed.review, first.review),
    ]


def test_what_was_skipped_is_reviewed_by_whoever_has_it_open(store: Store, desk: Desk) -> None:
    [item] = desk.tasks("one", (), 1)
    skipped = replace(accepted(item), state=State.SKIPPED, boxes=(), verdicts=(), seconds=1.0)
    desk.save("one", item.id, skipped)
    desk.save("other", item.id, accepted(item))
    assert store.item(item.id).state is State.REVIEWED
    assert len(store.reviews(repeats=True)) == 1


def test_what_is_taken_back_is_open_again_and_taking_it_back_twice_is_no_error(
    store: Store, desk: Desk
) -> None:
    [item] = desk.tasks("one", (), 1)
    saved = desk.save("one", item.id, accepted(item))
    for _ in range(2):
        desk.withdraw("one", item.id, read(saved))
        assert store.item(item.id).state is State.WAITING
    assert item.id not in ids(desk, "other", want=4)


def test_blind_repeats_come_among_the_others(store: Store, desk: Desk) -> None:
    """About 5% of what is shown; each becomes a repeat without anybody having said so."""
    (store.folder / "seed").write_text("7")
    for number in range(100):
        store.add(frame(10 + number))
    for seconds in range(110):
        for item in desk.tasks("one", (), 1):
            desk.save("one", item.id, accepted(item, seconds=float(seconds)))
    repeats = [each for each in store.reviews(repeats=True) if each.repeat_of is not None]
    assert 1 <= len(repeats) <= 15


def test_the_seed_of_a_folder_stays(tmp_path: Path) -> None:
    first = seed_of(tmp_path)
    assert seed_of(tmp_path) == first
    other = tmp_path / "other"
    other.mkdir()
    assert seed_of(other) != first
    (tmp_path / "seed").write_text("mud")
    with pytest.raises(ReviewError, match="seed"):
        seed_of(tmp_path)
