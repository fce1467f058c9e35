"""H.264 (RFC 6184) and H.265 (RFC 7798) payloads joined to access units in Annex B."""

from __future__ import annotations

from vedette.ingest.rtsp.depacketise import KEPT, PIECE_TOLL, SKIPPED, Depacketiser, Frames

__all__ = ["H264", "H265"]

_START_CODE = b"\x00\x00\x00\x01"
_H264_START = [_START_CODE + bytes([header]) for header in range(256)]

# A stream has a handful of parameter sets; one that sends more, or larger ones, keeps only the newest.
_MAX_CARRIED = 16
_MAX_PARAMETER_SET = 4096


class _Nal(Depacketiser):
    """What both have in common: fragments, aggregates, and parameter sets that outlive a dropped frame.

    Parameter sets may come before their keyframe as a frame of their own, or with a frame that is left
    out. They are carried over to the next frame that is kept: without them nothing decodes.
    """

    def __init__(self, payload_type: int, frames: Frames) -> None:
        super().__init__(payload_type, frames)
        self._carried: dict[bytes, None] = {}
        self._parameter_sets: list[bytes] = []
        self._in_fragment = False

    def _assemble(self) -> bytes:
        if self._in_fragment:
            return b""
        if self._carried:
            self._pieces[:0] = self._carried
            self._carried.clear()
        self._parameter_sets.clear()
        return b"".join(self._pieces)

    def _forget(self) -> None:
        for one in self._parameter_sets:
            self._carried.pop(one, None)
            self._carried[one] = None
        while len(self._carried) > _MAX_CARRIED:
            del self._carried[next(iter(self._carried))]
        self._parameter_sets.clear()

    def _reset(self) -> None:
        super()._reset()
        self._in_fragment = False

    def _take_fragment(self, flags: int, nal_start: bytes, data: bytes, start: int, stop: int) -> None:
        """A fragment whose NAL header, if it is the first one, is ``nal_start``; its bytes follow."""
        if flags & 0x80:
            if not self._begin_nal(nal_start, data[start] if start < stop else 0):
                return
            self._pieces.append(nal_start)
        elif not self._in_fragment:
            self._break()
            return
        self._pieces.append(data[start:stop])
        self._size += stop - start + PIECE_TOLL
        self._in_fragment = not flags & 0x40

    def _take_aggregate(self, data: bytes, start: int, stop: int) -> None:
        """NAL units, each behind its size in two bytes."""
        while start + 2 < stop and self._state < SKIPPED:
            end = start + 2 + (data[start] << 8 | data[start + 1])
            if end > stop or end == start + 2:
                self._break()
                return
            self._take_nal(data, start + 2, end)
            start = end

    def _take_nal(self, data: bytes, start: int, stop: int) -> None:
        """A whole NAL unit."""
        raise NotImplementedError

    def _begin_nal(self, nal_start: bytes, first: int) -> bool:
        """A NAL unit begins, whose first byte after its header is ``first``. False: do not take it."""
        if self._in_fragment:
            self._break()
            return False
        if self._state == KEPT:
            return True
        return self._first_slice(nal_start[4], first) if self._is_slice(nal_start[4]) else True

    def _first_slice(self, header: int, first: int) -> bool:
        # The first bit of a slice says (in both codecs) that it is the first of its picture.
        if first & 0x80:
            return self._decide(*self._kind(header))
        # Some cameras set the marker on every slice; then only the timestamp shows where frames end.
        self._marks_pieces = self._marks_pieces or self._timestamp == self._ended
        self._break()
        return False

    def _is_slice(self, header: int) -> bool:
        raise NotImplementedError

    def _kind(self, header: int) -> tuple[bool, bool]:
        """(keyframe, disposable) of the slice with this first header byte."""
        raise NotImplementedError


class H264(_Nal):
    """Single NAL units, STAP-A and FU-A: packetisation modes 0 and 1."""

    def _payload(self, data: bytes, start: int, stop: int) -> None:
        header = data[start]
        kind = header & 0x1F
        if kind == 28 and stop - start > 1:
            flags = data[start + 1]
            if self._in_fragment and flags < 0x80:
                # The bulk of all packets of a stream: the middle of a slice.
                self._pieces.append(data[start + 2 : stop])
                self._size += stop - start + PIECE_TOLL
                self._in_fragment = flags < 0x40
            else:
                nal_start = _H264_START[header & 0xE0 | flags & 0x1F]
                self._take_fragment(flags, nal_start, data, start + 2, stop)
        elif kind == 24:
            self._take_aggregate(data, start + 1, stop)
        elif 0 < kind < 24:
            self._take_nal(data, start, stop)
        else:
            self._break()

    def _take_nal(self, data: bytes, start: int, stop: int) -> None:
        nal_start = _H264_START[data[start]]
        if not self._begin_nal(nal_start, data[start + 1] if start + 1 < stop else 0):
            return
        nal = nal_start + data[start + 1 : stop]
        self._pieces.append(nal)
        self._size += len(nal) + PIECE_TOLL
        if data[start] & 0x1F in (7, 8) and len(nal) <= _MAX_PARAMETER_SET:
            self._parameter_sets.append(nal)

    def _is_slice(self, header: int) -> bool:
        return 1 <= header & 0x1F <= 5

    def _kind(self, header: int) -> tuple[bool, bool]:
        return header & 0x1F == 5, not header & 0x60


class H265(_Nal):
    """Single NAL units, aggregation packets and fragmentation units, without decoding order numbers."""

    def _payload(self, data: bytes, start: int, stop: int) -> None:
        kind = data[start] >> 1 & 0x3F
        if (stop - start < 4 and kind >= 48) or kind > 49:
            self._break()
        elif kind == 49:
            flags = data[start + 2]
            if self._in_fragment and flags < 0x80:
                self._pieces.append(data[start + 3 : stop])
                self._size += stop - start + PIECE_TOLL
                self._in_fragment = flags < 0x40
            else:
                nal_header = bytes([data[start] & 0x81 | (flags & 0x3F) << 1, data[start + 1]])
                self._take_fragment(flags, _START_CODE + nal_header, data, start + 3, stop)
        elif kind == 48:
            self._take_aggregate(data, start + 2, stop)
        else:
            self._take_nal(data, start, stop)

    def _take_nal(self, data: bytes, start: int, stop: int) -> None:
        nal = _START_CODE + data[start:stop]
        if len(nal) < 7 or not self._begin_nal(nal, nal[6]):
            return
        self._pieces.append(nal)
        self._size += len(nal) + PIECE_TOLL
        if 32 <= data[start] >> 1 & 0x3F <= 34 and len(nal) <= _MAX_PARAMETER_SET:
            self._parameter_sets.append(nal)

    def _is_slice(self, header: int) -> bool:
        return header >> 1 & 0x3F < 32

    def _kind(self, header: int) -> tuple[bool, bool]:
        kind = header >> 1 & 0x3F
        # Below 16 the even types are those that no other picture of their layer is predicted from.
        return 16 <= kind <= 21, kind < 16 and not kind & 1
