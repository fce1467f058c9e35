"""A dashboard's application with a node that is none, asked without a network."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from fake_node import FakeNode
from ledger_rows import blind, degraded, event, incident
from vedette.causes import Blame, Cause
from vedette.ledger.rows import Counters
from vedette.ledger.store import Ledger
from vedette.web.api.routes import api
from vedette.web.problems import ProblemError
from vedette.web.served import Served
from vedette.web.settings import WebSettings
from vedette.web.who.guard import Guard, Who

HOUR = 3_600_000_000


class Noting(Guard):
    """Lets everybody in, and notes what is to be written down and which roles are asked for."""

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.audited: list[tuple[str, str, str]] = []
        self.role = "admin"

    def may(self, role: str) -> Callable[[HTTPConnection], Who]:
        roles = ("viewer", "reviewer", "operator", "admin")

        def who(connection: HTTPConnection) -> Who:
            if roles.index(self.role) < roles.index(role):
                raise ProblemError("not-allowed", f"this needs {role}")
            return Who("tester", self.role)  # type: ignore[arg-type,unused-ignore]

        return who

    def audit(self, who: Who | str, action: str, what: str, outcome: str) -> None:
        self.audited.append((action, what, outcome))


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(8)


@pytest.fixture
def written(tmp_path: Path) -> str:
    """A ledger with an hour of two cameras of FakeNode's, and what is open of them."""
    address = str(tmp_path / "vedette.db")
    now = time.time_ns() // 1000
    ledger = Ledger.open(address)
    ledger.begin("node", {"camera_1": "10.0.0.1", "camera_2": "10.0.0.2"}, now - HOUR)
    ledger.write(
        heartbeat=now,
        gaps=[
            blind("g1", "camera_1", now - HOUR // 2, now - HOUR // 3, epoch_before=0, epoch_after=1),
            blind("g2", "camera_1", now - 60_000_000, cause=Cause.UNREACHABLE, blame=Blame.NETWORK),
            degraded("g3", "camera_2", now - HOUR // 4, now - HOUR // 5),
            event("g4", "camera_2", now - HOUR // 6),
        ],
        incidents=[incident("i1", now - 60_000_000, cameras=["camera_1", "camera_2"])],
        counters={"camera_1": Counters(epoch=1, next_track_id=5)},
    )
    ledger.close()
    return address


Made = Callable[..., tuple[httpx.AsyncClient, FastAPI, Noting]]


@pytest.fixture
async def made(node: FakeNode) -> AsyncIterator[Made]:
    clients: list[httpx.AsyncClient] = []

    def make(settings: WebSettings | None = None, **more: Any) -> tuple[httpx.AsyncClient, FastAPI, Noting]:
        served = Served("node", more.pop("asked", node), settings=settings or WebSettings(), **more)
        app, guard = FastAPI(openapi_url=None), Noting(served)
        guard.routes(app, prefix="/api/v1")
        api(app, served, guard, prefix="/api/v1")
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://node/api/v1/")
        clients.append(client)
        return client, app, guard

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def ask(made: Made) -> httpx.AsyncClient:
    """Of a node without ledger and folders."""
    return made()[0]
