"""The dashboard's process, seen by the node: it is there while somebody looks, and costs nothing else.

The node holds the socket, and only waits for somebody to connect. Then the process is started; it takes the
connections that wait, and those that come later. When nobody has asked anything for a while it ends by
itself. Where it dies, whoever connects next has a new one: their connections wait at the socket, which is
still ours.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import msgspec

from vedette.errors import ConfigError, redact
from vedette.observe.metrics.address import parse_address, spell
from vedette.supervise.child import Child
from vedette.supervise.exits import in_words
from vedette.web.settings import DEFAULT_ADDRESS
from vedette.web.task import Task
from vedette.web.who.users import UsersFile
from vedette.workers.protocol import Busy, StartWeb

__all__ = ["WebKeeper", "can_serve", "listen"]

BACKLOG = 128
AGAIN_AFTER_S = (0.5, 30.0)
"""After it died: the first time, and at most. In between it doubles each time it dies young."""
YOUNG_S = 60.0
END_WITHIN_S = 1.0
LEAVES_WITHIN_S = 20.0
"""After its last word, while nobody closes us: on a busy machine an interpreter takes its time to end, and
must not be killed for it, and told as lost."""
LOOK_EVERY_S = 0.5


def can_serve() -> bool:
    """Whether what the dashboard needs is installed."""
    return all(find_spec(name) is not None for name in ("fastapi", "uvicorn", "nicegui"))


def listen(address: str | None) -> socket.socket:
    """A socket that listens at an address as people write it; by default at the usual one, or at any free
    port of this machine where that is taken. Raises ConfigError."""
    host, port = parse_address(address or DEFAULT_ADDRESS)
    try:
        return _listening(host, port)
    except OSError as err:
        if address is None:
            return _listening(host, 0)
        raise ConfigError(f"web: cannot listen at {address}: {err.strerror or err}") from err


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
    both = not host and socket.has_dualstack_ipv6()
    if not host and not both:
        family = socket.AF_INET
    return socket.create_server(
        (host, port), family=family, backlog=BACKLOG, reuse_port=False, dualstack_ipv6=both
    )


class WebKeeper:
    """``task``: what the process is to serve. ``tell`` hears of trouble, from a thread. ``listening``: is
    closed with the keeper. ``users``: that there were some is remembered from one process to the next."""

    def __init__(
        self,
        task: Task,
        listening: socket.socket,
        tell: Callable[[str], None],
        users: UsersFile | None = None,
    ) -> None:
        self._task, self._listening, self._tell = task, listening, tell
        self._users = users or UsersFile(None)
        self._child = Child("web", "web-0")
        self._wake, self._woken = socket.socketpair()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wait = 0.0
        self._not_before = 0.0
        host, port = listening.getsockname()[:2]
        self.address = spell(host, port)
        """Where it is, with the port that it came to."""
        scheme = "https" if task.tls else "http"
        self.url = f"{scheme}://{spell('127.0.0.1' if host in ('::', '0.0.0.0') else host, port)}/"
        """How a browser on this machine gets there."""

    @property
    def processes(self) -> list[tuple[str, int]]:
        """Name and pid, while there is one."""
        pid = self._child.pid
        return [(self._child.name, pid)] if pid is not None and self._child.alive else []

    def start(self) -> None:
        self._thread = threading.Thread(target=self._keep, name="vedette-web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the process; takes about a second at most. May be called again."""
        self._closing = True
        try:
            self._wake.send(b".")
        except OSError:
            pass  # it was closed before
        if self._thread is not None:
            self._thread.join(END_WITHIN_S + LOOK_EVERY_S)
        for each in (self._listening, self._wake, self._woken):
            each.close()

    def _keep(self) -> None:
        while not self._closing:
            if self._child.channel is None:
                if self._somebody_waits():
                    self._spawn()
            else:
                self._look_after()
        self._end()

    def _somebody_waits(self) -> bool:
        """Waits for it, or until there is something else to do."""
        wait = max(0.0, self._not_before - time.monotonic())
        if wait:
            _ready([self._woken], wait)
            return False
        return self._listening in _ready([self._woken, self._listening], None)

    def _spawn(self) -> None:
        try:
            task = msgspec.structs.replace(self._task, ever_users=self._users.ever)
            self._child.spawn(StartWeb(msgspec.msgpack.encode(task)), [self._listening.fileno()])
        except OSError as err:
            self._later(f"cannot be started: {err}")

    def _look_after(self) -> None:
        channel = self._child.channel
        assert channel is not None
        _ready([self._woken, channel], LOOK_EVERY_S)
        self._users.people(time.monotonic())  # only a process that is there can have been closed by them
        alive = self._child.alive
        try:
            while (heard := channel.receive()) is not None:
                if isinstance(heard[0], Busy):
                    self._child.kill_reason = heard[0].message
        except EOFError:
            self._gone(LEAVES_WITHIN_S)  # it has said its last word, and ends, or cannot
            alive = False
        if not alive:
            self._buried()

    def _buried(self) -> None:
        lived = time.monotonic() - self._child.spawned_at
        self._child.reap(time.monotonic())
        code, why = self._child.exit_code, self._child.kill_reason
        if code == 0:
            self._wait = 0.0  # nobody looked any more
            return
        if lived > YOUNG_S:
            self._wait = 0.0
        self._later(redact(why) if why else f"was lost: {in_words(code)}")

    def _later(self, why: str) -> None:
        first, most = AGAIN_AFTER_S
        self._wait = min(most, self._wait * 2 or first)
        self._not_before = time.monotonic() + self._wait
        self._tell(f"the dashboard's process {why}; it is started again when somebody asks for it")

    def _end(self) -> None:
        if self._child.alive:
            self._child.terminate()
            self._gone(END_WITHIN_S)
        if self._child.channel is not None:
            self._child.reap(time.monotonic())

    def _gone(self, within: float) -> None:
        """Let it end; where it does not, end it."""
        until = time.monotonic() + within
        while self._child.alive and time.monotonic() < until:
            if self._closing:
                until = min(until, time.monotonic() + END_WITHIN_S)
            time.sleep(0.01)
        if self._child.alive:
            self._child.kill(self._child.kill_reason)


def _ready(watched: list[Any], within: float | None) -> list[Any]:
    """Those of them that can be read, as soon as one can. Not by ``select``, which knows no descriptors above
    1023."""
    with selectors.DefaultSelector() as selector:
        for each in watched:
            selector.register(each, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(within)]
