"""Logging in, staying so, and no longer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from guarded import HOME, PASSWORD, QUICK, Place, Visitor, add_user
from vedette.web.settings import WebSettings
from vedette.web.who.passwords import hashed
from vedette.web.who.roles import ROLES, covers
from vedette.web.who.sessions import ABSOLUTE_S, IDLE_S, OF_ONE_NAME, Sessions
from vedette.web.who.users import User, change

EVERYBODY = [(f"a-{role}", role) for role in ROLES]


def cookie(visitor: Visitor) -> str:
    (value,) = [each.value for each in visitor.cookies.jar]
    assert value
    return value


def audited(place: Place) -> list[dict[str, object]]:
    place.guard.close()
    return [json.loads(line) for line in place.audited.read_text().splitlines()]


def everything_in(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.iterdir())


async def test_nobody_may_anything_before_logging_in(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "admin")]).visitor() as visitor:
        for method, path in (
            *(("GET", "/api/v1/things"), ("POST", "/api/v1/admin"), ("POST", "/api/v1/forgotten")),
            *(
                ("GET", "/review/api/progress"),
                ("POST", "/"),
                ("GET", "/nothing"),
                ("GET", "/api/v1/session"),
            ),
        ):
            answer = await visitor.request(method, path)
            assert (answer.status_code, answer.json()["kind"]) == (401, "not-known"), path
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_person_is_sent_to_log_in_and_comes_back(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "viewer")]).visitor(Accept="text/html") as visitor:
        answer = await visitor.get("/camera/gate?since=24h")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Fcamera%2Fgate%3Fsince%3D24h"
        page = await visitor.get(answer.headers["location"])
        assert 'data-next="/camera/gate?since=24h"' in page.text
        assert (await visitor.log_in("ann")).json() | {"csrf": ""} == {
            "name": "ann",
            "role": "viewer",
            "by": "session",
            "csrf": "",
        }
        again = await visitor.get(answer.headers["location"])
        assert (again.status_code, again.headers["location"]) == (303, "/camera/gate?since=24h")


async def test_the_cookie_is_for_this_site_only_and_for_no_script(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as plain, place.visitor("https://127.0.0.1:8700") as over_tls:
        said = (await plain.log_in("ann")).headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} <= {each.strip() for each in said.split(";")}
        assert "secure" not in said
        assert "domain" not in said
        safe = (await over_tls.log_in("ann")).headers["set-cookie"]
        assert safe.startswith("__Host-vedette-")
        assert "secure" in safe.lower()


async def test_what_an_id_was_before_logging_in_does_not_matter(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer"), ("bob", "viewer")])
    async with place.visitor() as visitor:
        visitor.cookies.set(place.guard.cookie, "chosen-by-somebody-else", domain="127.0.0.1")
        assert (await visitor.get("/api/v1/things")).status_code == 401
        visitor.cookies.clear()
        await visitor.log_in("ann")
        first = cookie(visitor)
        await visitor.log_in("bob")
        assert cookie(visitor) != first
        stale = {"Cookie": f"{place.guard.cookie}={first}"}
        async with place.visitor() as other:
            assert (await other.get("/api/v1/things", headers=stale)).status_code == 401


async def test_of_two_cookies_of_the_name_the_true_one_counts(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as visitor, place.visitor() as other:
        await visitor.log_in("ann")
        name, true = place.guard.cookie, cookie(visitor)
        both = {"Cookie": f'x="; {name}=tossed; {name}={true}'}
        assert (await other.get("/api/v1/things", headers=both)).status_code == 200


async def test_logging_out_ends_it(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as visitor:
        await visitor.log_in("ann")
        sent = {"Cookie": f"{place.guard.cookie}={cookie(visitor)}"}
        assert (await visitor.delete("/api/v1/session")).status_code == 204
        assert not visitor.cookies
        assert (await visitor.get("/api/v1/things", headers=sent)).status_code == 401


async def test_it_ends_when_nobody_asks_for_half_a_day_and_after_a_week_in_any_case(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as visitor:
        await visitor.log_in("ann")
        place.later(IDLE_S - 1)
        assert (await visitor.get("/api/v1/things")).status_code == 200
        place.later(IDLE_S + 1)
        assert (await visitor.get("/api/v1/things")).status_code == 401
        await visitor.log_in("ann")
        began = place.clock.now
        while place.clock.now - began + IDLE_S < ABSOLUTE_S:
            place.later(IDLE_S)
            assert (await visitor.get("/api/v1/things")).status_code == 200
        place.later(IDLE_S)
        place.later(1)
        assert (await visitor.get("/api/v1/things")).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        User("ann", "viewer", password=hashed("another password", QUICK)),
        User("ann", "admin"),
        User("ann", "viewer", disabled=True),
    ],
    ids=["password", "role", "disabled"],
)
async def test_it_ends_with_what_it_rested_on(tmp_path: Path, changed: User) -> None:
    place = Place(tmp_path, [("ann", "viewer"), ("bob", "viewer")])
    async with place.visitor() as ann, place.visitor() as bob:
        await ann.log_in("ann")
        await bob.log_in("bob")
        change(place.users, lambda people: people.with_user(changed))
        place.later()
        assert (await ann.get("/api/v1/things")).status_code == 401
        assert (await bob.get("/api/v1/things")).status_code == 200
        change(place.users, lambda people: people.without("bob"))
        place.later()
        assert (await bob.get("/api/v1/things")).status_code == 401


def test_there_are_only_so_many_at_a_time() -> None:
    sessions = Sessions()
    ids = [sessions.begin("ann", "stamp", float(number))[0] for number in range(OF_ONE_NAME + 1)]
    assert len(sessions) == OF_ONE_NAME
    assert sessions.find(ids[0], lambda _: "stamp", 60.0) is None
    assert sessions.find(ids[1], lambda _: "stamp", 60.0) is not None


async def test_a_change_needs_the_sessions_own_token(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin"), ("bob", "admin")])
    async with place.visitor() as visitor, place.visitor() as other:
        await visitor.log_in("ann")
        await other.log_in("bob")
        right = visitor.headers.pop("X-Vedette-CSRF")
        assert (await visitor.get("/api/v1/session")).json()["csrf"] == right
        for wrong in ({}, {"X-Vedette-CSRF": "x"}, {"X-Vedette-CSRF": other.headers["X-Vedette-CSRF"]}):
            for own in ({}, {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}):
                answer = await visitor.post("/api/v1/admin", headers=wrong | own)
                assert (answer.status_code, answer.json()["kind"]) == (403, "csrf")
        assert (await visitor.delete("/api/v1/session")).status_code == 403
        good = {"X-Vedette-CSRF": right}
        assert (await visitor.post("/api/v1/admin", headers=good)).status_code == 200
        evil = good | {"Origin": "https://evil.example"}
        assert (await visitor.post("/api/v1/admin", headers=evil)).status_code == 403


async def test_no_form_of_another_site_logs_anybody_in(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "admin")]).visitor() as visitor:
        body = json.dumps({"name": "ann", "password": PASSWORD})
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await visitor.post("/api/v1/session", content=body, headers={"Content-Type": kind})
            assert answer.status_code == 415
        evil = {"Origin": "https://evil.example"}
        json_too = await visitor.post("/api/v1/session", json=json.loads(body), headers=evil)
        assert json_too.status_code == 403
        assert not visitor.cookies


@pytest.mark.parametrize("has", ROLES)
async def test_each_role_may_what_it_covers(tmp_path: Path, has: str) -> None:
    place = Place(tmp_path, EVERYBODY)
    token = place.token(f"a-{has}", has)
    async with place.visitor() as person, place.visitor(Authorization=f"Bearer {token}") as program:
        await person.log_in(f"a-{has}")
        for visitor in (person, program):
            assert (await visitor.get("/api/v1/things")).json()["role"] == has
            for needed in ROLES:
                answer = await visitor.post(f"/api/v1/{needed}")
                expected = 200 if covers(has, needed) and covers(has, "reviewer") else 403
                assert answer.status_code == expected, (has, needed)
            changes = 200 if covers(has, "reviewer") else 403
            assert (await visitor.get("/review/api/progress")).status_code == 200
            assert (await visitor.post("/review/api/save")).status_code == changes
            assert (await visitor.post("/api/v1/forgotten")).status_code == changes


async def test_a_program_needs_no_cookie_and_a_wrong_token_is_not_made_good_by_one(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    token = place.token("ann", "operator", "deploy")
    async with place.visitor() as visitor:
        good, wrong = {"Authorization": f"bearer {token}"}, {"Authorization": "Bearer vedette_x"}
        assert (await visitor.get("/api/v1/things", headers=good)).json() == {
            "name": "ann",
            "role": "operator",
            "by": "token deploy",
        }
        assert (await visitor.post("/api/v1/admin", headers=good)).status_code == 403
        await visitor.log_in("ann")
        for bad in (
            wrong,
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer é\udcff".encode("utf-8", "surrogatepass")},
        ):
            assert (await visitor.get("/api/v1/things", headers=bad)).status_code == 401
        # Not in the address, where logs and neighbours see it.
        async with place.visitor() as other:
            assert (await other.get(f"/api/v1/things?token={token}")).status_code == 401


async def test_a_token_is_never_more_than_its_user_and_ends_with_them(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    token = place.token("ann", "admin")
    async with place.visitor(Authorization=f"Bearer {token}") as visitor:
        change(
            place.users, lambda people: people.with_user(User("ann", "viewer", tokens=people.users[0].tokens))
        )
        place.later()
        assert (await visitor.get("/api/v1/things")).json()["role"] == "viewer"
        disabled = User("ann", "admin", disabled=True)
        change(place.users, lambda people: people.with_user(disabled))
        place.later()
        assert (await visitor.get("/api/v1/things")).status_code == 401


async def test_the_tokens_themselves_are_kept_nowhere_and_their_use_is_known(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    token = place.token("ann", "viewer")
    async with place.visitor(Authorization=f"Bearer {token}") as visitor:
        await visitor.get("/api/v1/things")
    used = place.users.with_name("users-node.json.used")
    for _ in range(500):
        if used.exists():
            break
        await asyncio.sleep(0.01)
    kept = everything_in(tmp_path)
    assert token not in kept
    assert token.removeprefix("vedette_") not in kept
    assert PASSWORD not in kept
    assert list(json.loads(used.read_text()).values()) == [place.clock.wall()]


async def test_guesses_are_answered_alike_and_then_made_to_wait(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin"), ("gone", "viewer")])
    change(
        place.users,
        lambda people: people.with_user(
            User("gone", "viewer", password=hashed(PASSWORD, QUICK), disabled=True)
        ),
    )
    change(place.users, lambda people: people.with_user(User("robot", "viewer")))
    place.later()
    async with place.visitor() as visitor:
        bodies = {
            (await visitor.log_in(name, password)).text
            for name, password in (
                *(("ann", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), ("robot", ""), ("ann", "")),
            )
        }
        assert len(bodies) == 1
        answers = [await visitor.log_in("ann", f"guess {number}") for number in range(20)]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await visitor.log_in("ann")).status_code == 429
        place.later(3600)
        assert (await visitor.log_in("ann")).status_code == 200


async def test_many_guesses_at_once_are_no_way_around_the_wait(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    async with place.visitor() as visitor:
        tries = [visitor.log_in("ann", f"guess {number}") for number in range(100)]
        codes = [answer.status_code for answer in await asyncio.gather(*tries)]
        assert codes.count(401) <= 5
        assert set(codes) == {401, 429}


async def test_an_address_that_is_only_said_is_not_gone_by(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    async with place.visitor(address="203.0.113.9") as visitor:
        for number in range(30):
            said = {"X-Forwarded-For": f"198.51.100.{number}"}
            answer = await visitor.post(
                "/api/v1/session", json={"name": f"n{number}", "password": "wrong"}, headers=said
            )
        assert answer.status_code == 429


async def test_behind_a_proxy_that_is_trusted_each_visitor_has_an_address_of_their_own(
    tmp_path: Path,
) -> None:
    add_user(tmp_path / "users-node.json", "ann", "admin")
    settings = WebSettings(trusts=("127.0.0.1", "10.0.0.0/8"), hosts=("cameras.example",))
    place = Place(tmp_path, settings=settings)
    async with place.visitor("http://cameras.example") as visitor:
        through = {
            "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.1.2.3",
            "X-Forwarded-Proto": "https",
            "Origin": "https://cameras.example",
        }
        said = await visitor.post(
            "/api/v1/session", json={"name": "ann", "password": PASSWORD}, headers=through
        )
        assert said.headers["set-cookie"].startswith("__Host-")
        assert "strict-transport-security" in said.headers
        id = said.headers["set-cookie"].partition("=")[2].partition(";")[0]
        sent = through | {"Cookie": f"__Host-{place.guard.cookie}={id}"}
        assert (await visitor.get("/api/v1/address", headers=sent)).json() == {
            "client": "203.0.113.9",
            "scheme": "https",
        }
    assert audited(place)[0]["address"] == "203.0.113.9"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'{"name": 1, "password": 2}', b'{"name": "", "password": "x"}', b"\xff\xfe"),
        *(b'{"name": "ann", "password": "x", "role": "admin"}', b"[" * 5000, b'{"name": "ann"}'),
        b'{"name": "' + b"n" * 65 + b'", "password": "x"}',
    ],
)
async def test_garbage_logs_nobody_in_and_is_not_repeated(tmp_path: Path, body: bytes) -> None:
    async with Place(tmp_path, [("ann", "admin")]).visitor() as visitor:
        answer = await visitor.post(
            "/api/v1/session", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400
        assert "admin" not in answer.text


@pytest.mark.parametrize("name", ["<script>", "a\r\nSet-Cookie: x=y", "\x00", "ann\u202e", "\ud800"])
async def test_odd_names_are_wrong_names(tmp_path: Path, name: str) -> None:
    async with Place(tmp_path, [("ann", "admin")]).visitor() as visitor:
        body = json.dumps({"name": name, "password": "x"})
        answer = await visitor.post(
            "/api/v1/session", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 401)
        assert "set-cookie" not in answer.headers


async def test_who_did_what_is_written_down_without_secrets(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor(address="203.0.113.9") as visitor:
        await visitor.log_in("ann", "not the password")
        await visitor.log_in("my password by mistake", "x")
        await visitor.log_in("ann")
        await visitor.post("/api/v1/admin")
        await visitor.delete("/api/v1/session")
    place.guard.audit("ann", "add camera", "rtsp://me:secret@host/1?token=abc\nx", "done")
    lines = audited(place)
    assert [(each["who"], each["action"], each["outcome"]) for each in lines] == [
        ("ann", "log in", "refused"),
        ("somebody unknown", "log in", "refused"),
        ("ann", "log in", "done"),
        ("ann", "refused", "needs admin"),
        ("ann", "log out", "done"),
        ("ann", "add camera", "done"),
    ]
    assert {each["address"] for each in lines[:5]} == {"203.0.113.9"}
    text = place.audited.read_text()
    assert "secret" not in text
    assert "by mistake" not in text
    assert place.audited.stat().st_mode & 0o777 == 0o600


OURS = {"Host": "127.0.0.1:8700"}
"""This client sends another one over WebSockets, whatever it is told its home is."""


def visit(place: Place, headers: dict[str, str] | None = None) -> TestClient:
    return TestClient(place.app, base_url=HOME, headers=headers)


def logged_in(browser: TestClient, name: str) -> tuple[dict[str, str], str]:
    """What it sends over WebSockets from then on, and the session's token."""
    said = browser.post("/api/v1/session", json={"name": name, "password": PASSWORD})
    sent = said.headers["set-cookie"].partition(";")[0]
    return OURS | {"Cookie": sent}, said.json()["csrf"]


def refused(browser: TestClient, path: str, headers: dict[str, str]) -> bool:
    try:
        with browser.websocket_connect(path, headers=headers):
            return False
    except WebSocketDisconnect as err:
        return err.code == 1008


def test_a_websocket_needs_a_session_and_a_page_of_ours(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    with visit(place) as browser:
        assert refused(browser, "/api/v1/ws", OURS)
        assert refused(browser, "/api/v1/ws", OURS | {"Origin": HOME})
        known, _ = logged_in(browser, "ann")
        with browser.websocket_connect("/api/v1/ws", headers=known | {"Origin": HOME}) as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "ann: 5"
        for odd in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
            assert refused(browser, "/api/v1/ws", known | odd)
        assert refused(browser, "/api/v1/steers", known)


def test_a_websocket_ends_with_the_session_and_with_a_message_that_is_too_large(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    with visit(place) as browser:
        known, csrf = logged_in(browser, "ann")
        with browser.websocket_connect("/api/v1/ws", headers=known) as socket:
            socket.send_text("x" * 1_000_001)
            assert socket.receive()["code"] == 1009
        with browser.websocket_connect("/api/v1/ws", headers=known) as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "ann: 5"
            assert browser.delete("/api/v1/session", headers={"X-Vedette-CSRF": csrf}).status_code == 204
            ended = socket.receive()
            assert (ended["type"], ended["code"]) == ("websocket.close", 1008)


def test_a_websocket_ends_when_its_user_is_disabled(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    token = place.token("ann", "viewer")
    program = visit(place, {"Authorization": f"Bearer {token}"})
    with program, program.websocket_connect("/api/v1/ws", headers=OURS) as socket:
        change(place.users, lambda people: people.with_user(User("ann", "viewer", disabled=True)))
        place.later()
        assert socket.receive()["code"] == 1008


async def test_a_stream_ends_with_the_session(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    place.guard.streams._every_s = 0.02
    async with place.visitor() as visitor:
        await visitor.log_in("ann")
        # All of it is read before the answer is given to the test: it comes to an end at all.
        stream = asyncio.create_task(visitor.get("/api/v1/stream"))
        while not len(place.guard.streams):
            await asyncio.sleep(0.01)
        assert not stream.done()
        await visitor.delete("/api/v1/session")
        answer = await stream
        assert answer.status_code == 200
        assert answer.content.startswith(b"data: 1\n\n")
        assert not len(place.guard.streams)


async def test_who_may_only_look_cannot_push_out_what_others_changed(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as visitor:
        await visitor.log_in("ann")
        for _ in range(100):
            assert (await visitor.post("/api/v1/admin")).status_code == 403
        place.later(61)
        assert (await visitor.post("/api/v1/admin")).status_code == 403
    refused = [line for line in audited(place) if line["action"] == "refused"]
    assert len(refused) <= 30
    assert "80 more before" in str(refused[-1]["outcome"])
