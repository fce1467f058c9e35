"""Connections of strangers on a real socket: so many, so long, so large, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect

from patience import PATIENCE_S
from vedette.web.connections import Connection
from vedette.web.settings import WebSettings
from vedette.web.worker import server_config

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LARGE = bytes(20_000_000)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (heard := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": str(len(heard["text"]))})
    else:
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
        body = LARGE if scope["path"] == "/large" else str(size).encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body[:65536], "more_body": True})
        for at in range(65536, len(body), 65536):
            await send({"type": "http.response.body", "body": body[at : at + 65536], "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Served:
    """As the dashboard's process serves it. ``limits``: of connections, others than usual."""

    def __init__(self, server: uvicorn.Server, port: int) -> None:
        self.server, self.port = server, port

    async def connected(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)

    @property
    def open(self) -> int:
        return len(self.server.server_state.connections)


@asynccontextmanager
async def served(**limits: float) -> AsyncIterator[Served]:
    config = server_config(app, WebSettings())
    config.http = type("Quick", (Connection,), limits)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve([listening]))
        await until(lambda: server.started)
        try:
            yield Served(server, listening.getsockname()[1])
        finally:
            server.should_exit = server.force_exit = True
            await serving


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


async def over(reader: asyncio.StreamReader) -> bytes:
    """What still comes until it is hung up on."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def status(streams: Streams, request: bytes = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") -> bytes:
    streams[1].write(request)
    return (await asyncio.wait_for(streams[0].readuntil(b"\r\n\r\n"), PATIENCE_S))[9:12]


@pytest.mark.parametrize("before", [b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET /"])
@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_request_that_never_ends_is_not_collected(before: bytes, first: bytes) -> None:
    async with served() as place:
        reader, writer = await place.connected()
        if first:
            assert await status((reader, writer), first) == b"200"
            assert await reader.readexactly(1) == b"0"
        part = b"x" * 1000 + (b": y\r\n" if b"\n" in before else b"")
        writer.write(before)
        with contextlib.suppress(OSError):
            for _ in range(100_000):
                writer.write(part)
                await writer.drain()
                if reader.at_eof():
                    break
            else:
                pytest.fail("a hundred megabytes were taken")
        await over(reader)
        writer.close()
        another = await place.connected()
        assert await status(another) == b"200"


async def test_large_bodies_and_many_headers_are_taken_as_before() -> None:
    async with served() as place:
        many = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 100) for number in range(200))
        head = b"POST / HTTP/1.1\r\nHost: x\r\n" + many + b"Content-Length: 3000000\r\n\r\n"
        streams = await place.connected()
        assert await status(streams, head + bytes(3_000_000)) == b"200"
        assert await streams[0].readexactly(7) == b"3000000"
        assert await status(streams) == b"200", "the same connection goes on"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA"])
async def test_who_asks_nothing_is_not_waited_for(sent: bytes) -> None:
    async with served(HEAD_WITHIN_S=0.1, LOOK_EVERY_S=0.05) as place:
        reader, writer = await place.connected()
        writer.write(sent)
        assert await over(reader) == b""
        await until(lambda: place.open == 0)
        writer.close()


async def test_a_second_request_that_stands_still_is_not_waited_for_either() -> None:
    async with served(HEAD_WITHIN_S=0.1, LOOK_EVERY_S=0.05) as place:
        streams = await place.connected()
        assert await status(streams) == b"200"
        streams[1].write(b"G")
        assert await over(streams[0]) == b"0"


async def test_who_takes_nothing_of_an_answer_is_hung_up_on() -> None:
    async with served(STUCK_S=0.2, LOOK_EVERY_S=0.05) as place:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            await asyncio.get_running_loop().sock_connect(slow, ("127.0.0.1", place.port))
            await asyncio.get_running_loop().sock_sendall(slow, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: place.open == 1)
            await until(lambda: place.open == 0)


async def test_where_too_many_are_connected_those_make_room_who_ask_nothing() -> None:
    async with served(MOST=8) as place:
        idle = [await place.connected() for _ in range(40)]
        await until(lambda: place.open <= 8)
        another = await place.connected()
        assert await status(another) == b"200"
        await over(idle[0][0])
        for _, writer in idle:
            writer.close()


async def test_where_all_are_being_answered_another_one_is_told_so() -> None:
    async with served(MOST=2) as place:
        busy = [await place.connected() for _ in range(2)]
        for _, writer in busy:
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        quick = [each for each in place.server.server_state.connections if isinstance(each, Connection)]
        await until(lambda: all(each.cycle is not None for each in quick) and len(quick) == 2)
        reader, writer = await place.connected()
        assert b" 503 " in await over(reader)
        writer.close()
        busy[0][1].write(b"cde")
        assert b" 200 " in await busy[0][0].readuntil(b"\r\n\r\n")


async def test_a_websocket_stays_and_takes_no_large_messages() -> None:
    async with (
        served(HEAD_WITHIN_S=0.1, STUCK_S=0.1, LOOK_EVERY_S=0.02) as place,
        connect(f"ws://127.0.0.1:{place.port}/", ping_interval=None) as talk,
    ):
        assert not any(isinstance(each, Connection) for each in place.server.server_state.connections)
        # Somebody else comes and is hung up on: it was looked after whoever stands still.
        reader, writer = await place.connected()
        await over(reader)
        writer.close()
        await talk.send("x" * 100)
        assert await asyncio.wait_for(talk.recv(), PATIENCE_S) == "100"
        await talk.send("x" * 1_100_000)
        await asyncio.wait_for(talk.wait_closed(), PATIENCE_S)
        assert talk.close_code == 1009
