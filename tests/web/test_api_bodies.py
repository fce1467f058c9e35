"""What is sent to the API: which kind of camera it is, mistakes at their own fields, and nothing but JSON."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from fake_node import FakeNode
from vedette.control.protocol import Became
from vedette.web.settings import WebSettings

JSON = {"Content-Type": "application/json"}


def mistakes(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["at"]: each["what"] for each in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"name": "Gate!", "url": "rtsp://10.0.0.5/1"}, ["body.name"]),
        ({"name": "gate", "url": "rtsp://10.0.0.5/1", "max_fps": -1}, ["body.max_fps"]),
        ({"name": "gate", "url": "rtsp://10.0.0.5/1", "colour": "red"}, ["body.colour"]),
        ({"name": "gate", "url": "/etc/passwd"}, ["body.url"]),
        ({"name": "gate", "url": "rtsp://10.0.0.5/1", "stall_after": "soon"}, ["body.stall_after"]),
        ({"name": "gate", "url": "rtsp://10.0.0.5/1", "options": {}}, ["body.options"]),
        ({"url": "rtsp://10.0.0.5/1"}, ["body.name"]),
        ({}, ["body.name", "body.url"]),
        ({"camera_id": "7"}, ["body.camera_url"]),
        ({"camera_id": "7", "camera_url": "/etc/passwd"}, ["body.camera_url"]),
        ({"camera_id": "7", "camera_url": "rtsp://10.0.0.5:99999/1"}, ["body.camera_url"]),
        ({"camera_id": "7", "camera_name": 8, "camera_url": "rtsp://10.0.0.5/1"}, ["body.camera_name"]),
        ({"camera_id": "!", "camera_url": "rtsp://10.0.0.5/1"}, ["body.camera_id"]),
        ({"camera_name": "Gate", "url": "rtsp://10.0.0.5/1"}, ["body"]),
        ({"camera_id": "7", "camera_url": "rtsp://10.0.0.5/1", "site": "yard"}, ["body"]),
        ("gate", ["body"]),
    ],
)
async def test_each_mistake_about_a_camera_is_at_its_own_field(
    ask: httpx.AsyncClient, node: FakeNode, body: object, at: list[str]
) -> None:
    assert sorted(mistakes(await ask.post("cameras", json=body))) == at
    assert not node.orders


async def test_of_two_kinds_mixed_it_is_said_which_keys_do_not_go_together(ask: httpx.AsyncClient) -> None:
    body = {"name": "gate", "camera_id": "7", "camera_url": "rtsp://10.0.0.5/1"}
    said = mistakes(await ask.post("cameras", json=body))["body"]
    assert "camera_id, camera_url do not go with name" in said


async def test_what_is_not_said_to_be_json_is_not_taken(ask: httpx.AsyncClient, node: FakeNode) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await ask.post(
            "cameras/camera_1/pause", content=b'{"why": "x"}', headers={"Content-Type": kind}
        )
        assert (answer.status_code, answer.json()["kind"]) == (415, "not-json"), kind
    assert not node.orders
    for kind in ("application/json; charset=utf-8", "application/merge-patch+json"):
        answer = await ask.patch(
            "cameras/camera_1", content=b'{"max_fps": 1}', headers={"Content-Type": kind}
        )
        assert answer.status_code == 200
    assert (await ask.post("cameras/camera_1/pause")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"max_fps": 1, "site": "a", "max_fps": 2}',
        b'{"tracker": {"type": "none", "options": {"a": 1, "a": 2}}}',
        b'{"max_fps": 1, "\\u006dax_fps": 2}',
    ],
)
async def test_a_key_that_is_there_twice_is_refused(
    ask: httpx.AsyncClient, node: FakeNode, body: bytes
) -> None:
    answer = await ask.patch("cameras/camera_1", content=body, headers=JSON)
    assert "twice" in mistakes(answer)["body"]
    assert not node.orders


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"max_fps": 1e}'])
async def test_what_is_no_json_is_told_so(ask: httpx.AsyncClient, body: bytes) -> None:
    answer = await ask.patch("cameras/camera_1", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["kind"] in ("http", "invalid")


# ---- what nothing means


async def test_null_takes_a_setting_back_and_is_nothing_for_a_new_camera(
    ask: httpx.AsyncClient, node: FakeNode
) -> None:
    await ask.post(
        "cameras", json={"name": "gate", "url": "rtsp://10.0.0.5/1", "max_fps": None, "site": None}
    )
    assert node.orders[-1].settings == {"url": "rtsp://10.0.0.5/1"}
    await ask.patch("cameras/gate", json={"max_fps": None, "site": None, "buffer": None, "tracker": None})
    assert node.orders[-1].settings == {"max_fps": None, "site": None, "buffer": None, "tracker": None}


async def test_an_address_and_options_cannot_be_taken_back(ask: httpx.AsyncClient, node: FakeNode) -> None:
    assert list(mistakes(await ask.patch("cameras/camera_1", json={"url": None}))) == ["body.url"]
    for options in (None, {}, {"max_redirects": "9"}):
        told = mistakes(await ask.patch("cameras/camera_1", json={"options": options}))
        assert list(told) == ["body.options"]
    assert not node.orders


# ---- the same name twice


async def test_of_two_who_add_the_same_camera_at_once_one_hears_that_it_exists(made: Any) -> None:
    class Quicker(FakeNode):
        """Somebody else was, whatever the last look said."""

        async def became(self, number: int) -> Became:
            return Became(done=True, failed="there is a camera 'gate' already; change_camera", exists=True)

    client, _, _ = made(asked=Quicker(1))
    answer = await client.post("cameras", json={"name": "gate", "url": "rtsp://10.0.0.5/1"})
    assert (answer.status_code, answer.json()["kind"]) == (409, "exists")
    assert answer.json()["detail"] == "there is a camera gate already"


# ---- names and addresses that there are not


async def test_results_of_a_camera_that_there_is_not_are_refused_at_once(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("results", params={"camera": ["camera_1", "camrea_2"]})
    assert mistakes(answer) == {
        "query.camera": "there is no camera 'camrea_2' (did you mean camera_2 or camera_8 or camera_7?)"
    }


@pytest.mark.parametrize("url", ["ftp://10.0.0.1/x.mp4", "sftp://10.0.0.1/x.mp4"])
async def test_servers_of_files_are_no_cameras_even_where_files_may_be(made: Any, url: str) -> None:
    for settings in (WebSettings(), WebSettings(local_sources=True)):
        client, _, _ = made(settings)
        said = mistakes(await client.post("cameras", json={"name": "gate", "url": url}))["body.url"]
        assert "rtsp" in said


@pytest.mark.parametrize("note", ["x" * 70_000, 10**30, "\ud800"], ids=["long", "large", "half"])
async def test_what_an_order_cannot_hold_is_refused_before_the_node_hangs_up(
    ask: httpx.AsyncClient, node: FakeNode, note: object
) -> None:
    body = json.dumps({"tracker": {"type": "bytetrack", "options": {"note": note}}})
    answer = await ask.patch("cameras/camera_1", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["kind"]) == (422, "invalid")
    assert not node.orders
