"""From an address to a connection that stands: name, TCP, TLS, each with its own reason to fail."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar
from urllib.parse import urlsplit

from vedette.addresses import is_of_the_machine
from vedette.causes import Blame
from vedette.facts import EndReason
from vedette.ingest.rtsp.auth import Credentials, same_host, split_credentials
from vedette.ingest.rtsp.connection import SessionOver

__all__ = ["Address", "Connector"]

_PORTS = {"rtsp": 554, "rtsps": 322}
# A name may stand for many addresses; a camera's stands for two (IPv6 and IPv4).
_MAX_ADDRESSES = 4
_NETWORK = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN})
# This machine, or this process, has run out of something.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})

Made = TypeVar("Made", bound=asyncio.BaseProtocol)
Place = tuple[socket.AddressFamily, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect. ``url`` is without credentials."""

    url: str
    host: str
    port: int
    tls: bool
    credentials: Credentials | None
    elsewhere: bool = False
    """Another server said so, whom we were not told to ask."""

    @staticmethod
    def of(url: str) -> Address:
        """Raises SessionOver where it is no RTSP address."""
        bare, credentials = split_credentials(url)
        try:
            parts = urlsplit(bare)
            scheme, port = parts.scheme.lower(), parts.port
        except ValueError as err:
            raise SessionOver(EndReason.REFUSED, "The address is not a valid URL.") from err
        if scheme not in _PORTS or not parts.hostname:
            raise SessionOver(EndReason.REFUSED, "The address is not an rtsp:// or rtsps:// URL.")
        return Address(bare, parts.hostname, port or _PORTS[scheme], scheme == "rtsps", credentials)

    def redirected(self, location: str) -> Address:
        """Where a redirect points. Credentials go along only to the same host, and never in the clear."""
        there = Address.of(location)
        credentials = there.credentials
        if credentials is None and same_host(self.url, there.url):
            credentials = self.credentials
        elsewhere = self.elsewhere or there.host != self.host
        return replace(there, credentials=credentials, elsewhere=elsewhere)


class Connector:
    """One attempt to connect. ``waits_for``: what it is at, as the reason to give if it takes too long."""

    def __init__(self, address: Address, *, verify_tls: bool) -> None:
        self.waits_for = EndReason.NAME_UNKNOWN
        self._address = address
        self._verify_tls = verify_tls

    async def connect(self, protocol: Callable[[], Made]) -> tuple[Made, socket.socket]:
        """A connection and its socket, which the connection closes. Raises SessionOver.

        The caller limits the time.
        """
        address = self._address
        places = _to_be_asked(address, await _places(address))
        self.waits_for = EndReason.UNREACHABLE
        sock = await _tcp(places)
        try:
            if address.tls:
                self.waits_for = EndReason.TLS
            with _failures(address.tls):
                context = _tls_context(self._verify_tls) if address.tls else None
                name = address.host if address.tls else None
                loop = asyncio.get_running_loop()
                _, made = await loop.create_connection(protocol, sock=sock, ssl=context, server_hostname=name)
        except BaseException:
            sock.close()
            raise
        return made, sock


async def _places(address: Address) -> list[Place]:
    host, port = address.host, address.port
    with contextlib.suppress(ValueError):
        # Looked up in a thread otherwise, for which a thousand cameras given by number need not wait.
        return [(socket.AF_INET, (str(ipaddress.IPv4Address(host)), port))]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:
        raise SessionOver(EndReason.NAME_UNKNOWN, "The host name is unknown.") from err
    return [(family, place) for family, _, _, _, place in found[:_MAX_ADDRESSES]]


def _to_be_asked(address: Address, places: list[Place]) -> list[Place]:
    """Where a server sends us to may be anywhere but where this machine tells what it tells nobody else.
    Raises SessionOver."""
    if address.elsewhere and any(_of_the_machine(place) for _, place in places):
        raise SessionOver(EndReason.REFUSED, "The server redirects to a link-local or metadata address.")
    return places


def _of_the_machine(place: tuple[object, ...]) -> bool:
    return is_of_the_machine(ipaddress.ip_address(str(place[0]).partition("%")[0]))


async def _tcp(places: list[Place]) -> socket.socket:
    """The first address that lets us in."""
    failures: list[OSError] = []
    for family, place in places:
        try:
            return await _tcp_to(family, place)
        except OSError as err:
            failures.append(err)
    raise _unconnected([failure.errno or 0 for failure in failures])


async def _tcp_to(family: socket.AddressFamily, place: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, place)
    except BaseException:
        sock.close()
        raise
    return sock


def _unconnected(numbers: list[int]) -> SessionOver:
    """``numbers``: why each address of the host could not be connected to."""
    # One address that is there and refuses says more than others that are not there.
    if errno.ECONNREFUSED in numbers:
        return SessionOver(EndReason.REFUSED, "The connection was refused.")
    number = numbers[-1] if numbers else 0
    what = os.strerror(number) if number else "no connection came about"
    if number in _OURS:
        return SessionOver(EndReason.UNREACHABLE, f"No connection can be made from here: {what}.", Blame.NODE)
    blame = Blame.NETWORK if number in _NETWORK else None
    return SessionOver(EndReason.UNREACHABLE, f"The server cannot be reached: {what}.", blame)


@contextlib.contextmanager
def _failures(tls: bool) -> Iterator[None]:
    """What goes wrong once TCP stands has to do with TLS, where that was wanted."""
    try:
        yield
    except ssl.SSLCertVerificationError as err:
        raise SessionOver(EndReason.TLS, f"The certificate does not hold: {err.verify_message}.") from err
    except (OSError, UnicodeError) as err:
        if tls:
            raise SessionOver(EndReason.TLS, "No encrypted connection came about.") from err
        raise SessionOver(EndReason.REFUSED, "The server closed the connection at once.") from err


@lru_cache(maxsize=2)
def _tls_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
