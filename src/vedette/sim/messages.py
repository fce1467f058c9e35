"""RTSP messages as the server sees them: requests parsed out of a byte stream, responses as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vedette.errors import VedetteError

__all__ = ["BadRequestError", "Request", "RequestParser", "Response"]

MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class BadRequestError(VedetteError):
    """What came is not RTSP."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """One response; ``close`` ends the connection after it."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    close: bool = False

    def encode(self, cseq: str | None) -> bytes:
        lines = [f"RTSP/1.0 {self.status} {_REASONS.get(self.status, 'Unknown')}"]
        lines += [f"CSeq: {cseq}"] if cseq is not None else []
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}"] if self.body else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class RequestParser:
    """Requests out of a stream of bytes; the reader's interleaved RTCP between them is passed over."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Request]:
        """Requests that are complete now.

        Raises:
            BadRequestError: no RTSP, or more than a request may hold.
        """
        self._buffer += data
        while self._buffer:
            if self._buffer[0] == 0x24:
                if not self._pass_interleaved():
                    return
            elif self._buffer[0] in b"\r\n":
                del self._buffer[0]
            elif (request := self._request()) is not None:
                yield request
            else:
                return

    def _pass_interleaved(self) -> bool:
        size = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < max(size, 4):
            return False
        del self._buffer[:size]
        return True

    def _request(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise BadRequestError("request head too long")
            return None
        method, url, headers = _parse_head(self._buffer[:end].decode("utf-8", "replace"))
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= MAX_BODY):
            raise BadRequestError("bad Content-Length")
        begin, stop = end + 4, end + 4 + int(length)
        if len(self._buffer) < stop:
            return None
        body = bytes(self._buffer[begin:stop])
        del self._buffer[:stop]
        return Request(method, url, headers, body)


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/"):
        raise BadRequestError("not an RTSP request")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers
