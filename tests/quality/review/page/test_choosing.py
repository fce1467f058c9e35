"""Filters, classes, weak boxes and zoom: by keyboard, in a real browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from quality.review.page.conftest import PICTURE, SAID, Desk, Served
from review_frames import frame
from vedette.quality.review.rows import Item, Prediction
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store


def kept(store: Store, number: int, reason: Reason | None = None, **changed: object) -> Item:
    made = {"picture": PICTURE, "predictions": SAID} | changed
    item = store.add(frame(number, reason, **made)).item
    assert item is not None
    return item


def address(desk: Desk) -> dict[str, list[str]]:
    return parse_qs(urlsplit(desk.page.url).query)


def opened(pages: BrowserContext, served: Served, query: str = "") -> Desk:
    desk = Desk(pages.new_page(), served.url + query)
    expect(desk.page.get_by_label("Another class")).to_be_focused()
    desk.press("Enter")
    return desk


def test_frames_of_one_camera_are_chosen_shown_in_the_address_and_all_come_back(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    kept(store, 0)
    yard = kept(store, 1, camera="yard")
    desk = opened(pages, served)
    desk.shows_a_picture()
    desk.press("f")
    desk.page.keyboard.type("yar")
    desk.press("Enter")
    only = desk.page.get_by_role("group", name="Only these frames")
    expect(only).to_contain_text("camera yard")
    assert desk.shows_a_picture() == yard.id
    assert address(desk) == {"camera": ["yard"]}
    desk.press("Enter")
    expect(desk.page.get_by_role("region", name="Filter")).to_have_count(0)
    desk.press("a", "a", "Space")
    expect(desk.page.get_by_text("None that you chose")).to_be_visible()
    desk.press("Shift+F")
    desk.says("All frames again")
    expect(only).to_have_count(0)
    desk.shows_a_picture()
    assert address(desk) == {}
    desk.press("Shift+F")
    desk.says("All frames are shown")


@pytest.mark.parametrize(
    "query",
    ["reason=weak_boxes", "class=bus", "model=m2", "camera=gate&reason=weak_boxes&class=bus&model=m2"],
)
def test_an_address_leads_to_the_frames_that_it_names(
    pages: BrowserContext, served: Served, store: Store, query: str
) -> None:
    bus = (Prediction((10, 10, 60, 60), "bus", 0.9),)
    for number in range(4):
        kept(store, number)
    meant = kept(store, 10, Reason.WEAK_BOXES, model="m2", predictions=bus)
    kept(store, 11, Reason.NEW_OBJECTS)
    desk = opened(pages, served, f"?{query}")
    assert desk.shows_a_picture() == meant.id
    desk.press("s")
    expect(desk.page.get_by_text("None that you chose")).to_be_visible()
    desk.press("h")
    expect(desk.page.locator(".vr-past button")).to_have_count(1)
    desk.page.reload()
    expect(desk.page.get_by_text("None that you chose")).to_be_visible()
    desk.press("Shift+F")
    assert desk.shows_a_picture() != meant.id


def test_what_was_said_without_saving_comes_back_with_its_picture(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    gate = kept(store, 0)
    kept(store, 1, camera="yard")
    desk = opened(pages, served, "?camera=gate")
    desk.shows_a_picture()
    desk.press("r", "f")
    desk.page.keyboard.type("yard")
    desk.press("Enter")
    # Escape before the answer that says what there is to choose from would give the choice up.
    expect(desk.page.get_by_role("button", name="No longer only camera yard")).to_be_visible()
    desk.press("Escape")
    desk.page.get_by_role("button", name="No longer only camera gate").click()
    assert desk.shows_another_than(gate.id)
    desk.press("Shift+F")
    while desk.shows_a_picture() != gate.id:
        desk.press("ArrowRight")
    desk.verdicts("rejected", "undecided")


def test_classes_of_the_site_and_the_picture_are_chosen_and_others_found_by_typing(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    names = [f"class {number}" for number in range(60)]
    for number, name in enumerate(names):
        kept(store, number, predictions=(*SAID[:2], Prediction((5, 5, 40, 40), name, 0.9)))
    desk = Desk(pages.new_page(), served.url)
    field = desk.page.get_by_label("Another class")
    expect(field).to_be_focused()
    pressed = desk.page.locator('.vr-chip[aria-pressed="true"]')
    expect(pressed).to_have_count(3)
    here = desk.page.locator(".vr-stage").get_attribute("data-item")
    theirs = store.item(str(here)).predictions[2].label
    assert pressed.all_inner_texts() == ["person", "car", theirs]
    desk.page.keyboard.type("ss 41")
    expect(desk.page.locator(".vr-picker li")).to_have_text(["class 41", "ss 41new"])
    desk.press("Enter")
    expect(desk.page.get_by_role("button", name="class 41", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    desk.page.keyboard.type("class 4")
    desk.press("ArrowDown", "Enter", "Enter")
    expect(desk.page.locator(".vr-head")).to_contain_text(f"person, car, {theirs} and 2 more")


def test_weak_boxes_come_in_two_steps(pages: BrowserContext, served: Served, store: Store) -> None:
    weak = tuple(Prediction((9 * n, 5, 9 * n + 8, 40), "car", 0.06 + 0.004 * n) for n in range(30))
    likely = tuple(Prediction((9 * n, 60, 9 * n + 8, 90), "car", 0.25) for n in range(3))
    kept(store, 0, predictions=(SAID[1], *likely, *weak))
    desk = opened(pages, served)
    desk.shows_a_picture()
    button = desk.page.get_by_role("button", name="weak")
    boxes = desk.page.locator(".vr-list li")
    for words, shown, key in (
        ("3 weak boxes", 1, "w"),
        ("30 weaker boxes", 4, "w"),
        ("Hide weak boxes", 34, "w"),
        ("3 weak boxes", 1, "Shift+W"),
        ("Hide weak boxes", 34, "Shift+W"),
        ("3 weak boxes", 1, "?"),
    ):
        expect(button).to_contain_text(words)
        expect(boxes).to_have_count(shown)
        desk.press(key)
    help_ = desk.page.get_by_role("region", name="Keys")
    expect(help_).to_contain_text("20% and more")
    expect(help_).to_contain_text("all weak boxes at once")


def test_the_picture_is_zoomed_and_moved_without_a_box(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    kept(store, 0)
    desk = opened(pages, served)
    desk.shows_a_picture()
    assert desk_view(desk) == (1.0, 0.0, 0.0)
    desk.press("+", "+")
    by, x, y = desk_view(desk)
    assert (by, x, y) == pytest.approx((2.25, 0.625, 0.625), abs=0.01)
    desk.press("Shift+ArrowRight", "Shift+ArrowUp")
    assert desk_view(desk) == pytest.approx((by, x + 0.2, y - 0.2), abs=0.01)
    desk.press(*["Shift+ArrowLeft"] * 9)
    assert desk_view(desk)[1] == 0.0, "not beyond the edge"
    desk.press("-")
    assert desk_view(desk)[0] == pytest.approx(1.5, abs=0.01)
    desk.press("0")
    assert desk_view(desk) == (1.0, 0.0, 0.0)


def test_the_wheel_goes_closer_to_what_is_below_the_mouse_and_dragging_moves_it(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    kept(store, 0, predictions=())
    desk = opened(pages, served)
    desk.page.keyboard.type("car")
    desk.press("Enter", "Enter")
    desk.shows_a_picture()
    stage = desk.page.locator(".vr-stage").bounding_box()
    assert stage is not None
    desk.page.mouse.move(stage["x"] + stage["width"] * 0.75, stage["y"] + stage["height"] * 0.25)
    desk.page.mouse.wheel(0, -400)
    expect(desk.page.locator(".vr-zoomed")).to_have_count(1)
    by, x, y = desk_view(desk)
    assert by > 1.5
    assert ((x + 0.75) / by, (y + 0.25) / by) == pytest.approx((0.75, 0.25), abs=0.01)
    desk.page.mouse.down()
    desk.page.mouse.move(stage["x"] + stage["width"] * 0.65, stage["y"] + stage["height"] * 0.2, steps=3)
    desk.page.mouse.up()
    assert desk_view(desk) == pytest.approx((by, x + 0.1, y + 0.05), abs=0.01)
    desk.page.mouse.wheel(0, 4000)
    expect(desk.page.locator(".vr-zoomed")).to_have_count(0)


def desk_view(desk: Desk) -> tuple[float, float, float]:
    """How much larger, and from where on, in widths and heights of the stage."""
    size = "each => [each.style.width, each.style.left, each.style.top].map(parseFloat)"
    by, left, top = desk.page.locator(".vr-canvas").evaluate(size)
    return by / 100, abs(left) / 100, abs(top) / 100
