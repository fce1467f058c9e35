"""Logging in and out, as somebody does it in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from guarded import PASSWORD, add_user
from patience import PATIENCE_S
from servers import free_port, wait_for_port
from vedette.web.who.users import change

USERS = "users-north.json"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[str]:
    """Where a dashboard is that knows ann, a viewer."""
    add_user(tmp_path / USERS, "ann", "viewer")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    script = Path(__file__).with_name("login_server.py")
    with subprocess.Popen([sys.executable, script, str(port), tmp_path], env=environment) as server:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


def type_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def logged_in(page: Page, url: str) -> Page:
    page.goto(url)
    type_in(page, "ann", PASSWORD)
    expect(page).to_have_url(url)
    expect(page.get_by_text("ann viewer")).to_be_visible()
    return page


def test_a_wrong_password_is_told_and_the_right_one_leads_to_what_was_asked_for(
    page: Page, home: str
) -> None:
    page.goto(f"{home}/gaps?since=7d")
    expect(page).to_have_url(f"{home}/login?next=%2Fgaps%3Fsince%3D7d")
    expect(page.get_by_label("Name")).to_be_focused()
    type_in(page, "ann", "a guess of somebody")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page).to_have_url(re.compile("/login"))
    page.keyboard.type(PASSWORD)  # what was wrong is chosen, to be typed over
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{home}/gaps?since=7d")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gaps")
    expect(page.get_by_text("ann viewer")).to_be_visible()


def test_logging_out_ends_it_in_all_pages_that_are_open(page: Page, pages: BrowserContext, home: str) -> None:
    logged_in(page, f"{home}/system")
    other = pages.new_page()
    other.goto(f"{home}/gaps")
    expect(other.get_by_role("heading", level=1)).to_have_text("Gaps")
    (cookie,) = pages.cookies()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login"))
    other.bring_to_front()
    expect(other).to_have_url(f"{home}/login?next=%2Fgaps")
    pages.add_cookies([cookie])
    page.goto(f"{home}/system")
    expect(page).to_have_url(f"{home}/login?next=%2Fsystem")


def test_an_open_page_notices_that_its_user_may_no_longer(page: Page, home: str, tmp_path: Path) -> None:
    logged_in(page, f"{home}/system")
    change(tmp_path / USERS, lambda people: people.without("ann"))
    expect(page).to_have_url(f"{home}/login?next=%2Fsystem")
    type_in(page, "ann", PASSWORD)
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")


def test_who_must_wait_is_told_how_long_and_may_then(page: Page, home: str) -> None:
    waits = {"Retry-After": "2", "Content-Type": "application/problem+json"}

    def not_yet(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=429, headers=waits, body="{}")
        else:
            route.continue_()

    page.route("**/session", not_yet)
    page.goto(f"{home}/login")
    button = page.get_by_role("button", name="Log in")
    type_in(page, "ann", PASSWORD)
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"Too many tries\. Try again in \d s\."))
    expect(button).to_be_disabled()
    page.unroute("**/session")
    expect(button).to_be_enabled()
    button.click()
    expect(page).to_have_url(f"{home}/")


def test_who_is_logged_in_is_not_asked_again(page: Page, home: str) -> None:
    logged_in(page, f"{home}/system")
    page.goto(f"{home}/login?next=%2Fgaps")
    expect(page).to_have_url(f"{home}/gaps")
    page.goto(f"{home}/login?next=https://evil.example/")
    expect(page).to_have_url(f"{home}/")
