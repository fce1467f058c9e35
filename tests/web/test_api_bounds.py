"""What whoever may look cannot ask for, because no machine has the memory; and what admins cannot set."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fake_node import FakeNode


@pytest.mark.parametrize(
    "asked",
    [
        "coverage/strips?since=1970-01-02",
        "coverage?since=1970-01-02&by=hour",
        "coverage.csv?since=1970-01-02&by=hour",
    ],
)
async def test_coverage_is_not_made_for_all_time(made: Any, written: str, asked: str) -> None:
    ask = made(ledger=written)[0]
    answer = await ask.get(asked)
    assert (answer.status_code, answer.json()["kind"]) == (422, "invalid")
    assert "shorter time" in answer.json()["detail"]
    assert (await ask.get(asked.replace("1970-01-02", "7d"))).status_code == 200
    assert (await ask.get("coverage?since=1970-01-02")).status_code == 200


@pytest.mark.parametrize("options", [{}, None, {"max_redirects": "9"}])
async def test_no_change_takes_away_what_keeps_a_camera_from_being_led_elsewhere(
    ask: httpx.AsyncClient, node: FakeNode, options: object
) -> None:
    answer = await ask.patch("cameras/camera_1", json={"options": options})
    assert answer.status_code == 422
    assert not node.orders


async def test_an_address_over_http_is_not_put_under_options_that_follow_redirects(
    ask: httpx.AsyncClient, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await node.configuration()
    keys["cameras"]["camera_1"]["options"] = {"headers": "…"}
    keys["cameras"]["camera_2"]["options"] = {"max_redirects": "…"}

    async def configuration() -> dict[str, object]:
        return keys

    monkeypatch.setattr(node, "configuration", configuration)
    url = {"url": "http://10.0.0.5/video"}
    assert (await ask.patch("cameras/camera_1", json=url)).status_code == 422
    assert not node.orders
    assert (await ask.patch("cameras/camera_2", json=url)).status_code == 200
    assert "options" not in node.orders[-1].settings


async def test_a_password_that_was_left_out_is_not_set_as_one(ask: httpx.AsyncClient, node: FakeNode) -> None:
    for url in ("rtsp://***@10.0.0.5/x", "srt://10.0.0.5:9000?passphrase=***"):
        answer = await ask.patch("cameras/camera_1", json={"url": url})
        assert answer.status_code == 422
        assert "stands for" in answer.json()["detail"]
    assert not node.orders


async def test_where_a_node_s_socket_lies_is_told_to_nobody_who_is_not_known(
    made: Any, node: FakeNode
) -> None:
    node.gone = True
    ask = made()[0]
    ask.base_url = httpx.URL("http://node/")
    answer = await ask.get("readyz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "detail": "the node does not answer"})
