"""One camera: what it sees, how it is, what happened to it, and what may be done."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect


def opened(page: Page, node: Any, camera: str, query: str = "") -> Page:
    page.goto(f"{node.url}/camera/{camera}{query}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(camera)
    expect(page.locator(".cam-health")).to_be_visible()
    return page


def test_says_how_it_is_since_when_why_and_what_is_done(page: Page, node: Any) -> None:
    opened(page, node, "camera_2")
    how = page.get_by_label("How it is")
    expect(how).to_contain_text(re.compile(r"not seen\s+for 1\d min"))
    expect(how).to_contain_text("Not reachable")
    expect(how).to_contain_text("Opens it again in 4 s.")
    expect(page.get_by_label("Live picture")).to_contain_text("not reachable")
    expect(page.locator(".cam-place img")).to_have_count(0)


def test_shows_what_it_sees_and_what_was_found(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    live = page.get_by_label("Live picture")
    expect(live.get_by_alt_text("What camera_4 sees")).to_be_visible()
    expect(live).to_contain_text("person #7 87%")
    page.keyboard.press("t")
    expect(live).to_contain_text("person 87%")
    page.keyboard.press("b")
    expect(live.locator(".vd-box")).to_have_count(0)
    page.reload()
    expect(live.get_by_alt_text("What camera_4 sees")).to_be_visible()
    expect(live.locator(".vd-box")).to_have_count(0)


def test_shows_new_pictures_until_one_is_held(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    picture = page.get_by_alt_text("What camera_4 sees")
    before = picture.get_attribute("src")
    expect(picture).not_to_have_attribute("src", str(before))
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    held = picture.get_attribute("src")
    page.wait_for_timeout(300)
    assert picture.get_attribute("src") == held


def test_hands_out_a_snapshot(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Snapshot").click()
    assert downloaded.value.suggested_filename == "camera_4.jpg"


def test_tells_its_history_from_one_thing_to_the_next(page: Page, node: Any) -> None:
    opened(page, node, "camera_3")
    timeline = page.get_by_role("group", name="Timeline of camera_3")
    expect(timeline.locator(".vd-lane").filter(has_text="Degraded").locator(".vd-bar")).to_have_count(1)
    timeline.focus()
    page.keyboard.press("End")
    expect(timeline).to_contain_text("blurred")
    page.keyboard.press("ArrowLeft")
    expect(timeline.locator(".vd-timeline-says")).not_to_contain_text("blurred")
    page.get_by_role("group", name="Period").get_by_role("button", name="7d").click()
    expect(page).to_have_url(re.compile("time=7d"))


def test_pauses_it_with_a_reason_and_goes_on(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    page.keyboard.press("p")
    page.get_by_label("Why", exact=True).fill("cleaning")
    page.get_by_role("button", name="Pause").last.click()
    expect(page.locator(".cam-health")).to_contain_text("paused")
    expect(page.get_by_role("button", name="Restart")).to_be_disabled()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".cam-health")).to_contain_text("seen")


def test_changes_its_settings_and_says_what_is_wrong_with_them(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Settings of camera_4")
    rate = dialog.get_by_label("Most frames a second")
    rate.fill("many")
    dialog.get_by_role("button", name="Save").click()
    expect(rate).to_have_attribute("aria-invalid", "true")
    rate.fill("5")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("camera_4 is changed")


def test_is_removed_only_by_those_who_mean_it(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    page.get_by_role("button", name="Remove").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".fleet-headline h1")).to_be_visible()
    expect(page.locator(".fleet-thumb[data-camera=camera_4]")).to_have_count(0)


def test_says_that_there_is_no_such_camera(page: Page, node: Any) -> None:
    page.goto(f"{node.url}/camera/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no camera nowhere")


def test_fits_on_a_phone(phone: Page, node: Any) -> None:
    opened(phone, node, "camera_3")
    expect(phone.locator(".vd-bar").first).to_be_attached()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_is_dark_by_night(night: Page, node: Any) -> None:
    opened(night, node, "camera_3")
    expect(night.locator(".cam-how")).to_have_css("background-color", "rgb(24, 28, 34)")


def drifts(page: Page, camera: str) -> Any:
    timeline = page.get_by_role("group", name=f"Timeline of {camera}")
    return timeline, timeline.locator(".vd-lane").filter(has_text="Drift").locator(".vd-bar")


def test_shows_what_drift_said_over_time_and_how_it_is_now(page: Page, plenty: Any) -> None:
    opened(page, plenty, "camera_3")
    timeline, bars = drifts(page, "camera_3")
    expect(bars).to_have_count(2)
    bars.first.hover()
    expect(timeline.locator(".vd-timeline-says")).to_contain_text(re.compile(r"\(12 min\): Loss suspected"))
    bars.last.hover()
    expect(timeline.locator(".vd-timeline-says")).to_contain_text(re.compile(r"to now .*Loss suspected"))


def test_draws_a_state_of_drift_that_began_before_all_that_is_known(page: Page, plenty: Any) -> None:
    opened(page, plenty, "camera_2")
    timeline, bars = drifts(page, "camera_2")
    expect(bars).to_have_count(1)
    bars.hover()
    expect(timeline.locator(".vd-timeline-says")).to_contain_text(
        re.compile(r"\((9 h|8 h 59 min)\): Drift reset")
    )


def test_does_not_grow_with_what_happens(page: Page, node: Any) -> None:
    opened(page, node, "camera_4")
    told = page.locator("section", has=page.get_by_role("heading", name="What happened"))
    expect(told).to_contain_text("Nothing since the node began")
    before = told.bounding_box()
    for number in range(60):
        node.tell(happens=["warning", "session ended", f"Session ended {number}: stalled", "camera_4"])
    expect(told.get_by_role("listitem")).to_have_count(50)
    expect(told.get_by_role("listitem").first).to_contain_text("Session ended 59")
    after = told.bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] == before["height"]
