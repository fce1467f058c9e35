"""RTSP 1.0 messages (RFC 2326): read what came, build what goes. Knows no sockets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "MAX_BODY",
    "MAX_HEAD",
    "Message",
    "MessageError",
    "build_reply",
    "build_request",
    "check_first_line",
    "parse_head",
]

# Real heads are under 2 KiB and real SDPs under 16; beyond these it is not a camera that talks.
MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024

_STATUS = re.compile(r"RTSP/\d\.\d +(\d{3})(?: +(.*))?")
_REQUEST = re.compile(r"([A-Z_]{3,20}) +(\S+) +RTSP/\d\.\d")
# What would end a request line or a header early; a URL in a configuration may hold anything.
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


class MessageError(ValueError):
    """What came is no RTSP message."""


@dataclass(slots=True)
class Message:
    """A reply (``status`` > 0) or a request of the server's (``method`` set).

    ``headers``: names in lower case; a name that came twice has two values. ``body`` is at most ``MAX_BODY``.
    """

    status: int = 0
    phrase: str = ""
    method: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """First value of a header, or an empty string."""
        return self.headers.get(name, ("",))[0]

    @property
    def body_size(self) -> int:
        """Bytes of body that follow the head. Raises MessageError for a size that is none."""
        text = self.header("content-length").strip() or "0"
        if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > MAX_BODY:
            raise MessageError("a message body of no reasonable size")
        return int(text)


def parse_head(head: bytes) -> Message:
    """Read first line and headers, without the empty line at the end. Raises MessageError."""
    first, *lines = head.decode("utf-8", "replace").splitlines() or [""]
    message = _parse_first_line(first)
    for line in lines:
        name, colon, value = line.partition(":")
        # Lines that are no header are left out: cameras put out such lines, and nothing hangs on them.
        if colon:
            message.headers.setdefault(name.strip().lower(), []).append(value.strip())
    return message


def check_first_line(line: bytes) -> None:
    """Raise MessageError as soon as it is plain that the other side does not speak RTSP."""
    _parse_first_line(line.decode("utf-8", "replace").strip())


def _parse_first_line(line: str) -> Message:
    if status := _STATUS.fullmatch(line):
        return Message(status=int(status[1]), phrase=status[2] or "")
    if request := _REQUEST.fullmatch(line):
        return Message(method=request[1])
    raise MessageError("not an RTSP message")


def build_request(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """A request without body, as bytes for the wire."""
    lines = [f"{method} {clean_url(url)} RTSP/1.0", *_header_lines(headers), "", ""]
    return "\r\n".join(lines).encode()


def build_reply(status: int, phrase: str, headers: Mapping[str, str]) -> bytes:
    """A reply to a request of the server's."""
    return "\r\n".join([f"RTSP/1.0 {status} {phrase}", *_header_lines(headers), "", ""]).encode()


def clean_url(url: str) -> str:
    """Percent-encode white space and control characters, so that a URL stays one word."""
    return _UNSAFE.sub(lambda sign: f"%{ord(sign[0]):02X}", url)


def _header_lines(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {_UNSAFE_IN_HEADER.sub('', value)}" for name, value in headers.items()]


_UNSAFE_IN_HEADER = re.compile(r"[\x00-\x1f\x7f]")
