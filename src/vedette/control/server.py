"""The node's end of the control socket: one thread, a few clients, and nothing they could do to the node."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vedette.control.caller import Caller
from vedette.control.orders import Do, Orders
from vedette.control.protocol import (
    Answer,
    ControlError,
    Order,
    Refused,
    Request,
    Seen,
    View,
    WhatBecame,
    decode_request,
    frame,
)
from vedette.control.where import folder_for_sockets, socket_path
from vedette.errors import redact
from vedette.observe.views import NodeView

__all__ = ["MOST_CLIENTS", "ControlServer"]

MOST_CLIENTS = 8

BACKLOG = 128
"""Connections that wait to be accepted, if only to hear that they are too many."""

VIEW_HOLDS_S = 0.1
"""Who asks more often gets the same view again: to make one costs the node time."""

END_WITHIN_S = 2.0
"""Seconds that closing waits for an answer that is being made."""

LOOK_EVERY_S = 0.5
"""Seconds between looks for clients that are too slow."""


class ControlServer:
    """Answers requests until it is closed. ``name``: the node's. ``view(details)``: what it looks like now,
    called from this server's thread. ``do`` begins what is ordered, ``progress`` says how
    far that is. ``others``: what answers other kinds of requests; called from this server's thread, too, it
    says what is known and waits for nobody. ``folder``: for the socket; else the user's runtime folder."""

    def __init__(
        self,
        name: str,
        view: Callable[[bool], NodeView],
        *,
        do: Do | None = None,
        progress: Callable[[], str] = lambda: "",
        others: Mapping[type[Any], Callable[[Any], Answer]] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._name, self._view, self._folder = name, view, folder
        self._others = dict(others or {})
        self._orders = None if do is None else Orders(do, progress)
        self._path: Path | None = None
        self._inode = 0
        self._callers: dict[int, Caller] = {}
        self._views: dict[bool, tuple[float, bytes]] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.refused = 0
        """Clients that were one too many."""
        self.dropped = 0
        """Clients that were too slow, or idle for too long."""

    @property
    def path(self) -> Path:
        """Of the socket. Raises ControlError while there is none."""
        if self._path is None:
            raise ControlError("the control socket is not open")
        return self._path

    def start(self) -> None:
        """Listen. Raises ControlError where no socket can be made; the node can do without."""
        if self._thread is not None:
            raise ControlError("the control socket is open already")
        path = socket_path(self._folder or folder_for_sockets(), self._name, os.getpid())
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(os.fspath(path))
            path.chmod(0o600)
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError as err:
            listener.close()
            raise ControlError(f"cannot listen at {path}: {err.strerror or err}") from err
        self._path, self._inode = path, path.lstat().st_ino
        self._closing.clear()
        self._wake, woken = socket.socketpair()
        self._thread = threading.Thread(
            target=self._serve, args=(listener, woken), name="vedette-control", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Hang up and remove the socket. May be called again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closing.set()
        try:
            self._wake.send(b".")
        except OSError:
            pass  # it has noticed already
        thread.join(END_WITHIN_S)
        self._wake.close()
        path, self._path = self.path, None
        try:
            if path.lstat().st_ino == self._inode:
                path.unlink()
        except OSError:
            pass  # somebody tidied up before us

    def _serve(self, listener: socket.socket, woken: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, listener, woken:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                for key, _ in selector.select(LOOK_EVERY_S):
                    if key.fileobj is listener:
                        self._accept(selector, listener)
                    elif isinstance(key.data, Caller):
                        self._attend(selector, key.data)
                self._drop_late(selector)
            for caller in list(self._callers.values()):
                self._hang_up(selector, caller)

    def _accept(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            # It has gone again; or we have no descriptor left, which is not helped by trying at once.
            self._closing.wait(0.01)
            return
        caller = Caller(connection, time.monotonic())
        if len(self._callers) >= MOST_CLIENTS:
            self.refused += 1
            caller.answer(frame(Refused(f"{MOST_CLIENTS} clients are connected, which is the most")), 0)
            caller.write(0)  # so short that it fits, or nobody reads it
            connection.close()
            return
        self._callers[connection.fileno()] = caller
        selector.register(connection, selectors.EVENT_READ, caller)

    def _attend(self, selector: selectors.BaseSelector, caller: Caller) -> None:
        now = time.monotonic()
        alive = caller.answering or caller.asking or caller.read(now)
        if alive and caller.asking and not caller.answering:
            caller.answer(self._answer_to(caller, now), now)
        if alive and caller.answering:
            alive = caller.write(now)
        if not alive or (caller.last_answer and not caller.answering):
            self._hang_up(selector, caller)
            return
        # One answer a turn: the others shall have theirs before somebody who asks on and on.
        busy = caller.answering or caller.asking
        selector.modify(caller.socket, selectors.EVENT_WRITE if busy else selectors.EVENT_READ, caller)

    def _answer_to(self, caller: Caller, now: float) -> bytes:
        try:
            return self._do(decode_request(caller.next_request()), now)
        except ControlError as err:
            return frame(Refused(redact(str(err))))
        except Exception as err:
            # Whatever the view met, the next one may be fine, and this thread has to live for it.
            return frame(Refused(f"the node could not say: {type(err).__name__}: {redact(str(err))}"))

    def _do(self, request: Request, now: float) -> bytes:
        if isinstance(request, (Order, WhatBecame)):
            return frame(self._ordered(request))
        if (say := self._others.get(type(request))) is not None:
            return frame(say(request))
        if not isinstance(request, View):
            raise ControlError("this node cannot say that")
        made_at, answer = self._views.get(request.details, (-VIEW_HOLDS_S, b""))
        if not answer or now - made_at >= VIEW_HOLDS_S:
            answer = frame(Seen(self._view(request.details)))
            self._views[request.details] = now, answer
        return answer

    def _ordered(self, request: Order | WhatBecame) -> Answer:
        if self._orders is None:
            raise ControlError("this node takes no orders")
        if isinstance(request, Order):
            return self._orders.give(request)
        return self._orders.became(request.number)

    def _drop_late(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        for caller in list(self._callers.values()):
            if now >= caller.deadline:
                self.dropped += 1
                self._hang_up(selector, caller)

    def _hang_up(self, selector: selectors.BaseSelector, caller: Caller) -> None:
        self._callers.pop(caller.socket.fileno(), None)
        selector.unregister(caller.socket)
        caller.socket.close()
