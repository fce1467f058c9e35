"""A small application behind the dashboard's guard, and visitors to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Request, WebSocket
from starlette.responses import HTMLResponse, StreamingResponse

from fake_node import FakeNode
from vedette.web.served import Served
from vedette.web.settings import WebSettings
from vedette.web.who.guard import Guard, Who
from vedette.web.who.passwords import Cost, hashed
from vedette.web.who.roles import ROLES
from vedette.web.who.users import People, Token, User, change, new_token

QUICK = Cost(ln=4, r=1, p=1)
"""What a password costs in tests."""
PASSWORD = "a password of nobody"
HOME = "http://127.0.0.1:8700"


class SetClock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_800_000_000.0 + self.now


def add_user(path: Path, name: str, role: str = "viewer", *, password: str = PASSWORD) -> None:
    assert role in ROLES
    record = hashed(password, QUICK)
    change(path, lambda people: people.with_user(User(name, role, password=record)))  # type: ignore[arg-type]


def add_token(path: Path, name: str, role: str, label: str = "script") -> str:
    shown, token = new_token(label, role, 0.0)  # type: ignore[arg-type]

    def added(people: People) -> People:
        user = people.user(name)
        assert user is not None
        tokens: tuple[Token, ...] = (*user.tokens, token)
        return people.with_user(User(user.name, user.role, password=user.password, tokens=tokens))

    change(path, added)
    return shown


class Place:
    """A guarded application. ``users``: (name, role), all with the same password."""

    def __init__(
        self,
        store: Path,
        users: Sequence[tuple[str, str]] = (),
        *,
        host: str = "127.0.0.1",
        settings: WebSettings | None = None,
    ) -> None:
        self.users = store / "users-node.json"
        self.audited = store / "audit-node.jsonl"
        for name, role in users:
            add_user(self.users, name, role)
        self.clock = SetClock()
        served = Served(
            "node", FakeNode(1), settings or WebSettings(), host=host, store=store, clock=self.clock
        )
        self.guard = Guard(served)
        self.app = FastAPI(openapi_url=None)
        self.guard.routes(self.app, prefix="/api/v1")
        _routes(self.app, self.guard)
        self.guard.protect(self.app)

    def visitor(self, home: str = HOME, address: str = "127.0.0.1", **headers: str) -> "Visitor":
        return Visitor(
            self, home, address, {name.replace("_", "-"): value for name, value in headers.items()}
        )

    def token(self, name: str, role: str, label: str = "script") -> str:
        shown = add_token(self.users, name, role, label)
        self.later()
        return shown

    def later(self, seconds: float = 2.0) -> None:
        """The clock goes on: past how often the users' file is looked at."""
        self.clock.now += seconds


class Visitor(httpx.AsyncClient):
    """A browser, or a program: nothing is sent that is not said."""

    def __init__(self, place: Place, home: str, address: str, headers: dict[str, str]) -> None:
        transport = httpx.ASGITransport(place.app, raise_app_exceptions=False, client=(address, 40000))
        super().__init__(transport=transport, base_url=home, headers=headers)

    async def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Sends the session's token from then on."""
        answer = await self.post("/api/v1/session", json={"name": name, "password": password})
        if answer.status_code == 200:
            self.headers["X-Vedette-CSRF"] = answer.json()["csrf"]
        return answer


def _routes(app: FastAPI, guard: Guard) -> None:
    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse("<h1>Fleet</h1>")

    @app.get("/api/v1/things")
    async def things(who: Annotated[Who, Depends(guard.may("viewer"))]) -> dict[str, str]:
        return {"name": who.name, "role": who.role, "by": who.by}

    for role in ROLES:

        @app.post(f"/api/v1/{role}")
        async def needs(who: Annotated[Who, Depends(guard.may(role))]) -> str:
            return who.name

    @app.post("/api/v1/forgotten")
    async def forgotten() -> str:
        return "nobody said who may"

    @app.post("/api/v1/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.get("/api/v1/address")
    async def address(request: Request) -> dict[str, object]:
        return {"client": request.client and request.client.host, "scheme": request.url.scheme}

    @app.get("/review/api/progress")
    @app.post("/review/api/save")
    async def review() -> str:
        return "reviewed"

    @app.get("/livez")
    @app.get("/readyz")
    async def live(request: Request) -> dict[str, bool]:
        return {"known": guard.who(request) is not None}

    @app.get("/api/v1/breaks")
    async def breaks() -> None:
        raise ZeroDivisionError

    @app.get("/api/v1/stream")
    async def stream() -> StreamingResponse:
        async def on_and_on() -> AsyncIterator[bytes]:
            while True:
                yield b"data: 1\n\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(on_and_on(), media_type="text/event-stream")

    @app.websocket("/api/v1/ws")
    async def socket(socket: WebSocket, who: Annotated[Who, Depends(guard.may("viewer"))]) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(f"{who.name}: {len(text)}")

    @app.websocket("/api/v1/steers")
    async def steers(socket: WebSocket, who: Annotated[Who, Depends(guard.may("operator"))]) -> None:
        await socket.accept()
        await socket.close()
