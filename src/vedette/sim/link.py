"""The two ways packets reach a reader: inside its RTSP connection, or as datagrams."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Protocol

from vedette.errors import SourceError
from vedette.sim import rtp

__all__ = ["UNLIMITED", "Link", "TcpLink", "UdpLink", "UdpPorts"]

UNLIMITED = 1 << 62
"""Bytes: the link itself sets no limit, its reader does."""


class Link(Protocol):
    """Sends one frame or one RTCP packet to one reader, now, without waiting."""

    @property
    def buffered(self) -> int:
        """Bytes accepted and not yet taken by the operating system."""
        ...

    @property
    def capacity(self) -> int:
        """Bytes that may be buffered; whoever sends more loses frames."""
        ...

    @property
    def closed(self) -> bool: ...

    def frame(self, payloads: Sequence[bytes], sequence: int, timestamp: int, ssrc: int) -> bool:
        """False where a part of it could not be sent."""
        ...

    def packet(self, packet: bytes, *, control: bool) -> None:
        """Send one packet of RTP, or of RTCP (``control``)."""
        ...

    def discard(self) -> None:
        """Nobody reads any more: forget what is held here."""
        ...


class TcpLink:
    """Interleaved into the RTSP connection."""

    capacity = UNLIMITED

    def __init__(self, transport: asyncio.Transport, channels: tuple[int, int]) -> None:
        self._transport = transport
        self._rtp_channel, self._rtcp_channel = channels

    @property
    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    @property
    def closed(self) -> bool:
        return self._transport.is_closing()

    def frame(self, payloads: Sequence[bytes], sequence: int, timestamp: int, ssrc: int) -> bool:
        if self._transport.is_closing():
            return False
        self._transport.write(rtp.interleaved(payloads, self._rtp_channel, sequence, timestamp, ssrc))
        return True

    def packet(self, packet: bytes, *, control: bool) -> None:
        if not self._transport.is_closing():
            channel = self._rtcp_channel if control else self._rtp_channel
            self._transport.write(rtp.framed(channel, packet))

    def discard(self) -> None: ...


class UdpPorts:
    """One pair of sockets, RTP on an even port and RTCP on the next, shared by all readers."""

    def __init__(self) -> None:
        self.rtp: socket.socket
        self.rtcp: socket.socket
        self.numbers = (0, 0)

    def open(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        """Raises SourceError where no pair of ports is free."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(50):
            pair = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
            with contextlib.suppress(OSError):
                pair[0].bind((host, 0))
                first = pair[0].getsockname()[1]
                if first % 2 == 0:
                    pair[1].bind((host, first + 1))
                    self._keep(pair, first, loop)
                    return
            for each in pair:
                each.close()
        raise SourceError(f"no pair of UDP ports is free on {host}")

    def _keep(
        self, pair: tuple[socket.socket, socket.socket], first: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.rtp, self.rtcp = pair
        self.numbers = first, first + 1
        for each in pair:
            each.setblocking(False)
            loop.add_reader(each, _discard, each)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        for each in (self.rtp, self.rtcp):
            loop.remove_reader(each)
            each.close()


def _discard(udp: socket.socket) -> None:
    """Receiver reports and hole punching: nothing here depends on them."""
    with contextlib.suppress(OSError):
        udp.recv(2048)


class UdpLink:
    """Datagrams to the two ports a reader named."""

    buffered = 0
    capacity = UNLIMITED
    closed = False

    def __init__(self, ports: UdpPorts, host: str, client_ports: tuple[int, int]) -> None:
        self._ports = ports
        self._rtp_address, self._rtcp_address = (host, client_ports[0]), (host, client_ports[1])

    def frame(self, payloads: Sequence[bytes], sequence: int, timestamp: int, ssrc: int) -> bool:
        sent = True
        for packet in rtp.packets(payloads, sequence, timestamp, ssrc):
            sent &= _send(self._ports.rtp, packet, self._rtp_address)
        return sent

    def packet(self, packet: bytes, *, control: bool) -> None:
        if control:
            _send(self._ports.rtcp, packet, self._rtcp_address)
        else:
            _send(self._ports.rtp, packet, self._rtp_address)

    def discard(self) -> None: ...


def _send(udp: socket.socket, packet: bytes, address: tuple[str, int]) -> bool:
    try:
        udp.sendto(packet, address)
    except OSError:
        # The send buffer is full, or an earlier datagram found nobody: lost, as datagrams are.
        return False
    return True
