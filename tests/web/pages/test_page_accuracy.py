"""How well it is seen, as somebody asks it in a browser."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect


def opened(page: Page, node: Any) -> Page:
    page.goto(f"{node.url}/accuracy")
    expect(page.get_by_role("grid", name="Drift")).to_be_visible()
    return page


def suspects(node: Any) -> None:
    drift = {
        "stage": "suspected",
        "learnt": 1.0,
        "light": "night",
        "evidence": 40.0,
        "measure": "sharpness",
        "direction": "falls",
        "usual": 0.8,
        "lately": 0.3,
        "lights": {"day": 5.0},
    }
    node.tell(camera="camera_4", drift=drift)


def test_shows_on_which_camera_the_detector_does_worse_and_by_what(page: Page, node: Any) -> None:
    suspects(node)
    opened(page, node)
    row = page.get_by_role("row").filter(has_text="camera_4")
    expect(row).to_contain_text("sharpness falls from 0.80 to 0.30")
    expect(page.locator(".acc-head p")).to_contain_text("probably does worse")


def test_learns_one_camera_anew(page: Page, node: Any) -> None:
    suspects(node)
    opened(page, node)
    page.get_by_role("row").filter(has_text="camera_4").click(position={"x": 300, "y": 10})
    page.get_by_role("button", name="Learn anew…").click()
    page.get_by_role("button", name="Learn anew", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("camera_4: learnt anew from now on")


def test_says_what_there_is_not(page: Page, node: Any) -> None:
    opened(page, node)
    expect(page.get_by_text("No model was held to labelled pictures yet")).to_be_visible()
    expect(page.get_by_text("No candidate was shown frames")).to_be_visible()
    expect(page.get_by_text("Nobody reviewed frames yet")).to_be_visible()


def test_sets_a_model_and_says_why_it_is_refused(page: Page, node: Any) -> None:
    opened(page, node)
    node.tell(refuses="it is worse on the labelled pictures")
    page.get_by_role("button", name="Set another…").click()
    page.get_by_label("Its path").fill("/models/other.onnx")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("worse on the labelled pictures")


def test_lets_a_candidate_detect_for_some_cameras_and_says_why_it_is_refused(page: Page, node: Any) -> None:
    opened(page, node)
    node.tell(refuses="it is worse on the labelled pictures")
    canary = page.get_by_role("region", name="As a canary")
    canary.get_by_role("button", name="Begin…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Its path").fill("/models/other.onnx")
    dialog.get_by_label("Cameras").fill("camera_1, camera_2")
    for force in (False, True):
        dialog.get_by_label("Whatever labelled pictures say of it").set_checked(force)
        with page.expect_request(lambda asked: asked.method == "POST" and "canary" in asked.url) as asked:
            dialog.get_by_role("button", name="Begin", exact=True).click()
        body = asked.value.post_data_json
        assert (body["cameras"], body["force"]) == (["camera_1", "camera_2"], force)
        expect(dialog.get_by_role("alert")).to_contain_text("worse on the labelled pictures")


def test_fits_on_a_phone(phone: Page, node: Any) -> None:
    opened(phone, node)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


# ---- of a node on which everything is at work


def test_shows_each_stage_of_drift_with_what_speaks_for_it(page: Page, plenty: Any) -> None:
    opened(page, plenty)
    rows = page.get_by_role("grid", name="Drift").get_by_role("row")
    for camera, words in {
        "camera_3": "weak boxes up from 0.31 to 0.58",
        "camera_5": "sharpness down from 0.82 to 0.44",
        "camera_4": "unknown light",
        "camera_2": "learning 43%",
    }.items():
        expect(rows.filter(has_text=camera)).to_contain_text(words)
    expect(rows.filter(has_text="camera_5")).to_contain_text("picture changed")
    expect(page.locator(".acc-bar", has_text="Drift").first).to_contain_text(
        "1 suspected, 1 picture changed, 1 unknown light, 1 learning, 4 as usual"
    )
    rows.filter(has_text="camera_4").click(position={"x": 300, "y": 10})
    told = page.get_by_role("dialog", name="camera_4")
    expect(told).to_contain_text("dawn, rain")
    expect(told).to_contain_text("night, infrared")


def test_says_first_what_people_confirmed(page: Page, plenty: Any) -> None:
    opened(page, plenty)
    expect(page.locator(".acc-head p")).to_contain_text("1 figure is surely below the floor")
    first = page.locator(".acc-estimates tbody tr").first
    expect(first).to_contain_text("camera_3")
    expect(first).to_contain_text("64.1% 56.3 to 71.5")
    expect(first).to_contain_text("80% below")
    expect(page.locator(".acc-estimates")).to_contain_text("too few frames yet")
    expect(page.locator(".acc-estimates")).to_contain_text("site yard")


def test_shows_what_candidates_came_to(page: Page, plenty: Any) -> None:
    opened(page, plenty)
    shadow = page.get_by_role("region", name="In the shadow")
    expect(shadow).to_contain_text("rtdetr_r18.onnx")
    expect(shadow).to_contain_text("88.7% 87.1 to 90.2")
    expect(shadow).to_contain_text("failed on 3 frames")
    canary = page.get_by_role("region", name="As a canary")
    expect(canary).to_contain_text("picodet_s_yard_v2.onnx")
    expect(canary).to_contain_text("for all cameras after that")
    expect(canary.get_by_role("link")).to_have_text(["camera_1", "camera_2"])


def test_compares_runs_on_the_same_pictures_and_says_how_sure_it_is(page: Page, plenty: Any) -> None:
    opened(page, plenty)
    runs = page.get_by_role("region", name="Validation runs")
    better = runs.get_by_role("row").filter(has_text="picodet_s_yard_v2.onnx")
    worse = runs.get_by_role("row").filter(has_text="int8")
    expect(better).to_contain_text("surely better")
    expect(worse).to_contain_text("surely worse")
    expect(runs.locator(".acc-difference")).to_have_count(15)
    # Beside another one it is the other way round, and the address says which.
    better.get_by_role("button").click()
    expect(page).to_have_url(re.compile("beside="))
    expect(runs.get_by_role("row").filter(has_text="baseline")).to_contain_text("surely worse")
    page.get_by_role("combobox", name="Pictures").select_option("hall")
    expect(runs.locator("tbody tr")).to_have_count(1)


def test_leads_to_the_frames_that_wait_for_review(page: Page, plenty: Any) -> None:
    opened(page, plenty)
    waits = page.get_by_role("region", name="Waiting for review")
    expect(waits).to_contain_text("21 waiting, 21 reviewed")
    expect(waits).to_contain_text("drawn by chance")
    waits.get_by_role("link", name="Review", exact=True).click()
    expect(page.locator(".vr-stage[data-ready]")).to_be_visible()


def test_all_of_it_fits_on_a_phone(phone: Page, plenty: Any) -> None:
    opened(phone, plenty)
    expect(phone.get_by_role("region", name="Validation runs")).to_contain_text("surely better")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
