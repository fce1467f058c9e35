"""A dashboard that knows its users, in a process of its own: ``login_server.py PORT FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from fake_node import FakeNode
from vedette.web.app import build
from vedette.web.served import Served

if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    uvicorn.run(build(Served("north", FakeNode(3), store=folder)), port=port, log_level="warning")
