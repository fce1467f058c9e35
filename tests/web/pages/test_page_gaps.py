"""When cameras were not seen, and why, as somebody asks it of a real ledger in a browser."""

from __future__ import annotations

import itertools
import re
from typing import Any

from playwright.sync_api import Page, expect


def opened(page: Page, node: Any, query: str = "") -> Page:
    page.goto(f"{node.url}/gaps{query}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gaps")
    expect(page.get_by_role("grid", name="Gaps")).to_be_visible()
    return page


def test_says_which_camera_is_not_seen_now(page: Page, node: Any) -> None:
    opened(page, node, "?open=1&camera=camera_2")
    expect(page.locator(".gap-head p")).to_contain_text("camera_2 is not seen now")
    page.get_by_role("grid", name="Gaps").scroll_into_view_if_needed()
    row = page.get_by_role("row").filter(has_text="not reachable")
    expect(row).to_contain_text("still open")


def test_filters_are_in_the_address_and_the_other_way_round(page: Page, node: Any) -> None:
    opened(page, node, "?camera=camera_2&open=1")
    grid = page.get_by_role("grid", name="Gaps")
    expect(grid).to_have_attribute("aria-rowcount", "2")
    expect(page.get_by_label("still open")).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    expect(page).to_have_url(f"{node.url}/gaps")
    page.get_by_role("combobox", name=re.compile("^Kind")).select_option("event")
    expect(page).to_have_url(f"{node.url}/gaps?kind=event")
    expect(grid).to_have_attribute("aria-rowcount", "2")


def test_exports_have_what_is_looked_at(page: Page, node: Any) -> None:
    opened(page, node, "?camera=camera_2")
    link = page.get_by_role("group", name="Export").get_by_role("link", name="CSV")
    with page.expect_download() as got:
        link.click()
    lines = got.value.path().read_text().splitlines()
    assert len(lines) > 1
    assert all("camera_2" in line for line in lines[1:])


def test_goes_from_gap_to_gap_without_a_mouse(page: Page, node: Any) -> None:
    opened(page, node)
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".gap-says")).to_contain_text(re.compile(r"camera_\d, .+ to .+:"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"camera=camera_\d"))


def test_tells_which_cameras_were_seen_less_than_is_wanted(page: Page, node: Any) -> None:
    opened(page, node, "?threshold=50")
    expect(page.locator("#gap-cover")).to_contain_text("0 of 8 cameras below 50%")
    page.get_by_role("spinbutton").fill("99.9")
    page.keyboard.press("Enter")
    expect(page.locator("#gap-cover")).to_contain_text("8 of 8 cameras below 99.9%")


def test_fits_on_a_phone(phone: Page, node: Any) -> None:
    opened(phone, node)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_says_what_cameras_had_in_common_and_names_each(page: Page, plenty: Any) -> None:
    opened(page, plenty)
    common = page.get_by_role("region", name="What they have in common")
    expect(common).to_contain_text("at the same address, 10.0.0.9")
    expect(common).to_contain_text("read by the same worker, cameras-0")
    links = common.get_by_role("listitem").filter(has_text="10.0.0.9").get_by_role("link")
    expect(links).to_have_text([f"camera_{number}" for number in (1, 4, 6, 7, 8)])
    # Names that touch each other cannot be told apart.
    boxes = [each.bounding_box() for each in links.all()]
    for one, other in itertools.pairwise(boxes):
        assert one is not None
        assert other is not None
        assert other["y"] > one["y"] or other["x"] >= one["x"] + one["width"] + 4
