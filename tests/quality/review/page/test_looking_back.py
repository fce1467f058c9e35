"""Back to what was saved long ago, and two people at the same pictures: by keyboard, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser import context
from quality.review.page.conftest import Desk, Served, add
from review_frames import START, accepted, rejected
from vedette.quality.review.chance import chance
from vedette.quality.review.queue import REPEATS
from vedette.quality.review.rows import Item, State, Verdict
from vedette.quality.review.store import Store

A, R = Verdict.ACCEPTED, Verdict.REJECTED


def reviewed(store: Store, numbers: range) -> list[Item]:
    """One a second, in this order."""
    items = [add(store, number) for number in numbers]
    for number, item in zip(numbers, items, strict=True):
        said = accepted if number % 2 else rejected
        store.review(item.id, said(item, at=START + number, reviewer="grace"))
    return items


@pytest.fixture
def others(chromium: Browser) -> Iterator[BrowserContext]:
    """Another browser, of somebody else."""
    with context(chromium) as opened:
        yield opened


def opened(pages: BrowserContext, served: Served) -> Desk:
    return Desk(pages.new_page(), served.url)


def saved(page: Page) -> list[str]:
    return page.locator(".vr-past button.vr-quiet").all_inner_texts()


def test_arrows_go_back_to_what_was_saved_before_the_page_was_opened(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    items = reviewed(store, range(5))
    waiting = add(store, 9)
    desk = opened(pages, served)
    assert desk.shows_a_picture() == waiting.id
    here = waiting.id
    for item in reversed(items):
        desk.press("ArrowLeft")
        here = desk.shows_another_than(here)
        assert here == item.id
    expect(desk.page.locator(".vr-side")).to_contain_text("saved: reviewed by grace")
    desk.press("ArrowLeft")
    desk.says("This is the first one")
    desk.verdicts("rejected", "rejected", "rejected")
    desk.press("ArrowUp", "ArrowUp", "ArrowUp", "a", "Space")
    assert desk.shows_another_than(here) == items[1].id
    first = store.looks(items[0].id)[0]
    assert (first.review.verdicts, first.review.reviewer, first.revision) == ((A, R, R), "ada", 2)
    assert [each.stored.review.reviewer for each in store.revisions(items[0].id)] == ["grace"]
    assert len(store.reviews()) == 5


def test_what_is_only_looked_at_again_is_not_saved_again(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    [item] = reviewed(store, range(1, 2))
    waiting = add(store, 9)
    desk = opened(pages, served)
    desk.shows_a_picture()
    desk.press("ArrowLeft")
    desk.shows_another_than(waiting.id)
    desk.press("u")
    desk.says("Saved long ago")
    desk.press("Space")
    assert desk.shows_another_than(item.id) == waiting.id
    assert store.revisions(item.id) == []
    assert store.item(item.id).state is State.REVIEWED


def test_a_list_leads_to_any_of_them(pages: BrowserContext, served: Served, store: Store) -> None:
    items = reviewed(store, range(25))
    waiting = add(store, 99)
    desk = opened(pages, served)
    desk.shows_a_picture()
    desk.press("h")
    button = desk.page.locator(".vr-past button").first
    expect(button).to_be_focused()
    expect(desk.page.get_by_role("region", name="What was saved")).to_contain_text("grace")
    assert len(saved(desk.page)) == 20
    desk.press(*["ArrowDown"] * 20, "Enter")
    expect(desk.page.locator(".vr-past button.vr-quiet")).to_have_count(25)
    desk.press("ArrowDown", "Enter")
    back = desk.shows_another_than(waiting.id)
    assert back == items[3].id
    desk.verdicts("accepted", "accepted", "accepted")
    desk.press("Tab", "r", "ArrowRight")
    assert desk.shows_another_than(back) == waiting.id, "nothing is saved by that"
    assert store.revisions(back) == []
    desk.press("ArrowLeft")
    desk.shows_another_than(waiting.id)
    desk.press("Space")
    desk.shows_another_than(back)
    assert len(store.revisions(back)) == 1


def test_what_was_looked_for_then_stays_with_the_picture(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    [item] = reviewed(store, range(1, 2))
    waiting = add(store, 9)
    desk = opened(pages, served)
    desk.shows_a_picture()
    desk.press("l", "Shift+Tab", "Space", "Escape")  # no car any more
    desk.verdicts("undecided")
    desk.press("ArrowLeft")
    desk.shows_another_than(waiting.id)
    desk.verdicts("accepted", "accepted", "accepted")
    desk.press("Tab", "r", "Space")
    desk.shows_another_than(item.id)
    assert store.looks(item.id)[0].review.looked_for == ("person", "car")


def test_two_people_do_not_overwrite_each_other(
    pages: BrowserContext, others: BrowserContext, served: Served, store: Store
) -> None:
    [item] = reviewed(store, range(1, 2))
    for number in range(6, 12):
        add(store, number)
    ada, bob = opened(pages, served), opened(others, served)
    for desk, name in ((ada, "ada"), (bob, "bob")):
        here = desk.shows_a_picture()
        desk.page.get_by_label("Reviewer").fill(name)
        desk.press("Enter", "ArrowLeft")
        assert desk.shows_another_than(here) == item.id
    bob.press("ArrowUp", "ArrowUp", "ArrowUp", "r", "Space")
    bob.shows_another_than(item.id)
    ada.press("ArrowDown", "ArrowDown", "r", "Space")
    ada.says("bob has changed this one meanwhile")
    assert store.looks(item.id)[0].review.reviewer == "bob"
    ada.verdicts("accepted", "rejected", "accepted")
    ada.press("t")
    ada.verdicts("rejected", "accepted", "accepted")
    ada.press("u")
    ada.verdicts("accepted", "rejected", "accepted")
    ada.press("Space")
    ada.shows_another_than(item.id)
    assert store.looks(item.id)[0].review.reviewer == "ada"
    assert [each.stored.review.reviewer for each in store.revisions(item.id)] == ["grace", "bob"]


def test_a_blind_repeat_looks_like_any_other_frame(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    seed = next(
        seed
        for seed in count()
        if chance(seed, "repeat", 31) < REPEATS
        and all(chance(seed, "repeat", n) >= REPEATS for n in (30, 32))
    )
    (store.folder / "seed").write_text(f"{seed}\n")
    before = {item.id for item in reviewed(store, range(30))}
    for number in range(40, 45):
        add(store, number)
    desk = opened(pages, served)
    first = desk.shows_a_picture()
    assert first not in before
    told = [counts(desk.page, looks=30)]
    desk.press("a", "a", "Space")
    again = desk.shows_another_than(first)
    told.append(counts(desk.page, looks=31))
    assert again in before, "the test chose the seed so"
    desk.verdicts("undecided", "undecided")
    expect(desk.page.locator(".vr-side")).not_to_contain_text("saved")
    desk.press("h")
    expect(desk.page.locator(".vr-past")).to_be_visible()
    assert len(saved(desk.page)) == 20
    desk.press("Escape", "a", "a", "Space")
    desk.shows_another_than(again)
    told.append(counts(desk.page, looks=32))
    assert told == [(0, 30, "fewer than 20"), (1, 31, "fewer than 20"), (2, 32, "fewer than 20")]
    assert [each.item for each in store.reviews(repeats=True) if each.repeat_of is not None] == [again]
    desk.press("h")
    expect(desk.page.locator(".vr-past button").first).to_be_focused()


def counts(page: Page, looks: int) -> tuple[int, int, str]:
    """Once the page has heard of so many."""
    line = page.locator(".vr-counts")
    expect(line).to_contain_text(f"{looks} by all")
    found = re.fullmatch(r"(\d+) done here · (\d+) by all · waiting: (.*)", line.inner_text())
    assert found
    return int(found[1]), int(found[2]), found[3]
