"""Whether a dashboard may be served at an address at all: asked before it listens, and once more by it."""

from __future__ import annotations

import time
from pathlib import Path

from vedette.errors import ConfigError
from vedette.web.settings import WebSettings, is_loopback
from vedette.web.who.users import UsersFile

__all__ = ["may_be_served", "users_file"]


def users_file(named: Path | None, store: Path | None, node: str) -> Path | None:
    """Where the users are: as the configuration says, else in ``store``; None where there is neither."""
    return named or (None if store is None else store / f"users-{node}.json")


def may_be_served(settings: WebSettings, host: str, users: UsersFile, now: float | None = None) -> None:
    """Raises ConfigError where others than this machine's own could reach it, and nobody is known. ``host``:
    where it listens. ``now``: monotonic seconds."""
    named = settings.users
    if named is not None and not named.exists():
        raise ConfigError(f"web.users: {named}: there is no such file (vedette user add makes it)")
    if users.people(time.monotonic() if now is None else now).anyone:
        return
    where = "" if users.path is None else f" --users {users.path}"
    how = f"add somebody who may: vedette user add NAME --role admin{where}"
    if not is_loopback(host):
        reached = "all interfaces" if host in ("", "::", "0.0.0.0") else host
        raise ConfigError(f"web.address: others can reach {reached}, and there are no users; {how}")
    if settings.trusts:
        raise ConfigError(f"web.trusts: others can reach a proxy, and there are no users; {how}")
