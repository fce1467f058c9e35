"""Who may connect now: budgets of simultaneous attempts, per host and for the node. Pure.

A switch that comes back with a thousand cameras behind it must neither be melted by all of them at once nor
served one at a time. Workers ask before each attempt and say when it is done, whichever way it went.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

__all__ = ["LOCAL", "Admission", "Grant"]

PER_HOST = 8
"""An NVR answers some requests at a time; more only wait inside it."""
PER_NODE = 64
HOLD_S = 30.0
"""A grant that nobody gave back for so long is taken back: its worker hangs, or its word was lost."""

LOCAL = "local"
"""The host of files (:func:`vedette.errors.host_of`). They connect to nobody and are let in at once."""

OTHER_FIRST_EVERY = 4
"""Each so many grants one begins with another priority, so that no priority starves the others."""


class Grant(NamedTuple):
    """``camera`` may connect now; tell its ``worker``."""

    camera: str
    worker: int


class _Ask(NamedTuple):
    camera: str
    host: str
    worker: int
    priority: int


class _Held(NamedTuple):
    host: str
    worker: int
    since: float


class Admission:
    """Of one node. Times are monotonic seconds; every call returns whom to let in next.

    Among those who wait: the highest priority first, hosts in turn, first come first served within a host.
    """

    def __init__(self, *, per_host: int = PER_HOST, per_node: int = PER_NODE, hold: float = HOLD_S) -> None:
        """``hold`` must be longer than any attempt may take."""
        if per_host < 1 or per_node < 1:
            raise ValueError("a budget of connects must be at least 1")
        self._per_host, self._per_node, self._hold = per_host, per_node, hold
        self._asks: dict[str, _Ask] = {}
        self._lines: dict[int, dict[str, deque[_Ask]]] = {}
        """By priority, then by host: its first key is the host whose turn it is."""
        self._held: dict[str, _Held] = {}
        self._of_host: dict[str, int] = {}
        self._granted = 0
        self.taken_back = 0
        """Grants that nobody gave back in time."""

    @property
    def connecting(self) -> int:
        return len(self._held)

    @property
    def waiting(self) -> int:
        return len(self._asks)

    def ask(self, camera: str, host: str, worker: int, priority: int, now: float) -> list[Grant]:
        """A camera wants to connect.

        Each ask is answered by one grant, from this call or a later one, unless ``done`` or ``worker_gone``
        withdraw it. Who asks again keeps their place; who holds a grant and asks again has lost it.
        """
        if host == LOCAL:
            return [Grant(camera, worker)]
        self._release(camera)
        ask = _Ask(camera, host, worker, priority)
        if camera in self._asks and not self._replace(ask):
            self._withdraw(camera)
        if camera not in self._asks:
            self._asks[camera] = ask
            self._lines.setdefault(priority, {}).setdefault(host, deque()).append(ask)
        return self.tick(now)

    def done(self, camera: str, now: float) -> list[Grant]:
        """The camera opened, failed, or wants nothing any more."""
        self._release(camera)
        self._withdraw(camera)
        return self.tick(now)

    def worker_gone(self, worker: int, now: float) -> list[Grant]:
        """None of the worker's cameras connects or waits any more."""
        for camera in [camera for camera, held in self._held.items() if held.worker == worker]:
            self._release(camera)
        for camera in [camera for camera, ask in self._asks.items() if ask.worker == worker]:
            self._withdraw(camera)
        return self.tick(now)

    def tick(self, now: float) -> list[Grant]:
        """Take back what was held too long, and let in whom there is room for. Call it every few seconds."""
        self._take_back(now)
        grants: list[Grant] = []
        while len(self._held) < self._per_node and (ask := self._next()) is not None:
            del self._asks[ask.camera]
            self._held[ask.camera] = _Held(ask.host, ask.worker, now)
            self._of_host[ask.host] = self._of_host.get(ask.host, 0) + 1
            self._granted += 1
            grants.append(Grant(ask.camera, ask.worker))
        return grants

    def _next(self) -> _Ask | None:
        """Take the next one who may connect out of the line."""
        priorities = sorted(self._lines, reverse=True)
        if priorities and self._granted % OTHER_FIRST_EVERY == OTHER_FIRST_EVERY - 1:
            first = self._granted // OTHER_FIRST_EVERY % len(priorities)
            priorities = priorities[first:] + priorities[:first]
        for priority in priorities:
            lines = self._lines[priority]
            # At most budget / budget-per-host hosts are full: this looks at few.
            host = next((host for host in lines if self._of_host.get(host, 0) < self._per_host), None)
            if host is None:
                continue
            line = lines.pop(host)
            ask = line.popleft()
            if line:
                lines[host] = line  # behind all others
            elif not lines:
                del self._lines[priority]
            return ask
        return None

    def _take_back(self, now: float) -> None:
        # In the order in which they were granted: the first one that is young ends it.
        late = []
        for camera, held in self._held.items():
            if now - held.since < self._hold:
                break
            late.append(camera)
        for camera in late:
            self._release(camera)
        self.taken_back += len(late)

    def _release(self, camera: str) -> None:
        held = self._held.pop(camera, None)
        if held is None:
            return
        self._of_host[held.host] -= 1
        if not self._of_host[held.host]:
            del self._of_host[held.host]

    def _replace(self, ask: _Ask) -> bool:
        """Let a new ask take the place of the one before it, if that is the same line."""
        before = self._asks[ask.camera]
        if (before.host, before.priority) != (ask.host, ask.priority):
            return False
        line = self._lines[ask.priority][ask.host]
        line[line.index(before)] = ask
        self._asks[ask.camera] = ask
        return True

    def _withdraw(self, camera: str) -> None:
        ask = self._asks.pop(camera, None)
        if ask is None:
            return
        lines = self._lines[ask.priority]
        lines[ask.host].remove(ask)
        if not lines[ask.host]:
            del lines[ask.host]
        if not lines:
            del self._lines[ask.priority]
