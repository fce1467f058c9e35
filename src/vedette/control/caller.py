"""One client of the control socket as the node sees it: bytes in, requests out; an answer in, bytes out."""

from __future__ import annotations

import socket

from vedette.control.protocol import HEAD, LONGEST_REQUEST, ControlError, length_of

__all__ = ["Caller"]

ASK_WITHIN_S = 5.0
"""From the first byte of a request to its last."""

TAKE_WITHIN_S = 5.0
"""For a whole answer. A client that was stopped in the middle of it must not keep it in our memory."""

IDLE_AT_MOST_S = 60.0
"""Without a request. Places are few; who comes back later connects again."""

CHUNK = 64 * 1024


class Caller:
    """Buffers of a connection that never blocks. While an answer is on its way, nothing is read."""

    def __init__(self, connection: socket.socket, now: float) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.deadline = now + IDLE_AT_MOST_S
        self.last_answer = False
        """Whether to hang up once the answer was taken."""
        self._incoming = bytearray()
        self._answer = memoryview(b"")

    @property
    def answering(self) -> bool:
        return bool(self._answer)

    @property
    def asking(self) -> bool:
        """Whether a request lies here, complete or known to be too long."""
        if len(self._incoming) < HEAD:
            return False
        length = length_of(self._incoming)
        return length > LONGEST_REQUEST or len(self._incoming) >= HEAD + length

    def read(self, now: float) -> bool:
        """Take what has come; False when the other side has gone. Call it while neither ``answering``
        nor ``asking``: then the buffer stays small."""
        try:
            data = self.socket.recv(CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if data and not self._incoming:
            self.deadline = now + ASK_WITHIN_S
        self._incoming += data
        return bool(data)

    def next_request(self) -> bytes:
        """The body of the request that lies here. Raises ControlError for one that is too long: what follows
        it cannot be told apart from it, so nothing more is read."""
        end = HEAD + length_of(self._incoming)
        if end > HEAD + LONGEST_REQUEST:
            self.last_answer = True
            raise ControlError(f"a request has at most {LONGEST_REQUEST} bytes")
        body = bytes(self._incoming[HEAD:end])
        del self._incoming[:end]
        return body

    def answer(self, data: bytes, now: float) -> None:
        self._answer = memoryview(data)
        self.deadline = now + TAKE_WITHIN_S

    def write(self, now: float) -> bool:
        """Send what the other side takes; False when it has gone."""
        try:
            while self._answer:
                self._answer = self._answer[self.socket.send(self._answer) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.deadline = now + (ASK_WITHIN_S if self._incoming else IDLE_AT_MOST_S)
        return True
