"""When tokens were last used: in a file of its own beside the users', which only ``vedette user`` writes."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from vedette.web.who.users import PRIVATE, Token
from vedette.whole_files import write_whole

__all__ = ["Used", "last_used"]

EVERY_S = 3600.0
"""To the hour is enough to find tokens that nobody uses any more."""
LARGEST_FILE = 4_000_000


class Used:
    """``users``: the users' file; None where there is none. A file that cannot be written is no reason to
    refuse anybody: then it is not known."""

    def __init__(self, users: Path | None) -> None:
        self._path = None if users is None else _beside(users)
        self._at: dict[str, float] = {}
        self._writing = threading.Lock()

    def note(self, token: Token, now: float) -> None:
        """``now``: Unix seconds. Written by a thread."""
        if self._path is None or now - self._at.get(token.digest, 0.0) < EVERY_S:
            return
        self._at[token.digest] = now
        threading.Thread(target=self._write, args=(self._path, dict(self._at)), daemon=True).start()

    def _write(self, path: Path, at: dict[str, float]) -> None:
        with self._writing:
            try:
                write_whole(path, msgspec.json.encode(_read(path) | _short(at)), mode=PRIVATE)
            except OSError:
                pass  # read-only, or full


def last_used(users: Path) -> dict[str, float]:
    """Unix seconds by the beginning of a token's digest; empty where it is not known."""
    return _read(_beside(users))


def key(token: Token) -> str:
    return token.digest[:16]


def _short(at: dict[str, float]) -> dict[str, float]:
    return {digest[:16]: when for digest, when in at.items()}


def _beside(users: Path) -> Path:
    return users.with_name(f"{users.name}.used")


def _read(path: Path) -> dict[str, float]:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST_FILE), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        return {}
