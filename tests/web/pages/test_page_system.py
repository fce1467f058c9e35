"""What the node is made of, as somebody sees it in a browser."""

from __future__ import annotations

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
