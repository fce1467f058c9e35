"""Each route of the API, asked by nobody and by each role: who may only look changes nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from fake_node import FakeNode
from guarded import HOME, add_token, add_user
from vedette.web.api.routes import api
from vedette.web.served import Served
from vedette.web.who.guard import Guard
from vedette.web.who.roles import ROLES

ENDLESS = {"/results", "/happenings/stream", "/cameras/{name}/live.mjpeg"}
REVIEWERS = {("POST", "/drift/learn")}
OPERATORS = {
    *(("POST", f"/cameras/{{name}}/{what}") for what in ("pause", "resume", "restart")),
    ("POST", "/workers/{name}/recycle"),
}
LOOKING = ("GET", "HEAD")


class Asked:
    """``routes``: (method, path) of all that the API's own description has."""

    def __init__(self, folder: Path) -> None:
        self.node = FakeNode(2)
        users = folder / "users-node.json"
        self.tokens = {}
        for role in ROLES:
            add_user(users, f"a_{role}", role)
            self.tokens[role] = add_token(users, f"a_{role}", role)
        served = Served("node", self.node, store=folder)
        self.app, guard = FastAPI(openapi_url=None), Guard(served)
        guard.routes(self.app, prefix="/api/v1")
        api(self.app, served, guard, prefix="/api/v1")
        guard.protect(self.app)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url=HOME
        )

    async def routes(self) -> list[tuple[str, str]]:
        document = (await self.ask("GET", "/openapi.json", "admin")).json()
        return [
            (method.upper(), path)
            for path, operations in document["paths"].items()
            for method in operations
            if method in ("get", "post", "put", "patch", "delete")
        ]

    async def ask(self, method: str, path: str, role: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        address = "/api/v1" + re.sub(r"\{\w+\}", "camera_1", path.removeprefix("/api/v1"))
        body = None if method in LOOKING else b"{}"
        return await self.client.request(
            method, address, headers={**headers, "Content-Type": "application/json"}, content=body
        )


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    made = Asked(tmp_path)
    yield made
    await made.client.aclose()


async def test_nobody_is_told_and_changes_anything(asked: Asked) -> None:
    routes = await asked.routes()
    assert len(routes) > 35
    for method, path in routes:
        assert (await asked.ask(method, path)).status_code == 401, (method, path)
    assert asked.node.orders == []


async def test_who_may_look_looks_and_changes_nothing(asked: Asked) -> None:
    for method, path in await asked.routes():
        if path.removeprefix("/api/v1") in ENDLESS:
            continue
        status = (await asked.ask(method, path, "viewer")).status_code
        if method in LOOKING:
            assert status not in (401, 403, 500), (method, path)
        else:
            assert status == 403, (method, path)
    assert asked.node.orders == []


@pytest.mark.parametrize(("role", "more"), [("reviewer", REVIEWERS), ("operator", REVIEWERS | OPERATORS)])
async def test_each_role_may_what_it_is_for(asked: Asked, role: str, more: set[tuple[str, str]]) -> None:
    routes = [(method, path) for method, path in await asked.routes() if method not in LOOKING]
    may = set()
    for method, path in routes:
        if (await asked.ask(method, path, role)).status_code != 403:
            may.add((method, path.removeprefix("/api/v1")))
    assert may == more


async def test_an_admin_is_refused_nothing_for_who_they_are(asked: Asked) -> None:
    for method, path in await asked.routes():
        if path.removeprefix("/api/v1") not in ENDLESS:
            assert (await asked.ask(method, path, "admin")).status_code not in (401, 403, 500), (method, path)
