"""How well it is seen, as somebody asks it in a browser."""

from __future__ import annotations

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
