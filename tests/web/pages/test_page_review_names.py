"""Whose review it is, where people log in: theirs who did, whatever the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from guarded import PASSWORD
from vedette.quality.review.store import Store
from web.pages.conftest import Dashboard


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names")


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Dashboard]:
    """Where ``grace`` may review."""
    opened = Dashboard(folder, 2, "--plenty", "--reviewer", "grace")
    yield opened
    opened.end()


@pytest.fixture
def desk(page: Page, guarded: Any) -> Page:
    """Opened by ``grace``, who has logged in."""
    page.goto(f"{guarded.url}/review")
    page.get_by_label("Name").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".vr-stage[data-ready]")).to_be_visible()
    return page


def test_the_desk_knows_who_has_logged_in_and_lets_nobody_say_otherwise(desk: Page) -> None:
    expect(desk.locator(".vr-name")).to_have_text("Reviewer grace")
    expect(desk.get_by_label("Reviewer")).to_have_count(0)


def test_a_review_is_written_under_the_name_of_whoever_logged_in(desk: Page, folder: Path) -> None:
    item = str(desk.locator(".vr-stage").get_attribute("data-item"))
    # A page that says something else, as one may that was open before.
    desk.route(
        "**/review/api/save", lambda route: route.continue_(post_data=_by_somebody_else(route.request))
    )
    desk.keyboard.press("Shift+D")
    expect(desk.locator(f'.vr-stage[data-item="{item}"]')).to_have_count(0)
    with Store.open(folder / "review", readonly=True) as store:
        said = {each.item: each.review.reviewer for each in store.reviews()}
    assert said[item] == "grace"


def _by_somebody_else(request: Any) -> dict[str, Any]:
    return {**request.post_data_json, "reviewer": "mallory"}
