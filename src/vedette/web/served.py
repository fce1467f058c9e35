"""What a dashboard serves: all that its parts are given. Made once, before it listens."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vedette.clock import Clock, SystemClock
from vedette.web.node import Node
from vedette.web.settings import WebSettings

__all__ = ["Served"]


@dataclass(frozen=True, slots=True)
class Served:
    """``node``: its name; ``asked``: how it is asked. ``ledger``: its address, None where there is none.
    ``store``: a folder beside the ledger for what the dashboard itself keeps (users, audit), None where there
    is none. ``review``: the folder of frames for review, None where none are kept. ``runs``: of validation
    runs, likewise. ``host``: where it listens. ``ever_users``: users are known to have
    been there."""

    node: str
    asked: Node
    settings: WebSettings = field(default_factory=WebSettings)
    host: str = "127.0.0.1"
    ledger: str | None = None
    store: Path | None = None
    review: Path | None = None
    runs: Path | None = None
    ever_users: bool = False
    clock: Clock = field(default_factory=SystemClock)
