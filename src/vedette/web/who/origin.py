"""Where a request comes from: which name it was sent to, which site's page sent it, through which proxies.

Pure. A page of another site can make a browser ask us, and it can make its own name lead to our address (DNS
rebinding). Against the first there are ``Sec-Fetch-Site`` and ``Origin``, which pages cannot set; against the
second that the name in ``Host`` must be one of ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from vedette.web.settings import is_loopback

__all__ = ["Network", "asks_to_see", "foreign", "host_of", "is_ours", "networks", "sender"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}))(?::(?P<port>\d{1,5}))?"
)
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": "80", "https": "443"}


def host_of(header: str) -> str | None:
    """The name or address in a Host header, without port, brackets and the root's dot; None for garbage."""
    match = _HOST.fullmatch(header)
    return match and match["host"].strip("[]").rstrip(".").lower()


def is_ours(header: str, listening: str, names: Collection[str]) -> bool:
    """Whether a Host header names us. ``listening``: where we listen; empty, 0.0.0.0 or :: = everywhere.
    ``names``: by which we are known besides, in small letters.

    Where we listen everywhere any address will do: rebinding needs a name.
    """
    host = host_of(header)
    if host is None:
        return False
    if host in _LOCAL_NAMES or host in names or host == listening.lower():
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if _everywhere(listening):
        return True
    return is_loopback(listening) and address.is_loopback


def _everywhere(listening: str) -> bool:
    try:
        return not listening or ipaddress.ip_address(listening).is_unspecified
    except ValueError:
        return False


def foreign(
    method: str, headers: Mapping[str, str], *, secure: bool, names: Collection[str], socket: bool = False
) -> bool:
    """Whether a page of another site asks. ``headers``: names in small letters; Host was found to be ours.
    ``secure``: it came over TLS. ``socket``: it wants to become a WebSocket.

    Programs send neither header, and pass: they have no cookies of anybody. A link on another site that leads
    to a page of ours passes as well: the other site sees nothing of it.
    """
    site = headers.get("sec-fetch-site")
    if site not in (None, "same-origin", "none") and (socket or not _is_link(method, headers)):
        return True
    origin = headers.get("origin")
    return origin is not None and not _own(origin, headers.get("host", ""), secure, names)


def _is_link(method: str, headers: Mapping[str, str]) -> bool:
    """Followed in a window of its own: what is in a frame can be seen through, and clicked on unseen."""
    return (
        method in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _own(origin: str, host: str, secure: bool, names: Collection[str]) -> bool:
    """``null``, which sandboxed frames send, is nobody's. A page that came over TLS may speak to us where a
    proxy ended it; one that did not may not where it did not end."""
    scheme, separator, place = origin.partition("://")
    if not separator or scheme not in _PORTS or (secure and scheme != "https"):
        return False
    theirs, ours = _HOST.fullmatch(place), _HOST.fullmatch(host)
    if theirs is None or ours is None:
        return False
    if theirs["host"].lower() != ours["host"].lower():
        # A proxy that asks us by our address: the browser knows it by the name that we were told.
        return host_of(place) in names
    return (theirs["port"] or _PORTS[scheme]) in (ours["port"], None if ours["port"] else _PORTS[scheme])


def asks_to_see(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a person wants a page, who can be sent to log in, and not a program."""
    return method == "GET" and (
        headers.get("sec-fetch-mode") == "navigate" or "text/html" in headers.get("accept", "")
    )


def networks(trusts: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is neither an address nor a network."""
    return tuple(ipaddress.ip_network(each, strict=False) for each in trusts)


def sender(
    peer: str, secure: bool, headers: Mapping[str, str], trusts: Collection[Network]
) -> tuple[str, bool, bool]:
    """Who really asks, whether over TLS, and whether ``peer`` is a proxy that we trust to say so.

    Of ``X-Forwarded-For`` the last address counts that is no trusted proxy: whatever stands before it was
    written by whoever asks.
    """
    if not _trusted(peer, trusts):
        return peer, secure, False
    address = peer
    for hop in reversed([each.strip() for each in headers.get("x-forwarded-for", "").split(",")]):
        bare = _address(hop)
        if bare is None:
            break
        address = bare
        if not _trusted(bare, trusts):
            break
    scheme = headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
    return address, {"https": True, "wss": True, "http": False, "ws": False}.get(scheme, secure), True


def _trusted(address: str, trusts: Collection[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in trusts)


def _address(text: str) -> str | None:
    """Some proxies add the port."""
    for each in (text, urlsplit(f"//{text}").hostname if re.fullmatch(r"[\[\]0-9A-Fa-f:.]+", text) else None):
        try:
            return str(ipaddress.ip_address(each or ""))
        except ValueError:
            continue
    return None
