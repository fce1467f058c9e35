"""Which addresses a camera may have that is added from afar.

Whoever may add cameras may not, by that, read this machine's files or ask what only this machine may ask: a
cloud's metadata service gives out credentials to whoever asks from inside (OWASP, "Server Side Request
Forgery Prevention Cheat Sheet"). So, unless the configuration allows ``local_sources``:

- schemes are those of streams; no files, devices, Unix sockets, FTP;
- no address is link-local (169.254/16, fe80::/10) or one of the metadata services that lie elsewhere, in
  whatever notation: decimal, octal, hexadecimal, IPv4 within IPv6;
- nor does the name resolve to any such address. All that it resolves to are looked at;
- loopback is for streams only (``rtsp``, ``rtsps``, ``rtmp``, ``rtmps``, ``srt``): a MediaMTX or go2rtc on
  the same machine is usual. ``http`` to loopback is not: that is where admin pages of others listen.

What a name resolves to may be another address a moment later; who can change DNS answers at will is kept out
by the network, not by us. Sources that are read through FFmpeg over HTTP get ``max_redirects = 0``
(:data:`NO_REDIRECTS`), so that an address that passed does not lead to one that would not have. An HLS
playlist may still name segments elsewhere: that is for the network, too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from vedette.addresses import Address, is_of_the_machine, meant

__all__ = ["NO_REDIRECTS", "SCHEMES", "check_source", "problem_of_addresses", "problem_of_url", "resolve"]

RESOLVE_WITHIN_S = 3.0

STREAMS = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "srt"})
SCHEMES = STREAMS | {"http", "https", "udp", "rtp"}
NO_REDIRECTS = {"max_redirects": "0"}

LINK_LOCAL = "link-local and metadata addresses may not be read from"
LOOPBACK = "this machine itself may only be read from over rtsp, rtmp or srt"


def problem_of_url(url: str) -> str:
    """What is wrong with it by itself, before any name is resolved; empty where nothing is. Never repeats
    it: it may hold a password."""
    if any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in url):
        return "holds spaces, control characters or a backslash"
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        return f"must begin with {', '.join(sorted(SCHEMES))} (files and devices: in the configuration file)"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.netloc.count("@") > 1:
        return "has more than one @ before the host; in a password it is written %40"
    if not host:
        return "" if scheme.lower() in ("udp", "rtp") else "names no host"
    literal = _literal(host)
    return "" if literal is None else problem_of_addresses((literal,), scheme)


def problem_of_addresses(addresses: Iterable[Address], scheme: str) -> str:
    """Why a source of this scheme may not lie at any of them; empty where it may."""
    for address in addresses:
        if is_of_the_machine(address):
            return LINK_LOCAL
        for each in meant(address):
            if (each.is_loopback or each.is_unspecified) and scheme.lower() not in STREAMS | {"udp", "rtp"}:
                return LOOPBACK
    return ""


def _literal(host: str) -> Address | None:
    """An address written as such, in any of the notations that resolvers take; None for a name."""
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").partition("%")[0]
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        pass
    try:
        # Decimal, octal and hexadecimal, of one to four parts, as the C library has it.
        return ipaddress.IPv4Address(socket.inet_aton(plain))
    except (OSError, ValueError):
        return None


def resolve(host: str) -> list[Address]:
    """All addresses of a name. Blocks. Raises OSError where there are none."""
    plain = unicodedata.normalize("NFKC", host).rstrip(".")
    try:
        found = socket.getaddrinfo(plain, None, type=socket.SOCK_STREAM)
    except UnicodeError as err:
        raise OSError("no name") from err
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


# Its own, because a resolver that does not answer keeps its thread for half a minute.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="vedette-resolve")


async def check_source(
    url: str,
    *,
    local: bool = False,
    within: float = RESOLVE_WITHIN_S,
    resolver: Callable[[str], list[Address]] = resolve,
) -> str:
    """Why a camera may not have this address; empty where it may. ``local``: all is allowed that the
    configuration file allows. A name that cannot be resolved now is let through: the camera may not be there
    yet, and what cannot be resolved cannot be read."""
    if local:
        return ""
    if problem := problem_of_url(url):
        return problem
    parts = urlsplit(url)
    host = parts.hostname
    if not host or _literal(host) is not None:
        return ""
    try:
        async with asyncio.timeout(within):
            found = await asyncio.get_running_loop().run_in_executor(_THREADS, resolver, host)
    except TimeoutError:
        return "its host name is not resolved in time"
    except OSError:
        return ""
    return problem_of_addresses(found, parts.scheme)
