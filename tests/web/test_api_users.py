"""Who may, over the API: what ``vedette user`` does, put on record, and never so that no admin is left."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from fake_node import FakeNode
from guarded import HOME, PASSWORD, SetClock, add_token, add_user
from vedette.web.api.routes import api
from vedette.web.served import Served
from vedette.web.who.guard import Guard
from vedette.web.who.users import read

OTHER = "quite another one"


class Dashboard:
    """With ann, who is admin, and vic, a viewer."""

    def __init__(self, folder: Path, *, users: bool = True) -> None:
        self.users, self.audited = folder / "users-node.json", folder / "audit-node.jsonl"
        for name, role in (("ann", "admin"), ("vic", "viewer")) if users else ():
            add_user(self.users, name, role)
        self.clock = SetClock()
        served = Served("node", FakeNode(2), store=folder, clock=self.clock)
        self.guard, self.app = Guard(served), FastAPI(openapi_url=None)
        self.guard.routes(self.app, prefix="/api/v1")
        api(self.app, served, self.guard, prefix="/api/v1")
        self.guard.protect(self.app)
        self._clients: list[httpx.AsyncClient] = []

    def visitor(self, token: str = "") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=f"{HOME}/api/v1/", headers=headers)
        self._clients.append(client)
        return client

    async def logged_in(self, name: str, password: str = PASSWORD) -> httpx.AsyncClient:
        client = self.visitor()
        told = await client.post("session", json={"name": name, "password": password})
        assert told.status_code == 200, told.text
        client.headers["X-Vedette-CSRF"] = told.json()["csrf"]
        return client

    def entries(self) -> list[dict[str, Any]]:
        self.guard.close()
        return [json.loads(line) for line in self.audited.read_text().splitlines()]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncIterator[Dashboard]:
    made = Dashboard(tmp_path)
    yield made
    await made.close()


async def test_everybody_is_shown_and_nothing_that_is_secret(dashboard: Dashboard) -> None:
    shown = add_token(dashboard.users, "ann", "viewer", "grafana")
    admin = dashboard.visitor(add_token(dashboard.users, "ann", "admin"))
    dashboard.clock.now += 2.0
    answer = await admin.get("users")

    ann, vic = answer.json()["users"]
    assert (ann["name"], ann["role"], ann["password"], ann["disabled"]) == ("ann", "admin", True, False)
    assert [(each["name"], each["role"]) for each in ann["tokens"]] == [
        ("grafana", "viewer"),
        ("script", "admin"),
    ]
    assert vic["tokens"] == []
    assert shown not in answer.text
    assert "scrypt" not in answer.text


async def test_somebody_is_let_in_and_may_what_was_said(dashboard: Dashboard) -> None:
    ann = await dashboard.logged_in("ann")
    answer = await ann.post("users", json={"name": "bob", "role": "operator", "password": OTHER})

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/users/bob"
    bob = await dashboard.logged_in("bob", OTHER)
    assert (await bob.get("session")).json()["role"] == "operator"
    assert (await bob.post("cameras/camera_1/pause")).status_code == 200
    assert (await bob.get("users")).status_code == 403
    again = await ann.post("users", json={"name": "bob", "password": OTHER})
    assert (again.status_code, again.json()["kind"]) == (409, "exists")


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"name": "../bob"}, "body.name"),
        ({"name": "bob", "role": "king"}, "body.role"),
        ({"name": "bob", "password": "short"}, "body.password"),
        ({"name": "bob", "password": "aaaaaaaaaaaaaa"}, "body.password"),
        ({"name": "bob", "disabled": True}, "body.disabled"),
    ],
)
async def test_who_cannot_be_is_refused_without_repeating_the_password(
    dashboard: Dashboard, body: dict[str, Any], at: str
) -> None:
    ann = await dashboard.logged_in("ann")
    answer = await ann.post("users", json=body)
    assert answer.status_code == 422
    assert [each["at"] for each in answer.json()["errors"]] == [at]
    assert body.get("password", "scrypt") not in answer.text
    found = read(dashboard.users)
    assert found is not None
    assert [each.name for each in found.users] == ["ann", "vic"]


@pytest.mark.parametrize("change", [{"role": "reviewer"}, {"password": OTHER}, {"disabled": True}])
async def test_whoever_is_changed_is_logged_out_at_once(dashboard: Dashboard, change: dict[str, Any]) -> None:
    ann, vic = await dashboard.logged_in("ann"), await dashboard.logged_in("vic")
    assert (await vic.get("status")).status_code == 200
    assert (await ann.patch("users/vic", json=change)).status_code == 200
    assert (await vic.get("status")).status_code == 401
    assert (await ann.get("status")).status_code == 200
    if "role" in change:
        again = await dashboard.logged_in("vic")
        assert (await again.get("session")).json()["role"] == "reviewer"


async def test_who_is_removed_is_gone_with_sessions_and_tokens(dashboard: Dashboard) -> None:
    ann, vic = await dashboard.logged_in("ann"), await dashboard.logged_in("vic")
    script = dashboard.visitor((await ann.post("users/vic/tokens", json={"name": "x"})).json()["token"])
    assert (await script.get("status")).status_code == 200
    assert (await ann.delete("users/vic")).status_code == 204
    for gone in (vic, script):
        assert (await gone.get("status")).status_code == 401
    assert (await ann.delete("users/vic")).status_code == 404
    assert (await ann.patch("users/vic", json={"role": "admin"})).status_code == 404


async def test_a_token_may_no_more_than_its_user_and_is_told_once(dashboard: Dashboard) -> None:
    ann = await dashboard.logged_in("ann")
    made = await ann.post("users/ann/tokens", json={"name": "script", "role": "operator"})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    script = dashboard.visitor(made.json()["token"])
    assert (await script.get("session")).json()["role"] == "operator"
    assert (await script.get("users")).status_code == 403
    assert made.json()["token"] not in dashboard.users.read_text()

    more = await ann.post("users/vic/tokens", json={"name": "script", "role": "admin"})
    assert (more.status_code, more.json()["kind"]) == (409, "refused")
    again = await ann.post("users/ann/tokens", json={"name": "script"})
    assert again.json()["kind"] == "exists"
    assert (await ann.delete("users/ann/tokens/script")).status_code == 204
    assert (await script.get("session")).status_code == 401
    assert (await ann.delete("users/ann/tokens/script")).status_code == 404


@pytest.mark.parametrize(
    ("method", "body"), [("DELETE", None), ("PATCH", {"role": "operator"}), ("PATCH", {"disabled": True})]
)
async def test_the_last_admin_stays_one(dashboard: Dashboard, method: str, body: Any) -> None:
    ann = await dashboard.logged_in("ann")
    # An admin who cannot get in is none.
    assert (await ann.post("users", json={"name": "bot", "role": "admin"})).status_code == 201
    answer = await ann.request(method, "users/ann", json=body)
    assert (answer.status_code, answer.json()["kind"]) == (409, "refused")
    assert (await ann.get("users")).status_code == 200

    assert (await ann.post("users/bot/tokens", json={"name": "key"})).status_code == 201
    assert (await ann.request(method, "users/ann", json=body)).status_code in (200, 204)
    assert (await ann.get("users")).status_code == 401


async def test_the_last_token_of_the_last_admin_stays(dashboard: Dashboard) -> None:
    ann = await dashboard.logged_in("ann")
    await ann.post("users", json={"name": "bot", "role": "admin"})
    key = (await ann.post("users/bot/tokens", json={"name": "key"})).json()["token"]
    bot = dashboard.visitor(key)
    assert (await bot.delete("users/ann")).status_code == 204
    assert (await bot.delete("users/bot/tokens/key")).status_code == 409
    assert (await bot.get("users")).status_code == 200


async def test_all_of_it_is_written_down_and_no_password_is(dashboard: Dashboard) -> None:
    ann = await dashboard.logged_in("ann")
    await ann.post("users", json={"name": "bob", "password": OTHER})
    await ann.patch("users/bob", json={"role": "reviewer", "password": f"{OTHER} 2"})
    token = (await ann.post("users/bob/tokens", json={"name": "script"})).json()["token"]
    await ann.delete("users/ann")
    await ann.delete("users/bob")
    entries = [each for each in dashboard.entries() if each["action"].startswith("user ")]
    assert [(each["action"], each["what"], each["who"]) for each in entries] == [
        ("user add", "bob", "ann"),
        ("user change", "bob", "ann"),
        ("user add token", "bob script", "ann"),
        ("user remove", "ann", "ann"),
        ("user remove", "bob", "ann"),
    ]
    assert entries[1]["outcome"] == "done: password, role reviewer"
    assert entries[3]["outcome"].startswith("refused")
    for secret in (OTHER, token):
        assert secret not in dashboard.audited.read_text()


async def test_the_first_user_is_not_added_by_whoever_comes(tmp_path: Path) -> None:
    dashboard = Dashboard(tmp_path, users=False)
    anybody = dashboard.visitor()
    assert (await anybody.get("users")).json() == {"users": []}
    answer = await anybody.post("users", json={"name": "eve", "role": "admin", "password": OTHER})
    assert (answer.status_code, answer.json()["kind"]) == (409, "refused")
    assert not dashboard.users.exists()
    await dashboard.close()
