"""An address at which there is nothing."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from patience import PATIENCE_S


def test_an_address_at_which_there_is_nothing_leads_back(page: Page, node: Any) -> None:
    answer = page.goto(f"{node.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    page.get_by_role("link", name="Back to its cameras").click()
    expect(page).to_have_url(f"{node.url}/")


def test_a_program_is_told_so_in_json(node: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(f"{node.url}/nowhere", timeout=PATIENCE_S)
    with found.value as answer:
        assert (answer.code, answer.headers.get_content_type()) == (404, "application/json")
