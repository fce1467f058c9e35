"""What the page gives to whom: nothing beside its pictures, to nobody who asks for too much."""

from __future__ import annotations

import http.client
import json
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from patience import PATIENCE_S
from quality.review.page.conftest import PICTURE, Desk, Served, add
from review_frames import frame
from vedette.quality.review.page.guard import BODY_AT_MOST
from vedette.quality.review.rows import Prediction
from vedette.quality.review.store import Store

NASTY = (
    "<img src=x onerror='window.hit=1'>\"><script>window.hit=1</script>"
    "{{constructor.constructor('window.hit=1')()}}"
)


def asked(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """As it stands: nothing of the path is made simple on the way."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)) as link:
        method = "GET" if body is None else "POST"
        link.request(method, parts.path, body, {"Content-Type": "application/json"} | headers)
        answer = link.getresponse()
        return answer.status, answer.read()


def posted(url: str, said: Any) -> tuple[int, Any]:
    status, answer = asked(url, json.dumps(said).encode())
    return status, json.loads(answer)


@pytest.mark.parametrize(
    "path",
    [
        "picture/..%2F..%2Freview.db",
        "picture/../../review.db",
        "picture/%2e%2e%2f%2e%2e%2fseed",
        "picture/%2Fetc%2Fpasswd",
        "picture/..\\..\\review.db",
        "picture/%00",
        "../../_nicegui/static/../../../../../../etc/passwd",
        "api/../review.db",
        "review.db",
    ],
)
def test_no_path_leads_out_of_the_pictures(served: Served, store: Store, path: str) -> None:
    add(store, 0)
    status, answer = asked(f"{served.url}/{path}")
    assert status in (400, 404, 405, 409)
    assert b"SQLite format" not in answer
    assert b"root:" not in answer


def test_a_row_that_names_another_file_gives_nothing(served: Served, store: Store) -> None:
    item = add(store, 0)
    for file in ("../review.db", "/etc/passwd"):
        with closing(sqlite3.connect(store.folder / "review.db")) as database:
            database.execute("UPDATE items SET file = ?", (file,))
            database.commit()
        status, answer = asked(f"{served.url}/picture/{item.id}")
        assert (status, b"SQLite" in answer, b"root:" in answer) == (409, False, False)


def test_what_is_told_names_no_folder_of_this_machine(served: Served, store: Store) -> None:
    item = add(store, 0)
    (store.pictures / item.file).unlink()
    (store.folder / "seed").mkdir()
    told = [
        asked(f"{served.url}/api/start"),
        asked(f"{served.url}/picture/{item.id}"),
        asked(f"{served.url}/picture/nothing"),
        asked(f"{served.url}/api/tasks", json.dumps({"tab": "t"}).encode()),
    ]
    assert [status for status, _ in told] == [200, 409, 409, 409]
    for _, answer in told:
        assert str(store.folder.parent).encode() not in answer
        assert b"/tmp" not in answer


def test_a_body_that_is_too_large_is_not_read(served: Served, store: Store) -> None:
    large = b'{"tab": "' + b"x" * BODY_AT_MOST + b'"}'
    assert asked(f"{served.url}/api/tasks", large)[0] == 413
    parts = urlsplit(served.url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)) as link:
        link.putrequest("POST", f"{parts.path}/api/save")
        link.putheader("Content-Type", "application/json")
        link.putheader("Transfer-Encoding", "chunked")  # nothing says how long it is
        link.endheaders()
        for _ in range(3):
            link.send(b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n")
        assert link.getresponse().status == 413


@pytest.mark.parametrize(
    "said",
    [
        {"label": "x" * 101},
        {"looked_for": ["car"] * 1001},
        {"reviewer": "x" * 101},
        {"boxes": [{"xyxy": [0, 0, 1, 1], "label": "car"}] * 5001},
        {"verdicts": [None] * 5001},
        {"changes": [2**70, 1]},
        {"item": "x" * 65},
        {"more": 1},
    ],
)
def test_what_is_too_long_is_refused(served: Served, store: Store, said: dict[str, Any]) -> None:
    item = add(store, 0)
    label = said.pop("label", "car")
    whole = {
        "tab": "t",
        "item": item.id,
        "state": "reviewed",
        "boxes": [{"xyxy": [0, 0, 9, 9], "label": label}],
        "verdicts": [None] * 3,
        "looked_for": ["car"],
        "reviewer": "ada",
        "seconds": 1.0,
    }
    assert posted(f"{served.url}/api/save", whole | said)[0] == 422
    assert store.reviews() == []


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff\xfe", b"{", b'{"tab": NaN}'])
def test_rubbish_is_refused_and_no_error_of_ours(served: Served, store: Store, body: bytes) -> None:
    assert asked(f"{served.url}/api/tasks", body)[0] in (400, 422)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "1e400"])
def test_boxes_without_a_place_are_refused(served: Served, store: Store, bad: str) -> None:
    item = add(store, 0)
    body = (
        f'{{"tab": "t", "item": "{item.id}", "state": "reviewed", "verdicts": [null, null, null], '
        f'"seconds": 1, "boxes": [{{"xyxy": [0, 0, 9, {bad}], "label": "car"}}], '
        '"looked_for": ["car"], "reviewer": ""}'
    )
    assert asked(f"{served.url}/api/save", body.encode())[0] in (409, 422)
    assert store.reviews() == []


def test_names_of_cameras_classes_and_people_are_text(
    pages: BrowserContext, served: Served, store: Store
) -> None:
    label = NASTY[:100]
    said = (Prediction((20.5, 30.0, 80.0, 200.0), label, 0.91),)
    for number in range(2):
        store.add(frame(number, picture=PICTURE, camera=NASTY, model=NASTY, light=NASTY, predictions=said))
    desk = Desk(pages.new_page(), served.url)
    expect(desk.page.get_by_label("Another class")).to_be_focused()
    desk.press("Enter")
    first = desk.shows_a_picture()
    desk.page.get_by_label("Reviewer").fill(label)
    desk.press("Enter", "a", "Space")
    desk.shows_another_than(first)
    desk.press("h")
    expect(desk.page.locator(".vr-past")).to_contain_text(NASTY)
    desk.press("Escape", "f")
    desk.page.keyboard.type("<img")
    desk.press("Enter", "Enter", "ArrowLeft")
    desk.shows_a_picture()
    expect(desk.page.locator(".vr-limits")).to_contain_text(NASTY)
    assert desk.page.evaluate("window.hit") is None
    assert desk.page.locator(".vr img").count() == 1


def test_a_picture_is_nothing_but_a_picture(served: Served, store: Store) -> None:
    """Whatever is in the file."""
    item = add(store, 0)
    (store.pictures / item.file).write_bytes(b"<script>alert(1)</script>")
    parts = urlsplit(f"{served.url}/picture/{item.id}")
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)) as link:
        link.request("GET", parts.path)
        headers = link.getresponse().headers
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'"
