"""On this machine, and nobody was added: everybody may everything, and no other site's page may anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from guarded import HOME, Place, add_user
from vedette.errors import ConfigError
from vedette.web.settings import WebSettings

FROM_ANOTHER_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


async def test_whoever_is_on_this_machine_may_everything(tmp_path: Path) -> None:
    async with Place(tmp_path).visitor() as visitor:
        assert (await visitor.get("/api/v1/things")).json() == {
            "name": "local",
            "role": "admin",
            "by": "local",
        }
        assert (await visitor.post("/api/v1/admin")).status_code == 200
        assert (await visitor.get("/api/v1/session")).json()["csrf"] == ""
        assert (await visitor.get("/")).text == "<h1>Fleet</h1>"


@pytest.mark.parametrize(
    "home", ["http://localhost:9000", "http://[::1]:8700", "http://127.0.0.1", "http://LOCALHOST:8700"]
)
async def test_it_is_reached_by_the_names_of_this_machine_and_through_any_port(
    tmp_path: Path, home: str
) -> None:
    async with Place(tmp_path).visitor(home) as visitor:
        assert (await visitor.get("/api/v1/things")).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8700", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("127.0.0.1@evil.example", "192.168.1.7:8700", "", "127.0.0.1:8700, evil.example", "2130706433"),
        *("localhost:8700/", "[::1", "evil.example#127.0.0.1", "127.0.0.1 ", "0.0.0.0"),
    ],
)
async def test_a_name_that_was_made_to_lead_here_is_refused(tmp_path: Path, host: str) -> None:
    async with Place(tmp_path).visitor(Host=host) as visitor:
        for method, path in (
            ("GET", "/api/v1/things"),
            ("POST", "/api/v1/admin"),
            ("GET", "/"),
            ("GET", "/login"),
        ):
            answer = await visitor.request(method, path)
            assert answer.status_code == 400
            assert answer.headers["content-type"] == "application/problem+json"


async def test_two_host_headers_are_refused(tmp_path: Path) -> None:
    async with Place(tmp_path).visitor() as visitor:
        two = [("Host", "127.0.0.1:8700"), ("Host", "evil.example")]
        assert (await visitor.get("/api/v1/things", headers=two)).status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        FROM_ANOTHER_SITE,
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "https://127.0.0.1:8700.evil.example"},
        {"Origin": "http://localhost:8700"},
        {"Origin": "file://"},
        {"Origin": "chrome-extension://127.0.0.1:8700"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "something-new"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
async def test_a_page_of_another_site_can_neither_do_nor_read_anything(
    tmp_path: Path, method: str, headers: dict[str, str]
) -> None:
    async with Place(tmp_path).visitor() as visitor:
        for path in ("/api/v1/things", "/api/v1/admin", "/"):
            answer = await visitor.request(method, path, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["kind"] == "foreign"
            assert "access-control-allow-origin" not in answer.headers


async def test_a_link_on_another_site_leads_to_a_page_but_a_form_there_sends_nothing(tmp_path: Path) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    async with Place(tmp_path).visitor() as visitor:
        assert (await visitor.get("/", headers=link)).status_code == 200
        form = link | {"Origin": "https://evil.example"}
        assert (await visitor.post("/api/v1/admin", headers=form)).status_code == 403
        assert (await visitor.post("/api/v1/admin", headers=link)).status_code == 403


async def test_its_own_pages_may_ask(tmp_path: Path) -> None:
    own = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
    async with Place(tmp_path).visitor() as visitor:
        assert (await visitor.post("/api/v1/admin", headers=own)).status_code == 200


async def test_a_proxy_on_this_machine_does_not_open_it_to_others(tmp_path: Path) -> None:
    async with Place(tmp_path).visitor() as visitor:
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via"):
            answer = await visitor.get("/api/v1/things", headers={header: "203.0.113.7"})
            assert (answer.status_code, answer.json()["kind"]) == (403, "through-proxy")


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.7", "node.example"])
def test_nothing_is_served_to_others_before_there_is_a_user(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="vedette user add NAME --role admin"):
        Place(tmp_path, host=host)
    add_user(tmp_path / "users-node.json", "ann", "admin")
    Place(tmp_path, host=host)


def test_a_proxy_that_is_trusted_needs_users_as_well(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vedette user add"):
        Place(tmp_path, settings=WebSettings(trusts=("127.0.0.1",)))


def test_a_users_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        Place(tmp_path, settings=WebSettings(users=tmp_path / "elsewhere.json"))


async def test_the_first_user_closes_it_while_it_runs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with place.visitor() as visitor:
        assert (await visitor.get("/api/v1/things")).status_code == 200
        add_user(place.users, "ann", "admin")
        place.later()
        assert (await visitor.get("/api/v1/things")).status_code == 401
        assert (await visitor.log_in("ann")).status_code == 200
        assert (await visitor.get("/api/v1/things")).json()["name"] == "ann"


async def test_it_does_not_open_again_when_the_users_are_gone(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    async with place.visitor() as visitor:
        place.users.unlink()
        place.later()
        answer = await visitor.get("/api/v1/things")
        assert (answer.status_code, answer.json()["kind"]) == (503, "users-unreadable")
