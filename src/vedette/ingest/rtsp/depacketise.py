"""RTP packets of one video track joined to whole frames: what is common to all codecs.

A frame ends with the marker bit, or where the timestamp changes. Each frame that begins is told of exactly
once: whole, left out, or broken.
"""

from __future__ import annotations

import struct
from typing import Protocol

from vedette.frame import Rung
from vedette.ingest.rtsp.rtp import Reception, RtpError, payload_bounds

__all__ = ["BROKEN", "KEPT", "MAX_FRAME", "SKIPPED", "UNDECIDED", "Depacketiser", "Frames"]

# Eight times a large 4K keyframe. Beyond it the sender does not send what we can use.
MAX_FRAME = 8 * 1024 * 1024
# What a piece costs besides its bytes; keeps frames of countless tiny pieces within the same bound.
PIECE_TOLL = 48

_HEADER = struct.Struct("!BBHII")
_MIN_PACKET = 12


class Frames(Protocol):
    """Where frames go. ``timestamp``: the 32-bit RTP timestamp."""

    @property
    def rung(self) -> Rung: ...

    def whole(self, data: bytes, timestamp: int, keyframe: bool) -> None: ...

    def skipped(self) -> None: ...

    def broken(self) -> None: ...

    def lost(self, packets: int) -> None:
        """Their numbers are missing. Told before the frame that they break."""
        ...

    def new_sender(self) -> None:
        """Another SSRC: its sequence numbers and reports have nothing to do with the former's."""
        ...


# What becomes of the frame that is coming in. Plain numbers: they are compared for every packet.
UNDECIDED = 0
"""Its first pieces are here (parameter sets, SEI), but none that shows its kind."""
KEPT = 1
SKIPPED = 2
"""From here on no more payload is taken."""
BROKEN = 3


class Depacketiser:
    """Base: RTP headers, loss, and where frames begin and end. One per session; never reused."""

    def __init__(self, payload_type: int, frames: Frames) -> None:
        self.reception = Reception()
        self.foreign = 0
        """Packets of payload types that the SDP did not announce; dropped."""
        self._payload_type = payload_type
        self._frames = frames
        self._timestamp = -1
        self._ended = -1
        self._marks_pieces = False
        self._state = UNDECIDED
        self._pieces: list[bytes] = []
        self._size = 0
        self._keyframe = False

    def packet(self, data: bytes, start: int, stop: int) -> None:
        """Take in the RTP packet ``data[start:stop]``. Raises RtpError where it is none."""
        if stop - start < _MIN_PACKET:
            raise RtpError("an RTP packet shorter than its header")
        flags, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(data, start)
        start += 12
        if flags != 0x80:
            start, stop = payload_bounds(data, start - 12, stop)
        if kind & 0x7F != self._payload_type:
            self.foreign += 1
            return
        reception = self.reception
        if (sequence != reception.expected or ssrc != reception.ssrc) and not self._catch_up(sequence, ssrc):
            return
        reception.expected = sequence + 1
        if timestamp != self._timestamp:
            if self._timestamp >= 0:
                self._finish()
            self._timestamp = timestamp
        if self._state < SKIPPED and start < stop:
            self._payload(data, start, stop)
            if self._size > MAX_FRAME:
                self._break()
        if kind & 0x80 and not self._marks_pieces:
            self._finish()

    def close(self) -> None:
        """The session is over: the frame that was coming in is not whole."""
        if self._timestamp >= 0 and self._state == KEPT:
            self._break()
        self._timestamp = -1

    def _payload(self, data: bytes, start: int, stop: int) -> None:
        """Take in a payload of at least one byte for the present frame."""
        raise NotImplementedError

    def _assemble(self) -> bytes:
        """The present frame, all of whose pieces are here; empty where they make no frame."""
        raise NotImplementedError

    def _forget(self) -> None:
        """The pieces of the present frame are about to be let go."""

    def _decide(self, keyframe: bool, disposable: bool) -> bool:
        """The present frame's kind is known. False if the rung leaves it out; that has been told of then."""
        rung = self._frames.rung
        keep = (
            rung == Rung.ALL
            or (rung == Rung.REFERENCE and not disposable)
            or (rung == Rung.KEYFRAMES and keyframe)
        )
        self._keyframe = keyframe
        if keep:
            self._state = KEPT
        else:
            self._drop(SKIPPED)
            self._frames.skipped()
        return keep

    def _break(self) -> None:
        """A part of the present frame is missing or makes no sense."""
        if self._state < SKIPPED:
            self._drop(BROKEN)
            self._frames.broken()

    def _drop(self, state: int) -> None:
        self._state = state
        self._forget()
        self._pieces.clear()

    def _catch_up(self, sequence: int, ssrc: int) -> bool:
        """A packet out of line came. False: leave it, it is old."""
        another = ssrc != self.reception.ssrc
        before = self.reception.lost
        use, missing = self.reception.unexpected(sequence, ssrc)
        if lost := self.reception.lost - before:
            self._frames.lost(lost)
        # What is missing after a marker belongs to the next frames; whether the next one has its
        # beginning shows in its first piece.
        if use and missing and self._timestamp >= 0:
            self._break()
        if use and another and missing:
            self._frames.new_sender()
        return use

    def _finish(self) -> None:
        timestamp, self._timestamp, self._ended = self._timestamp, -1, self._timestamp
        if self._state == KEPT:
            data = self._assemble()
            if data:
                self._reset()
                self._frames.whole(data, timestamp, self._keyframe)
                return
            self._break()
        elif self._state == UNDECIDED:
            self._forget()
        self._reset()

    def _reset(self) -> None:
        self._pieces = []
        self._size = 0
        self._state = UNDECIDED
