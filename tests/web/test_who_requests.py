"""What is refused whoever asks, and what holds for every answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from guarded import HOME, PASSWORD, Place, add_user
from vedette.web.settings import WebSettings
from vedette.web.who.asked import Asked
from vedette.web.who.bodies import Body
from vedette.web.who.login import local_path
from vedette.web.who.origin import foreign, host_of, is_ours, networks, sender


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/login", "/login/login.css", "/api/v1/things", "/nothing", "/livez", "/api/v1/breaks"),
        *("/api/v1/session", "//evil.example", "/..%2f"),
    ],
)
async def test_every_answer_tells_browsers_what_to_hold_it_to(tmp_path: Path, path: str) -> None:
    for users in ([], [("ann", "viewer")]):
        async with Place(tmp_path, users).visitor() as visitor:
            headers = (await visitor.get(f"{HOME}{path}")).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            assert "strict-transport-security" not in headers
            if path != "/login/login.css":
                assert headers["cache-control"] == "no-store"


async def test_over_tls_browsers_are_told_to_stay_there(tmp_path: Path) -> None:
    async with Place(tmp_path).visitor("https://127.0.0.1:8700") as visitor:
        answer = await visitor.get("/")
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "wss://127.0.0.1:8700" in answer.headers["content-security-policy"]


async def test_the_login_page_runs_nothing_but_its_own_script(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "viewer")]).visitor() as visitor:
        page = await visitor.get("/login")
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert (await visitor.get("/login/login.js")).headers["content-type"].startswith("text/javascript")
        for name in ("guard.py", "..%2fguard.py", "login.html"):
            assert (await visitor.get(f"/login/{name}")).status_code in (400, 401, 404)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/../etc/passwd",
            "/login/../api/v1/things",
            "/login/%2e%2e/api/v1/things",
            "/..%2f..%2fetc/passwd",
        ),
        *("/_nicegui/3.0/static/../../../api/v1/things", "/_nicegui/3.0/static/..%2f..%2fx", "/a%5c..%5cb"),
        *("//api/v1/things", "/%00", "/login%0d%0aX-Evil:1", "/./api", "/api/v1/things/.."),
    ],
)
async def test_paths_that_go_up_or_hide_something_are_refused(tmp_path: Path, path: str) -> None:
    place = Place(tmp_path, [("ann", "admin")])
    status = 0
    headers: list[tuple[bytes, bytes]] = []

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message["headers"]

    async def receive() -> Message:
        return {"type": "http.request"}

    from urllib.parse import unquote

    # Put together by hand: clients tidy paths up before they send them.
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8700")],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "root_path": "",
    }
    await place.app(scope, receive, send)
    assert status == 400
    assert not any(name.lower() == b"x-evil" for name, _ in headers)


async def test_nothing_that_is_sent_comes_back_as_a_header(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "admin")]).visitor(Accept="text/html") as visitor:
        answer = await visitor.get("/camera?x=%0d%0aSet-Cookie:%20a=b&next=//evil.example")
        assert answer.status_code == 303
        assert "set-cookie" not in answer.headers
        assert urlsplit(answer.headers["location"]).netloc == ""
        page = await visitor.get('/login?next=/"><script>alert(1)</script>')
        assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "\t//evil.example",
        ),
        *("/\t/evil.example", "/\n/evil.example", "evil.example", "", "///evil.example", "/\\/evil.example"),
        *(
            " /x",
            "/x y",
            "/login",
            "/login?next=/login",
            "/login/login.js",
            "\\\\evil.example",
            "/" + "x" * 3000,
        ),
    ],
)
def test_after_logging_in_one_goes_nowhere_else(wanted: str) -> None:
    assert local_path(wanted) == "/"


@given(st.text(max_size=30) | st.text(alphabet="/\\:.@?#\t\n ea", max_size=12).map(lambda text: f"/{text}"))
def test_where_one_goes_is_always_a_path_here(text: str) -> None:
    path = local_path(text)
    for scheme in ("http", "https"):
        there = urlsplit(urljoin(f"{scheme}://here.example/login", path.replace("\\", "/")))
        assert (there.scheme, there.netloc) == (scheme, "here.example")


async def test_a_body_is_no_larger_than_it_may_be_however_it_is_sent(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.guard.bodies("/api/v1/large", 3_000_000, "admin")

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 100_000

    async with place.visitor() as visitor:
        assert (await visitor.post("/api/v1/size", content=pieces(10))).json() == 1_000_000
        for content in (b"x" * 1_000_001, pieces(11)):
            answer = await visitor.post("/api/v1/size", content=content)
            assert (answer.status_code, answer.json()["kind"]) == (413, "too-large")
        lying = {"Content-Length": "10"}
        assert (await visitor.post("/api/v1/size", content=pieces(11), headers=lying)).status_code == 413


async def test_who_is_not_known_sends_little(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "admin")]).visitor() as visitor:
        body = {"name": "ann", "password": "x" * 20_000}
        assert (await visitor.post("/api/v1/session", json=body)).status_code == 413


async def test_only_those_who_may_send_much(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "admin"), ("bob", "operator")])
    place.guard.bodies("/api/v1/size", 3_000_000, "admin")
    async with place.visitor() as ann, place.visitor() as bob:
        await ann.log_in("ann")
        await bob.log_in("bob")
        assert (await ann.post("/api/v1/size", content=b"x" * 2_000_000)).json() == 2_000_000
        assert (await bob.post("/api/v1/size", content=b"x" * 2_000_000)).status_code == 413
        assert (await ann.post("/api/v1/size", content=b"x" * 3_000_001)).status_code == 413


async def test_a_body_that_stands_still_is_not_waited_for() -> None:
    sent = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Message:
        if sent:
            return sent.pop()
        await asyncio.sleep(3600)
        raise AssertionError

    body = Body(receive, 100, quiet_s=0.01, within_s=None)
    assert (await body())["body"] == b"x"
    assert (await body())["type"] == "http.disconnect"
    assert body.refused is not None
    assert body.refused.status == 408


async def test_a_body_that_comes_byte_by_byte_must_be_there_in_time() -> None:
    async def receive() -> Message:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"x", "more_body": True}

    body = Body(receive, 10**9, quiet_s=3600, within_s=0.05)
    while (await body())["type"] == "http.request":
        pass
    assert body.refused is not None
    assert body.refused.kind == "too-slow"


async def test_a_mistake_of_ours_is_told_with_all_headers_too(tmp_path: Path) -> None:
    async with Place(tmp_path).visitor() as visitor:
        answer = await visitor.get("/api/v1/breaks")
        assert answer.status_code == 500
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_probes_are_answered_whoever_asks_by_whatever_name(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as visitor, place.visitor(Host="10.1.2.3:8700") as probe:
        assert (await probe.get("/livez")).json() == {"known": False}
        assert (await probe.get("/readyz")).json() == {"known": False}
        assert (await probe.post("/livez")).status_code == 400
        await visitor.log_in("ann")
        assert (await visitor.get("/readyz")).json() == {"known": True}


async def test_scripts_and_styles_of_the_package_are_for_everybody_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    async with Place(tmp_path, [("ann", "viewer")]).visitor() as visitor:
        for path in ("static/x.js", "libraries/x.js", "components/x.js", "resources/k/x", "esm/k/x.js"):
            assert (await visitor.get(f"/_nicegui/3.18.0/{path}")).status_code == 404
        for path in (
            "/_nicegui/auto/static/t/secret.jpg",
            "/_nicegui/client/c/upload/1",
            "/_nicegui_ws/socket.io/",
        ):
            assert (await visitor.get(path)).status_code == 401


async def test_a_page_keeps_its_connection_by_its_origin(tmp_path: Path) -> None:
    async with Place(tmp_path, [("ann", "viewer")]).visitor() as visitor:
        await visitor.log_in("ann")
        del visitor.headers["X-Vedette-CSRF"]
        poll = "/_nicegui_ws/socket.io/?transport=polling"
        assert (await visitor.post(poll, headers={"Origin": HOME})).status_code == 404
        assert (await visitor.post(poll)).status_code == 403
        assert (await visitor.post(poll, headers={"Origin": "https://evil.example"})).status_code == 403


async def test_what_untrusted_proxies_say_reaches_nobody(tmp_path: Path) -> None:
    place = Place(tmp_path, [("ann", "viewer")])
    async with place.visitor() as visitor:
        await visitor.log_in("ann")
        said = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "//evil"}
        assert (await visitor.get("/api/v1/address", headers=said)).json() == {
            "client": "127.0.0.1",
            "scheme": "http",
        }
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"Host", b"x"), (b"X-Forwarded-Prefix", b"//evil")],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }
    assert Asked.of(scope, ()).proxied
    assert scope["headers"] == [(b"Host", b"x")]


@pytest.mark.parametrize(
    ("listening", "host", "ours"),
    [
        ("", "192.168.1.7:8700", True),
        ("0.0.0.0", "[fe80::1]:8700", True),
        ("0.0.0.0", "evil.example", False),
        ("192.168.1.7", "192.168.1.7:8700", True),
        ("192.168.1.7", "192.168.1.8:8700", False),
        ("192.168.1.7", "cameras.example.", True),
        ("127.0.0.1", "127.0.0.2", True),
        ("127.0.0.1", "192.168.1.7", False),
        ("::1", "[::1]:8700", True),
    ],
)
def test_which_names_are_ours(listening: str, host: str, ours: bool) -> None:
    assert is_ours(host, listening, {"cameras.example"}) is ours


@given(st.text(max_size=40))
def test_no_host_header_is_too_odd(text: str) -> None:
    host = host_of(text)
    assert host is None or not set(host) & set("/@\\?# ")
    is_ours(text, "127.0.0.1", ())
    foreign("POST", {"origin": text, "host": text}, secure=False, names=())


def test_a_proxy_may_ask_us_by_our_address_where_we_were_told_its_name() -> None:
    asked = {"origin": "https://cameras.example", "host": "10.0.0.5:8700"}
    assert not foreign("POST", asked, secure=True, names={"cameras.example"})
    assert foreign("POST", asked, secure=True, names=())
    plain = {"origin": "http://cameras.example", "host": "cameras.example"}
    assert foreign("POST", plain, secure=True, names={"cameras.example"})


@given(st.lists(st.ip_addresses().map(str) | st.text(max_size=10), max_size=5))
def test_who_asks_is_never_further_away_than_the_last_that_is_trusted(said: list[str]) -> None:
    header = {"x-forwarded-for": ", ".join(each.replace(",", "") for each in said)}
    assert sender("203.0.113.1", False, header, networks(["10.0.0.0/8"])) == ("203.0.113.1", False, False)
    address, _, trusted = sender("10.0.0.1", False, header, networks(["10.0.0.0/8"]))
    assert trusted
    last = said[-1].strip() if said else ""
    try:
        import ipaddress

        parsed = ipaddress.ip_address(last)
    except ValueError:
        return
    if parsed not in networks(["10.0.0.0/8"])[0] and getattr(parsed, "ipv4_mapped", None) is None:
        assert address == str(parsed)


async def test_a_named_host_is_ours_over_the_network(tmp_path: Path) -> None:
    add_user(tmp_path / "users-node.json", "ann")
    place = Place(tmp_path, host="0.0.0.0", settings=WebSettings(hosts=("Cameras.Example",)))
    async with place.visitor("http://cameras.example:8700", address="192.0.2.1") as visitor:
        own = {"Origin": "http://cameras.example:8700"}
        body = {"name": "ann", "password": PASSWORD}
        assert (await visitor.post("/api/v1/session", json=body, headers=own)).status_code == 200
