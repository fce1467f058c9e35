"""Who is logged in: held in memory, so that a restart logs everybody out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ABSOLUTE_S", "IDLE_S", "Session", "Sessions"]

IDLE_S = 12 * 3600.0
ABSOLUTE_S = 7 * 86400.0
OF_ONE_NAME = 50
ALTOGETHER = 2000
"""The one that was quiet for longest makes room."""


@dataclass(slots=True)
class Session:
    """``key``: a hash of its id. ``stamp``: of the user when it began: another one ends it. ``csrf``: what
    requests that change something must repeat. Times in monotonic seconds."""

    key: bytes
    name: str
    stamp: str
    csrf: str
    began: float
    heard: float


class Sessions:
    """By id, of which only a hash is held: how long a look takes says nothing of ids that there are."""

    def __init__(self) -> None:
        self._held: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._held)

    def begin(self, name: str, stamp: str, now: float) -> tuple[str, Session]:
        """A new id, never one that somebody brought along, and the session."""
        self._make_room(name, now)
        id = secrets.token_urlsafe(32)
        session = Session(_key(id), name, stamp, secrets.token_urlsafe(32), now, now)
        self._held[session.key] = session
        return id, session

    def _make_room(self, name: str, now: float) -> None:
        for key in [key for key, each in self._held.items() if _over(each, now)]:
            del self._held[key]
        of_name = [key for key, each in self._held.items() if each.name == name]
        for crowd, most in ((of_name, OF_ONE_NAME), (list(self._held), ALTOGETHER)):
            left = [key for key in crowd if key in self._held]
            if len(left) >= most:
                del self._held[min(left, key=lambda key: self._held[key].heard)]

    def find(self, id: str, stamp_of: Callable[[str], str | None], now: float) -> Session | None:
        """The session, if it still holds. ``stamp_of``: a user's stamp now, None for one who is gone."""
        session = self._held.get(_key(id))
        if session is None:
            return None
        if not self.holds(session, stamp_of, now):
            del self._held[session.key]
            return None
        session.heard = now
        return session

    def holds(self, session: Session, stamp_of: Callable[[str], str | None], now: float) -> bool:
        """Whether it goes on; looking does not make it last longer."""
        held = self._held.get(session.key) is session
        return held and not _over(session, now) and stamp_of(session.name) == session.stamp

    def end(self, id: str) -> Session | None:
        return self._held.pop(_key(id), None)


def _key(id: str) -> bytes:
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()


def _over(session: Session, now: float) -> bool:
    return now - session.heard > IDLE_S or now - session.began > ABSOLUTE_S
