"""Asking a node: connect, ask, read the answer. Blocks, with a limit."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Self, TypeVar

from vedette.control.protocol import (
    HEAD,
    LONGEST_ANSWER,
    Answer,
    Became,
    ControlError,
    NodeRefusedError,
    Order,
    Ordered,
    Refused,
    Request,
    Seen,
    View,
    WhatBecame,
    decode_answer,
    frame,
    length_of,
)
from vedette.control.where import LONGEST_PATH
from vedette.observe.views import NodeView

__all__ = ["ControlClient"]

TIMEOUT_S = 5.0

T = TypeVar("T")


class ControlClient:
    """A connection to one node. To be used by one thread; :meth:`close` may be called by another."""

    def __init__(self, connection: socket.socket, path: Path) -> None:
        self._socket, self._path = connection, path

    @classmethod
    def connect(cls, path: str | Path, *, timeout: float = TIMEOUT_S) -> Self:
        """Connect to the socket at ``path``; ``timeout`` in seconds holds for it and for each answer.

        Raises ControlError where nobody listens, or it is not ours to use.
        """
        path = Path(path)
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise ControlError(f"{path} is too long for a Unix socket")
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(os.fspath(path))
        except (OSError, ValueError) as err:
            connection.close()
            raise ControlError(f"no node answers at {path}: {_reason(err)}") from err
        return cls(connection, path)

    def view(self, details: bool = False) -> NodeView:
        """What the node looks like now; with the stage times of each camera if ``details``.

        Raises ControlError; the connection is of no use any more, unless the node answered and refused.
        """
        return self.ask(View(details=details), Seen).view

    def order(self, order: Order) -> int:
        """Let the node do something; returns the number to ask for. Raises ControlError."""
        return self.ask(order, Ordered).number

    def became(self, number: int) -> Became:
        """What became of an order. Raises ControlError."""
        return self.ask(WhatBecame(number=number), Became)

    def ask(self, request: Request, kind: type[T]) -> T:
        """An answer of the ``kind`` that fits the request. Raises ControlError, and NodeRefusedError where
        it was understood and refused: then the connection may be used on."""
        answer = self._ask(request)
        if isinstance(answer, Refused):
            raise NodeRefusedError(f"the node refused: {answer.why}")
        if not isinstance(answer, kind):
            raise ControlError(f"the node at {self._path} answered something else")
        return answer

    def close(self) -> None:
        """Whoever waits for an answer gets a ControlError."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was faster
        self._socket.close()

    def _ask(self, request: Request) -> Answer:
        said = _framed(request)
        try:
            try:
                self._socket.sendall(said)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may have said why before it hung up
            length = length_of(self._receive(HEAD))
            if length > LONGEST_ANSWER:
                raise ControlError(f"what answers at {self._path} is no node")
            return decode_answer(self._receive(length))
        except TimeoutError as err:
            raise ControlError(f"the node at {self._path} does not answer") from err
        except OSError as err:
            raise ControlError(f"the node at {self._path} hung up: {_reason(err)}") from err

    def _receive(self, length: int) -> bytearray:
        """Exactly so many bytes."""
        received = bytearray()
        while len(received) < length:
            data = self._socket.recv(min(1 << 20, length - len(received)))
            if not data:
                raise ControlError(f"the node at {self._path} hung up")
            received += data
        return received

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _framed(request: Request) -> bytes:
    """Settings of a camera may hold whatever JSON can: numbers and depths of any size, half characters."""
    try:
        return frame(request)
    except (OverflowError, RecursionError, UnicodeEncodeError) as err:
        raise NodeRefusedError(f"the node refused: this cannot be said to it: {err}") from err


def _reason(err: Exception) -> str:
    return (err.strerror if isinstance(err, OSError) else None) or str(err)
