"""What a page may say over the connection that it keeps."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from guarded import PASSWORD, add_user
from patience import PATIENCE_S
from servers import free_port, wait_for_port

SERVER = Path(__file__).parent / "pages" / "login_server.py"


async def says(home: str, line: str) -> None:
    """As somebody who may only look does it with a page of ours."""
    async with httpx.AsyncClient(base_url=home, timeout=PATIENCE_S) as visitor:
        await visitor.post("/api/v1/session", json={"name": "ann", "password": PASSWORD})
        page = (await visitor.get("/")).text
        (client, *_) = re.findall(r"client_id\W{1,12}([0-9a-f-]{36})", page)
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
        address = f"{home.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        async with (
            connect(address, additional_headers=cookie, origin=home) as talk,
            asyncio.timeout(PATIENCE_S),
        ):  # type: ignore[arg-type]
            await talk.recv()
            await talk.send("40")
            await talk.recv()
            told = {"client_id": client, "level": "error", "message": line}
            await talk.send("42" + json.dumps(["log", told]))
            await talk.send("420" + json.dumps(["no such thing"]))  # what is said later is heard later
            await (await talk.ping())


def test_nobody_writes_into_the_log_what_they_like(tmp_path: Path) -> None:
    add_user(tmp_path / "users-north.json", "ann", "viewer")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, SERVER, str(port), tmp_path], env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            wait_for_port(port)
            asyncio.run(says(f"http://127.0.0.1:{port}", "forged\nby somebody"))
        finally:
            server.terminate()
            _, log = server.communicate(timeout=PATIENCE_S)
    assert "forged" not in log
