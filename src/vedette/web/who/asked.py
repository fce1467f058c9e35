"""A request as the guard sees it: its headers, who sent it, and what it wants; before anything reads it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from starlette.types import Scope

from vedette.web.who.origin import Network, sender

__all__ = ["Asked"]

_OF_PROXIES = frozenset(
    {"forwarded", "via", "x-real-ip"}
    | {f"x-forwarded-{each}" for each in ("for", "proto", "host", "port", "server", "prefix", "scheme")}
)
_ONCE = ("host", "origin", "sec-fetch-site", "authorization")
"""Of two, one program may go by the first and another by the last."""
_COOKIES_TRIED = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """``headers``: names in small letters. ``address``: who asks, behind proxies that are trusted.
    ``proxied``: some proxy had it. ``garbled``: why it must not be looked at, empty where it may."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    cookies: tuple[str, ...]
    address: str
    secure: bool
    proxied: bool
    socket: bool
    garbled: str = ""

    @classmethod
    def of(cls, scope: Scope, trusts: Collection[Network]) -> Asked:
        """Puts the true address and scheme into ``scope``; what proxies say that are not trusted is taken
        out, for nothing behind us to go by it."""
        headers, cookies, garbled = _read(scope)
        peer = (scope.get("client") or ("", 0))[0]
        secure = scope.get("scheme") in ("https", "wss")
        address, secure, trusted = sender(peer, secure, headers, trusts)
        proxied = any(name in _OF_PROXIES for name in headers)
        if proxied and not trusted:
            scope["headers"] = [
                pair for pair in scope["headers"] if pair[0].decode("latin-1").lower() not in _OF_PROXIES
            ]
        socket = scope["type"] == "websocket"
        if trusted:
            scope["client"] = (address, 0)
            scope["scheme"] = ("ws" if socket else "http") + ("s" if secure else "")
        path: str = scope["path"]
        return cls(
            method="GET" if socket else scope["method"],
            path=path,
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=headers,
            cookies=cookies,
            address=address,
            secure=secure,
            proxied=proxied,
            socket=socket,
            garbled=garbled or _wrong(path),
        )

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def length(self) -> int:
        """Bytes that it says will come; 0 where it does not say."""
        text = self.headers.get("content-length", "")
        return int(text[:15]) if text.isascii() and text.isdigit() else 0

    @property
    def bearer(self) -> str | None:
        """The token that a program shows."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def cookie(self, name: str) -> tuple[str, ...]:
        """All values of it: a neighbour under the same name may have put one of its own beside ours."""
        pairs = (each.strip().partition("=") for line in self.cookies for each in line.split(";"))
        return tuple(value for key, _, value in pairs if key == name)[:_COOKIES_TRIED]


def _read(scope: Scope) -> tuple[dict[str, str], tuple[str, ...], str]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    garbled = ""
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        if name == "cookie":
            cookies.append(text)
        elif name in headers and name in _ONCE:
            garbled = f"more than one {name}"
        elif name in headers and name == "x-forwarded-for":
            headers[name] += f",{text}"
        else:
            headers[name] = text
    return headers, tuple(cookies), garbled


def _wrong(path: str) -> str:
    """No page of ours is at such a path, and each would be somebody's attempt to get past a rule on paths."""
    if not path.startswith("/") or path.startswith("//"):
        return "no path of ours begins like that"
    if "\\" in path or any(each < " " or each == "\x7f" for each in path):
        return "the path has characters that no path of ours has"
    if any(part in (".", "..") for part in path.split("/")):
        return "the path goes up"
    return ""
