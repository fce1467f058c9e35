"""What the node is made of, as somebody sees it in a browser."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect


def opened(page: Page, node: Any, query: str = "") -> Page:
    page.goto(f"{node.url}/system{query}")
    expect(page.get_by_role("heading", level=1)).to_have_text("System")
    expect(page.get_by_role("rowheader", name="cameras-0")).to_be_visible()
    return page


def test_puts_another_process_in_a_workers_place(page: Page, node: Any) -> None:
    opened(page, node)
    page.get_by_role("button", name="Recycle cameras-0").click()
    page.get_by_role("button", name="Recycle", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("cameras-0 is replaced")


def test_shows_only_warnings_where_these_are_asked_for(page: Page, node: Any) -> None:
    opened(page, node)
    told = page.get_by_role("list", name="What happened")
    expect(told).to_contain_text("the node watches")
    page.get_by_role("button", name="warnings").click()
    expect(page).to_have_url(f"{node.url}/system?level=warning")
    expect(told).to_contain_text("nothing answers")
    expect(told).not_to_contain_text("the node watches")


def test_shows_the_configuration_now(page: Page, node: Any) -> None:
    opened(page, node)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Configuration", exact=True)).to_contain_text("camera_1")


def test_keeps_what_it_had_while_the_node_is_away(page: Page, node: Any) -> None:
    opened(page, node)
    node.tell(gone=True)
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_role("rowheader", name="cameras-0")).to_be_visible()


def test_fits_on_a_phone(phone: Page, node: Any) -> None:
    opened(phone, node)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


# ---- of a node on which everything is at work


def worker(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def whole(page: Page, plenty: Any) -> Page:
    page.goto(f"{plenty.url}/system")
    expect(page.get_by_role("rowheader", name="cameras-0.2")).to_be_visible()
    return page


def test_says_which_worker_leaks_and_where_that_leads(page: Page, plenty: Any) -> None:
    whole(page, plenty)
    leaking = worker(page, "cameras-0.2")
    expect(leaking).to_contain_text("leaks memory: 14 MB an hour")
    expect(leaking).to_contain_text("leaks files: 3.5 an hour")
    expect(leaking).to_contain_text(re.compile(r"14\.\d MB an hour, all memory in \d+ d"))
    expect(leaking).to_contain_text("2 × leak memory")
    expect(worker(page, "cameras-1.1")).to_contain_text("none for sure")
    expect(worker(page, "cameras-2")).to_contain_text("in quarantine: it died too often")
    expect(worker(page, "node")).to_contain_text("96 MB")


def test_tells_candidates_from_workers_and_recycles_only_these(page: Page, plenty: Any) -> None:
    whole(page, plenty)
    expect(worker(page, "canary-0")).to_contain_text("a canary: picodet_s_yard_v2.onnx")
    expect(worker(page, "shadow-0")).to_contain_text("in the shadow: rtdetr_r18.onnx")
    expect(page.get_by_role("button", name="Recycle canary-0")).to_have_count(0)
    expect(page.get_by_role("button", name="Recycle inference-0")).to_be_visible()


def test_shows_stages_of_the_last_minutes_or_since_the_start(page: Page, plenty: Any) -> None:
    whole(page, plenty)
    stages = page.get_by_role("region", name="Where the time goes")
    infer = stages.get_by_role("row").filter(has_text="infer")
    expect(stages.get_by_role("button", name="last 5 min")).to_have_attribute("aria-pressed", "true")
    expect(infer).to_contain_text("22 ms")
    stages.get_by_role("button", name="since the start").click()
    expect(infer).to_contain_text("18 ms")
    expect(stages.get_by_role("columnheader", name="Of all")).to_be_visible()


def test_shows_what_sinks_lost_and_the_last_hours(page: Page, plenty: Any) -> None:
    whole(page, plenty)
    sinks = page.get_by_role("region", name="Sinks")
    expect(sinks.get_by_role("row").filter(has_text="mqtt")).to_contain_text("1,650")
    memory = page.get_by_role("group", name=re.compile("^Memory of each process"))
    expect(memory).to_contain_text("cameras-0.2")
    memory.focus()
    page.keyboard.press("ArrowLeft")
    expect(memory).to_have_attribute("aria-label", re.compile("cameras-0.2 [0-9]+ MB.* at "))


def test_does_not_say_of_a_node_at_rest_that_something_holds_it_back(page: Page, plenty: Any) -> None:
    whole(page, plenty)
    expect(page.locator(".sys-head p")).to_contain_text("Nothing holds it back")
    expect(page.locator(".sys-slow")).to_have_count(0)


def test_all_of_it_fits_on_a_phone(phone: Page, plenty: Any) -> None:
    whole(phone, plenty)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
