"""Addresses at which no camera is, but what a machine tells whoever asks from inside. Pure.

Link-local ones (RFC 3927, RFC 4291) are where clouds have their metadata services, which give out
credentials; those that lie elsewhere are named.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

__all__ = ["Address", "is_of_the_machine", "meant"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(each)
    for each in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle Cloud, of old
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


def is_of_the_machine(address: Address) -> bool:
    """Whether it is link-local or a metadata service's, itself or by what it wraps."""
    return any(each.is_link_local or each in _METADATA for each in meant(address))


def meant(address: Address) -> Iterator[Address]:
    """Itself, and the IPv4 addresses that it wraps."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
