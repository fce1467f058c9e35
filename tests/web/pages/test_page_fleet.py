"""Whether anything is wrong, and what is done about it, as somebody sees it who opens the dashboard."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

EVIL = '<img src=x onerror="window.reached = 1">'


def opened(page: Page, node: Any, path: str = "/") -> Page:
    page.goto(node.url + path)
    expect(page.locator(".fleet-headline h1")).to_be_visible()
    return page


def rows(page: Page) -> list[str]:
    return page.locator(".vd-table-row [role=gridcell]:first-child").all_inner_texts()


def test_says_first_what_is_wrong_since_when_why_and_what_is_done(page: Page, node: Any) -> None:
    opened(page, node)
    expect(page.get_by_role("heading", level=1)).to_have_text("1 of 8 cameras is not seen")
    told = page.locator(".fleet-headline p")
    expect(told).to_contain_text(re.compile(r"For 1\d min: camera_2, not reachable\. Opens it again"))
    expect(page).to_have_title("(1) Fleet · north")
    wrong = page.get_by_role("region", name="What is wrong")
    expect(wrong.get_by_role("listitem")).to_have_count(2)
    expect(wrong.get_by_role("listitem").first).to_contain_text("camera_2 is down: not reachable")


def test_leads_to_the_broken_camera_and_says_why(page: Page, node: Any) -> None:
    opened(page, node)
    page.get_by_role("link", name="camera_2 is down").click()
    expect(page).to_have_url(f"{node.url}/camera/camera_2")
    how = page.get_by_label("How it is")
    expect(how).to_contain_text("not seen")
    expect(how).to_contain_text("Not reachable")
    expect(how).to_contain_text("network")
    page.go_back()
    expect(page.locator(".fleet-headline h1")).to_be_visible()


def test_says_that_all_is_well_once_it_is(page: Page, node: Any) -> None:
    opened(page, node)
    well = {"blind": None, "blame": None, "state": "live", "degraded": []}
    for camera in ("camera_2", "camera_3", "camera_5"):
        node.tell(camera=camera, set=well)
    expect(page.get_by_role("heading", level=1)).to_have_text("All 8 cameras are seen")
    expect(page.get_by_role("region", name="What is wrong")).to_have_count(0)


def test_shows_pictures_only_of_cameras_that_are_seen(page: Page, node: Any) -> None:
    opened(page, node)
    expect(page.locator(".fleet-thumb[data-camera=camera_3] img")).to_be_visible()
    lost = page.locator(".fleet-thumb[data-camera=camera_2]")
    expect(lost.locator("img")).to_have_count(0)
    expect(lost).to_contain_text("not reachable")
    node.tell(camera="camera_3", set={"blind": "stalled", "state": "live"})
    expect(page.locator(".fleet-thumb[data-camera=camera_3] img")).to_have_count(0)


def test_pauses_and_resumes_a_camera_without_a_mouse(page: Page, node: Any) -> None:
    opened(page, node, "/?view=table&sort=name")
    page.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Pause camera_4")).to_be_visible()
    expect(page.get_by_label("Why", exact=True)).to_be_focused()
    page.keyboard.type("cleaning")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("camera_4 is paused")
    expect(page.get_by_role("row", name="camera_4")).to_contain_text("paused")
    page.get_by_role("grid").focus()
    page.keyboard.press("p")
    expect(page.get_by_role("row", name="camera_4")).to_contain_text("seen")


def test_adds_a_camera_and_tells_mistakes_where_they_were_made(page: Page, node: Any) -> None:
    opened(page, node)
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Add a camera")
    name, url = dialog.get_by_label("Name"), dialog.get_by_label("Address")
    dialog.get_by_role("button", name="Add").click()
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("The Gate")
    url.fill("file:///etc/passwd")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert").first).to_be_visible()
    name.fill("gate")
    dialog.get_by_role("button", name="Add").click()
    expect(url).to_be_focused()
    url.fill("rtsp://10.0.0.9/stream")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".fleet-thumb[data-camera=gate]")).to_be_visible()


def test_says_why_the_node_refuses(page: Page, node: Any) -> None:
    opened(page, node)
    node.tell(refuses="it is being stopped")
    page.get_by_role("button", name="Actions for camera_4").click()
    page.get_by_role("menuitem", name="Restart").click()
    expect(page.get_by_role("status")).to_contain_text("camera_4: it is being stopped")


def test_draws_only_the_rows_in_sight_of_a_thousand_cameras(page: Page, thousand: Any) -> None:
    opened(page, thousand)
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "1001")
    expect(page.locator(".vd-table-row").first).to_be_visible()
    assert page.locator(".vd-table-row").count() < 60
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    expect(page.locator(".vd-table-row[aria-rowindex='1001']")).to_be_in_viewport()
    assert page.locator(".vd-table-row").count() < 60


def test_sorts_and_filters_a_thousand_cameras(page: Page, thousand: Any) -> None:
    opened(page, thousand, "/?sort=name")
    expect(page.locator(".vd-table-row").first).to_be_visible()
    assert rows(page)[:3] == ["camera_1", "camera_2", "camera_3"]
    page.get_by_role("button", name="Camera", exact=True).click()
    expect(page.locator(".vd-table-row").first).to_contain_text("camera_1000")
    expect(page.get_by_role("columnheader", name="Camera")).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("f")
    page.keyboard.type("camera_77 ")
    expect(page.get_by_role("heading", level=2, name="Cameras")).to_contain_text("of 1000")
    expect(page.locator(".vd-table-row").first).to_contain_text("camera_779")
    page.get_by_label("Filter cameras").fill("nothing is called so")
    page.get_by_role("button", name="Show all 1000").click()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "1001")


def test_keeps_what_is_shown_in_the_address(page: Page, thousand: Any) -> None:
    opened(page, thousand)
    page.get_by_role("group", name="Health").get_by_role("button", name="not seen").click()
    page.get_by_label("Site").select_option("yard")
    page.get_by_role("button", name="p99").click()
    count = page.get_by_role("grid").get_attribute("aria-rowcount")
    first = rows(page)[0]
    page.reload()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(count))
    expect(page.locator(".vd-table-row").first).to_contain_text(first)
    assert "health=blind" in page.url
    assert "site=yard" in page.url


def test_never_shows_old_things_as_if_they_were_new(page: Page, node: Any) -> None:
    opened(page, node)
    expect(page.locator(".vd-state")).to_have_text("answers")
    node.tell(gone=True)
    expect(page.get_by_role("alert")).to_contain_text("north does not answer since")
    expect(page.get_by_role("alert")).to_contain_text("old")
    expect(page.locator(".vd-state")).to_have_text("does not answer")
    expect(page.locator(".vd-away")).to_be_visible()
    node.tell(gone=False)
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".vd-away")).to_have_count(0)


def test_goes_to_pages_and_cameras_by_keys(page: Page, node: Any) -> None:
    opened(page, node)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="A camera or a page")).to_be_focused()
    page.keyboard.type("camera_7")
    expect(page.locator("#vd-found").get_by_role("option").first).to_contain_text("camera_7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{node.url}/camera/camera_7")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page.locator(".fleet-headline h1")).to_be_visible()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("add a camera")
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)


def test_skips_to_the_page_for_those_who_use_tab(page: Page, node: Any) -> None:
    opened(page, node)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_is_dark_by_night_and_as_somebody_chose(night: Page, node: Any) -> None:
    from_system = "rgb(16, 19, 24)"
    opened(night, node)
    expect(night.locator("body")).to_have_css("background-color", from_system)
    night.get_by_role("button", name="Colours: as the system").click()
    expect(night.locator("body")).to_have_css("background-color", "rgb(245, 246, 248)")
    night.reload()
    expect(night.locator("body")).to_have_css("background-color", "rgb(245, 246, 248)")


def test_fits_on_a_phone(phone: Page, node: Any) -> None:
    for path in ("/", "/?view=table"):
        opened(phone, node, path)
        expect(phone.locator(".fleet-thumb, .vd-table-row").first).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_writes_whatever_comes_from_outside_as_text(page: Page, node: Any) -> None:
    node.tell(camera="camera_4", set={"blind": "stalled", "blame": EVIL, "objects": {EVIL: 2}})
    node.tell(camera="camera_6", set={"objects": {EVIL: 2}})
    opened(page, node)
    expect(page.locator(".fleet-thumb[data-camera=camera_6]")).to_contain_text("<img src=x")
    opened(page, node, "/?view=table")
    expect(page.get_by_role("row", name="camera_6")).to_contain_text("<img src=x")
    assert page.evaluate("window.reached") is None


def test_offers_nobody_what_they_may_not_do(page: Page, node: Any) -> None:
    def viewer(route: Route) -> None:
        route.fulfill(json={"name": "ann", "role": "viewer", "by": "session", "csrf": "x"})

    page.route("**/api/v1/session", viewer)
    opened(page, node)
    expect(page.locator(".vd-who")).to_contain_text("ann")
    expect(page.locator(".fleet-thumb").first).to_be_visible()
    expect(page.get_by_role("button", name="Add a camera")).to_have_count(0)
    expect(page.get_by_role("button", name="Actions for camera_4")).to_have_count(0)


def test_has_the_review_desk_in_its_shell(page: Page, node: Any) -> None:
    page.goto(f"{node.url}/review")
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("main")).to_contain_text("no frame was kept for review yet")
    expect(page.get_by_role("link", name="Review")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Fleet").click()
    expect(page.locator(".fleet-headline h1")).to_be_visible()


def test_asks_for_the_modules_of_the_page_before_the_shell_stands(page: Page, node: Any) -> None:
    opened(page, node)
    ahead = "[...document.querySelectorAll('link[rel=modulepreload]')].map((each) => each.href)"
    used = "performance.getEntriesByType('resource').map((each) => each.name)"
    of_the_page = {name for name in page.evaluate(used) if "/pages/fleet" in name and name.endswith(".js")}
    assert len(of_the_page) > 3
    assert {name for name in page.evaluate(ahead) if "/pages/fleet" in name} == of_the_page
