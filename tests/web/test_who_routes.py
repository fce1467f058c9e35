"""Each route of the API, asked by nobody and by each role: who may only look changes nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from fake_node import FakeNode
from guarded import HOME, PASSWORD, add_token, add_user
from vedette.web.api.routes import api
from vedette.web.served import Served
from vedette.web.who.guard import Guard
from vedette.web.who.roles import ROLES

ENDLESS = {"/results", "/happenings/stream", "/cameras/{name}/live.mjpeg"}
SESSION = "/session"
"""Whoever logs in is nobody yet: it has a test of its own."""
FOR_ADMINS = {"/users"}
"""Not even to be looked at by others."""
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
            if method in ("get", "post", "put", "patch", "delete") and path != SESSION
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
        if method in LOOKING and path not in FOR_ADMINS:
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


async def test_logging_in_needs_no_role_and_is_told_of_with_the_rest(asked: Asked) -> None:
    paths = (await asked.ask("GET", "/openapi.json", "viewer")).json()["paths"]
    assert set(paths[SESSION]) == {"get", "post", "delete"}
    assert (await asked.ask("GET", SESSION)).status_code == 401
    assert (await asked.ask("POST", SESSION)).json()["kind"] == "not-as-asked"
    given = {"name": "a_viewer", "password": PASSWORD}
    told = await asked.client.post("/api/v1/session", json=given)
    assert (told.status_code, told.json()["role"]) == (200, "viewer")
    assert (await asked.ask("GET", SESSION)).json() == told.json()
    wrong = await asked.ask("PUT", SESSION, "viewer")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "DELETE, GET, POST")


@pytest.mark.parametrize(
    ("method", "path", "role", "needs"),
    [
        ("POST", "/cameras/{name}/pause", "viewer", "operator, or more"),
        ("POST", "/workers/{name}/recycle", "reviewer", "operator, or more"),
        ("DELETE", "/cameras/{name}", "viewer", "admin"),
        ("DELETE", "/cameras/{name}", "operator", "admin"),
        ("PUT", "/model", "viewer", "admin"),
        ("POST", "/models", "viewer", "admin"),
        ("POST", "/drift/learn", "viewer", "reviewer, or more"),
        ("POST", "/nothing", "viewer", "reviewer, or more"),
    ],
)
async def test_who_is_refused_hears_which_role_would_do_and_which_one_is_theirs(
    asked: Asked, method: str, path: str, role: str, needs: str
) -> None:
    told = (await asked.ask(method, path, role)).json()
    assert told["kind"] == "not-allowed"
    assert told["detail"] == f"this needs {needs}; you are a_{role}, by token script, who is {role}"
