"""The byte stream of an RTSP connection, cut into what it carries: messages and interleaved packets.

This is the hot path of a thousand cameras: one pass over what was read, nothing awaited, nothing scheduled.
"""

from __future__ import annotations

from collections.abc import Callable

from vedette.ingest.rtsp.message import MAX_HEAD, Message, MessageError, check_first_line, parse_head

__all__ = ["PacketHandler", "Wire"]

PacketHandler = Callable[[bytes, int, int], None]
"""Called with a buffer and the bounds of one packet in it."""

_DOLLAR = 0x24
# Empty lines between messages are passed over; more than a few are no slip.
_MAX_EMPTY_LINES = 64


class Wire:
    """Cuts bytes in any pieces. ``channels[n]`` gets the packets of channel n; without one they are dropped.

    Holds at most one incomplete message or packet back. ``feed`` raises MessageError for what is neither.
    """

    def __init__(self, on_message: Callable[[Message], None]) -> None:
        self.channels: dict[int, PacketHandler] = {}
        self._on_message = on_message
        self._held = bytearray()
        self._needed = 0

    def feed(self, data: bytes) -> None:
        """Take in what was read."""
        held = self._held
        if held:
            held += data
            if len(held) < self._needed:
                return
            data = bytes(held)
            held.clear()
        at, end = 0, len(data)
        handler = self.channels.get
        while end - at >= 4:
            if data[at] == _DOLLAR:
                stop = at + 4 + (data[at + 2] << 8 | data[at + 3])
                if stop > end:
                    self._needed = stop - at
                    break
                if (packet := handler(data[at + 1])) is not None:
                    packet(data, at + 4, stop)
                at = stop
            else:
                after = self._message(data, at)
                if after == at:
                    break
                at = after
        else:
            self._needed = 4
        if at < end:
            held += data[at:]

    def _message(self, data: bytes, at: int) -> int:
        """Read one message; returns where it ends, or ``at`` where it is not all there."""
        if data.startswith(b"\r\n", at):
            return _after_empty_lines(data, at)
        head_end = data.find(b"\r\n\r\n", at, at + MAX_HEAD)
        if head_end < 0:
            self._check_beginning(data, at)
            self._needed = len(data) - at + 1
            return at
        message = parse_head(data[at:head_end])
        body = head_end + 4
        stop = body + message.body_size
        if stop > len(data):
            self._needed = stop - at
            return at
        message.body = data[body:stop]
        self._on_message(message)
        return stop

    def _check_beginning(self, data: bytes, at: int) -> None:
        """Junk is told by its first line, not by waiting for an end that never comes."""
        line_end = data.find(b"\n", at, at + MAX_HEAD)
        if line_end >= 0:
            check_first_line(data[at:line_end])
        elif not 0x41 <= data[at] <= 0x5A:
            raise MessageError("neither an RTSP message nor interleaved data")
        if len(data) - at >= MAX_HEAD:
            raise MessageError("an RTSP message without an end")


def _after_empty_lines(data: bytes, at: int) -> int:
    for end in range(at + 2, at + 2 * _MAX_EMPTY_LINES, 2):
        if not data.startswith(b"\r\n", end):
            return end
    raise MessageError("nothing but empty lines")
