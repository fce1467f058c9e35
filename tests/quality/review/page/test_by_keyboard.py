"""Reviewing in a real browser, without a mouse; what is in the store afterwards."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from browser import context
from quality.review.page.conftest import SAID, Desk, Served, add
from vedette.quality.review.rows import State, Verdict
from vedette.quality.review.store import Store

A, R, C = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.CORRECTED


def test_three_frames_are_reviewed(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("a", "r")
    desk.verdicts("accepted", "rejected")
    desk.press("m", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "Control+ArrowUp", "Enter", "2")
    desk.verdicts("accepted", "rejected", "missed")
    desk.says("All said")
    desk.press("Space")

    second = desk.shows_another_than(first)
    desk.press("2", "Tab", "d")  # no person, but a car; and the other one, who knows
    desk.verdicts("corrected", "accepted, difficult")
    desk.press("u")
    desk.verdicts("corrected", "undecided")
    desk.press("Space")
    desk.says("accepted now")
    desk.verdicts("corrected", "accepted")
    assert len(store.reviews()) == 1
    desk.press("Space")

    third = desk.shows_another_than(second)
    desk.press("a", "d", "Space", "Space")  # the second one is the one in focus
    expect(desk.page.get_by_text("Nothing left to review")).to_be_visible()

    said = {each.item: each.review for each in store.reviews()}
    assert list(said) == [first, second, third]
    assert {(each.reviewer, each.looked_for) for each in said.values()} == {("ada", ("person", "car"))}
    assert all(each.state is State.REVIEWED and each.seconds > 0 for each in said.values())
    assert said[first].verdicts == (A, R, None)
    kept, missed = said[first].boxes
    assert (kept.box.xyxy, kept.box.label, kept.of, kept.box.track_id) == (SAID[0].xyxy, "person", 0, 3)
    assert (missed.box.xyxy, missed.box.label, missed.of) == ((142.0, 95.0, 190.0, 146.0), "car", None)
    assert said[second].verdicts == (C, A, None)
    assert [(each.box.label, each.of, each.box.difficult) for each in said[second].boxes] == [
        ("car", 0, False),
        ("car", 1, False),
    ]
    assert said[third].verdicts == (A, A, None)
    assert [each.box.difficult for each in said[third].boxes] == [False, True]
    assert {item.state for item in store.items()} == {State.REVIEWED}


def test_what_was_saved_can_be_changed_and_taken_back(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("a", "a", "Space")
    second = desk.shows_another_than(first)
    desk.press("ArrowLeft")
    assert desk.shows_another_than(second) == first
    desk.verdicts("accepted", "accepted")
    desk.press("r", "Space")
    desk.shows_another_than(first)
    [changed] = store.reviews()
    assert changed.review.verdicts == (A, R, None)
    desk.press("u")
    assert desk.shows_another_than(second) == first
    desk.says("Taken back")
    assert store.reviews() == []
    assert store.item(first).state is State.WAITING
    desk.verdicts("accepted", "rejected")
    desk.press("Space")
    desk.shows_another_than(first)
    assert [each.item for each in store.reviews()] == [first]


def test_a_picture_can_be_skipped_or_too_difficult_or_passed_over(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("s")
    second = desk.shows_another_than(first)
    desk.press("Shift+D")
    third = desk.shows_another_than(second)
    desk.press("ArrowRight")
    expect(desk.page.get_by_text("You passed over 1")).to_be_visible()
    states = {item.id: item.state for item in store.items()}
    assert states == {first: State.SKIPPED, second: State.DIFFICULT, third: State.WAITING}
    assert [each.review.boxes for each in store.reviews()] == [(), ()]
    desk.press("ArrowLeft")
    assert desk.shows_a_picture() == third


def test_weak_boxes_are_offered_and_not_judged_unless_somebody_does(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("w")
    desk.verdicts("undecided", "undecided", "weak, offered")
    desk.press("Space", "Space")
    second = desk.shows_another_than(first)
    desk.press("w", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown", "a", "w")
    desk.verdicts("undecided", "undecided", "accepted")
    desk.press("Space", "Space")
    desk.shows_another_than(second)
    assert [each.review.verdicts for each in store.reviews()] == [(A, A, None), (A, A, A)]


def test_a_class_is_found_by_its_name(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("l")
    desk.page.keyboard.type("bicycle")
    desk.press("Enter", "Enter", "c")
    desk.page.keyboard.type("bi")
    desk.press("Enter", "Space", "Space")
    desk.shows_another_than(first)
    [stored] = store.reviews()
    assert stored.review.looked_for == ("person", "car", "bicycle")
    assert stored.review.boxes[0].box.label == "bicycle"


def test_a_reload_loses_nothing(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("a", "a", "Space")
    second = desk.shows_another_than(first)
    desk.press("r")
    desk.page.reload()
    assert desk.shows_a_picture() == second
    desk.verdicts("rejected", "undecided")
    assert [each.item for each in store.reviews()] == [first]
    desk.press("Space", "Space")
    desk.shows_another_than(second)
    assert [each.item for each in store.reviews()] == [first, second]


def test_what_cannot_be_saved_stays_and_is_saved_later(desk: Desk, store: Store) -> None:
    desk.catch("**/api/save", lambda route: route.abort())
    first = desk.shows_a_picture()
    desk.press("a", "r", "Space")
    desk.says("Not saved")
    desk.verdicts("accepted", "rejected")
    assert desk.shows_a_picture() == first
    desk.page.unroute("**/api/save")
    desk.press("Space")
    desk.shows_another_than(first)
    assert [each.review.verdicts for each in store.reviews()] == [(A, R, None)]


def test_a_review_whose_answer_was_lost_is_there_once(desk: Desk, store: Store) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    desk.catch("**/api/save", lose)
    first = desk.shows_a_picture()
    desk.press("a", "a", "Space")
    desk.says("Not saved")
    desk.page.unroute("**/api/save")
    desk.press("r", "Space")  # and now otherwise
    desk.shows_another_than(first)
    [stored] = store.reviews(repeats=True)
    assert stored.review.verdicts == (A, R, None)


def test_what_the_store_says_is_shown(desk: Desk, store: Store) -> None:
    desk.shows_a_picture()
    with closing(sqlite3.connect(store.folder / "review.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        desk.press("a", "a", "Space")
        desk.says("is locked by another program")
    desk.verdicts("accepted", "accepted")
    desk.press("Space")
    desk.says("Saved")
    assert len(store.reviews()) == 1


def test_two_tabs_never_show_the_same_frame(
    desk: Desk, pages: BrowserContext, served: Served, store: Store
) -> None:
    first = desk.shows_a_picture()
    other = Desk(pages.new_page(), served.url)
    second = other.shows_a_picture()
    assert first != second
    other.press("a", "a", "Space")
    expect(other.page.get_by_text("Other pages have 2 open")).to_be_visible()
    desk.press("a", "a", "Space")
    third = desk.shows_another_than(first)
    assert {each.item for each in store.reviews()} == {first, second}
    assert third not in {first, second}


def test_help_is_a_panel(desk: Desk) -> None:
    desk.shows_a_picture()
    desk.press("?")
    expect(desk.page.get_by_role("region", name="Keys")).to_be_visible()
    expect(desk.page.get_by_role("dialog")).to_have_count(0)
    desk.press("a")  # it is in nobody's way
    desk.verdicts("accepted", "undecided")
    desk.press("?")
    expect(desk.page.get_by_role("region", name="Keys")).to_have_count(0)


def test_tab_leaves_the_picture_behind_the_last_box(desk: Desk) -> None:
    desk.shows_a_picture()
    stage = desk.page.locator(".vr-stage")
    desk.press("Tab")
    expect(stage).to_be_focused()
    desk.press("Tab", "Tab")
    expect(desk.page.get_by_role("button", name="Accept")).to_be_focused()
    desk.press("Enter")
    desk.verdicts("undecided", "accepted")


def test_the_classes_and_the_name_are_remembered(
    desk: Desk, pages: BrowserContext, served: Served, store: Store
) -> None:
    add(store, 3)
    desk.shows_a_picture()
    desk.press("l", "Shift+Tab", "Space", "Escape")  # the last class: no car any more
    desk.page.get_by_label("Reviewer").press("Control+a")
    desk.page.keyboard.type("grace")
    desk.press("Enter", "a", "Space")
    desk.says("Saved")
    other = Desk(pages.new_page(), served.url)
    other.shows_a_picture()
    expect(other.page.get_by_label("Reviewer")).to_have_value("grace")
    other.verdicts("undecided")


def test_nothing_to_review_and_then_something(pages: BrowserContext, served: Served, store: Store) -> None:
    desk = Desk(pages.new_page(), served.url)
    expect(desk.page.get_by_text("Nothing to review yet")).to_be_visible()
    desk.press("Space", "u", "ArrowLeft")
    added = add(store, 0)
    desk.press("Space")
    expect(desk.page.locator(f'[data-item="{added.id}"]')).to_be_visible()


def test_a_picture_that_is_gone_is_passed(pages: BrowserContext, served: Served, store: Store) -> None:
    gone, there = sorted([add(store, 0), add(store, 1)], key=lambda item: item.id)
    (store.pictures / gone.file).unlink()
    desk = Desk(pages.new_page(), served.url)
    expect(desk.page.get_by_text("gone from the disk")).to_be_visible()
    desk.press("Enter", "a", "m", "Space")
    assert desk.shows_a_picture() == there.id
    assert store.item(gone.id).state is State.DROPPED
    assert store.reviews() == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_by_day_and_by_night(
    chromium: Browser, served: Served, store: Store, width: int, scheme: str
) -> None:
    add(store, 0)
    with context(chromium, viewport={"width": width, "height": 844}, color_scheme=scheme) as pages:
        desk = Desk(pages.new_page(), served.url)
        desk.press("Escape")
        desk.shows_a_picture()
        assert desk.page.evaluate("document.documentElement.scrollWidth") == width
        back = desk.page.locator(".vr").evaluate("each => getComputedStyle(each).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", back)[:3])) / 3
        assert light > 200 if scheme == "light" else light < 50


@pytest.mark.parametrize("place", ["corner", "middle"])
def test_boxes_are_corrected_with_the_mouse(desk: Desk, store: Store, place: str) -> None:
    first = desk.shows_a_picture()
    left, top, right, bottom = SAID[1].xyxy
    middle = ((left + right) / 2, (top + bottom) / 2)
    drag(desk.page, middle, middle)  # choose it
    start = (right, bottom) if place == "corner" else middle
    drag(desk.page, start, (start[0] - 30, start[1] - 20))
    desk.verdicts("undecided", "corrected")
    desk.press("Space", "Space")
    desk.shows_another_than(first)
    [stored] = store.reviews()
    assert stored.review.verdicts == (A, C, None)
    xyxy = stored.review.boxes[1].box.xyxy
    by = (0, 0, -30, -20) if place == "corner" else (-30, -20, -30, -20)
    assert xyxy == pytest.approx([each + more for each, more in zip(SAID[1].xyxy, by, strict=True)], abs=1)


def test_a_corner_is_dragged_by_a_pixel_and_a_click_that_shook_changes_nothing(
    desk: Desk, store: Store
) -> None:
    first = desk.shows_a_picture()
    left, top, right, bottom = SAID[1].xyxy
    middle = ((left + right) / 2, (top + bottom) / 2)
    drag(desk.page, middle, (middle[0] + 1, middle[1]))
    desk.verdicts("undecided", "undecided")
    drag(desk.page, (right, bottom), (right - 1, bottom))
    desk.verdicts("undecided", "corrected")
    desk.press("Space", "Space")
    desk.shows_another_than(first)
    [stored] = store.reviews()
    assert stored.review.boxes[1].box.xyxy == pytest.approx((left, top, right - 1, bottom), abs=0.5)


def test_a_missed_object_is_drawn_with_the_mouse(desk: Desk, store: Store) -> None:
    first = desk.shows_a_picture()
    desk.press("m")
    drag(desk.page, (100, 20), (140, 70))
    desk.press("u")
    desk.verdicts("undecided", "undecided")
    desk.press("m")
    drag(desk.page, (140, 70), (100, 20))
    desk.press("Space", "Space")
    desk.shows_another_than(first)
    [stored] = store.reviews()
    assert stored.review.boxes[-1].of is None
    assert stored.review.boxes[-1].box.xyxy == pytest.approx((100, 20, 140, 70), abs=1)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """In pixels of the picture."""
    frame = page.locator(".vr-stage").bounding_box()
    assert frame is not None
    scale = frame["width"] / 320
    page.mouse.move(frame["x"] + start[0] * scale, frame["y"] + start[1] * scale)
    page.mouse.down()
    page.mouse.move(frame["x"] + end[0] * scale, frame["y"] + end[1] * scale, steps=4)
    page.mouse.up()
