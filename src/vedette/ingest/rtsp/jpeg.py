"""JPEG over RTP (RFC 2435): scan data joined, and the JFIF headers that RTP leaves out built anew."""

from __future__ import annotations

import struct
from functools import lru_cache

from vedette.ingest.rtsp.depacketise import PIECE_TOLL, Depacketiser, Frames

__all__ = ["Jpeg", "jfif_header", "quantisation_tables"]

# Base tables of ITU-T T.81 annex K in zigzag order, as RFC 2435 section 4.2 scales them.
_LUMA = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933"
    "383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMA = bytes.fromhex("1112121815182f1a1a2f634238426363") + b"\x63" * 48

# Huffman tables of annex K.3: sixteen counts by code length, then the values.
_DC_LUMA = bytes.fromhex("00010501010101010100000000000000000102030405060708090a0b")
_DC_CHROMA = bytes.fromhex("00030101010101010101010000000000000102030405060708090a0b")
_AC_LUMA = bytes.fromhex(
    "0002010303020403050504040000017d0102030004110512213141061351610722711432"
    "8191a1082342b1c11552d1f02433627282090a161718191a25262728292a343536373839"
    "3a434445464748494a535455565758595a636465666768696a737475767778797a838485"
    "868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5"
    "c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_CHROMA = bytes.fromhex(
    "000201020404030407050404000102770001020311040521310612415107617113223281"
    "08144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738"
    "393a434445464748494a535455565758595a636465666768696a737475767778797a8283"
    "8485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3"
    "c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)
# Two tables of 16-bit quantisers.
_MAX_TABLES = 256
_END_OF_IMAGE = b"\xff\xd9"
_RESTART_TYPES = range(64, 128)


def quantisation_tables(q: int) -> bytes:
    """Luma and chroma table, 64 bytes each in zigzag order, for a Q of 1 to 99."""
    factor = 5000 // q if q < 50 else 200 - 2 * q
    return bytes(max(1, min(255, (base * factor + 50) // 100)) for base in _LUMA + _CHROMA)


@lru_cache(maxsize=64)
def jfif_header(kind: int, width: int, height: int, tables: bytes, restart_interval: int) -> bytes:
    """Everything before the scan data. ``kind``: 0 for 4:2:2, 1 for 4:2:0; ``tables``: 64 or 128 bytes of
    8-bit, 128 or 256 bytes of 16-bit quantisers (luma, chroma)."""
    luma_sampling = 0x22 if kind & 1 else 0x21
    wide = len(tables) > 128
    half = 128 if wide else 64
    parts = [b"\xff\xd8"]
    parts += [
        _segment(0xDB, bytes([wide << 4 | index]) + tables[index * half : index * half + half])
        for index in range(len(tables) // half)
    ]
    chroma_table = 1 if len(tables) > half else 0
    components = bytes([1, luma_sampling, 0, 2, 0x11, chroma_table, 3, 0x11, chroma_table])
    parts.append(_segment(0xC0, struct.pack("!BHHB", 8, height, width, 3) + components))
    huffman = ((0x00, _DC_LUMA), (0x10, _AC_LUMA), (0x01, _DC_CHROMA), (0x11, _AC_CHROMA))
    parts += [_segment(0xC4, bytes([place]) + table) for place, table in huffman]
    if restart_interval:
        parts.append(_segment(0xDD, struct.pack("!H", restart_interval)))
    parts.append(_segment(0xDA, bytes([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])))
    return b"".join(parts)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0xFF, marker, len(body) + 2) + body


class Jpeg(Depacketiser):
    """Types 0 and 1, with restart markers (64 + type), all Q. Every frame is a keyframe.

    ``width``/``height``: from the SDP, for pictures too large for the payload header (over 2040 pixels).
    """

    def __init__(self, payload_type: int, frames: Frames, width: int = 0, height: int = 0) -> None:
        super().__init__(payload_type, frames)
        self._size_from_sdp = (width, height)
        self._scan_size = 0
        self._head = b""
        self._restart_interval = 0
        self._tables: dict[int, bytes] = {}

    def _payload(self, data: bytes, start: int, stop: int) -> None:
        if stop - start < 8:
            self._break()
            return
        offset = int.from_bytes(data[start + 1 : start + 4], "big")
        if offset != self._scan_size:
            self._break()
            return
        head, scan = start, start + 8
        if data[start + 4] in _RESTART_TYPES:
            self._restart_interval = data[scan] << 8 | data[scan + 1] if scan + 4 <= stop else 0
            scan += 4
        if offset == 0:
            if not self._decide(keyframe=True, disposable=False):
                return
            self._head = data[head : head + 8]
            scan = self._take_tables(data, scan, stop)
        if scan > stop:
            self._break()
            return
        self._pieces.append(data[scan:stop])
        self._scan_size += stop - scan
        self._size += stop - scan + PIECE_TOLL

    def _take_tables(self, data: bytes, at: int, stop: int) -> int:
        """Read in-band quantisation tables, where there are; returns where the scan data begins."""
        q = self._head[5]
        if q < 128:
            return at
        size = data[at + 2] << 8 | data[at + 3] if at + 4 <= stop else stop
        if at + 4 + size > stop:
            return stop + 1
        tables = data[at + 4 : at + 4 + size]
        # No tables at all means: as before, with the same Q.
        if size:
            self._tables[q] = tables if size <= _MAX_TABLES else b""
        return at + 4 + size

    def _assemble(self) -> bytes:
        _, _, _, kind, q, width, height = struct.unpack("!BHBBBBB", self._head)
        tables = self._tables.get(q, b"") if q >= 128 else quantisation_tables(q) if 0 < q < 100 else b""
        known_width, known_height = self._size_from_sdp
        width, height = width * 8 or known_width, height * 8 or known_height
        plain = kind - 64 if kind in _RESTART_TYPES else kind
        if plain > 1 or len(tables) not in (64, 128, 256) or not (width and height):
            return b""
        interval = self._restart_interval if kind in _RESTART_TYPES else 0
        end = b"" if self._pieces[-1].endswith(_END_OF_IMAGE) else _END_OF_IMAGE
        return b"".join([jfif_header(plain, width, height, tables, interval), *self._pieces, end])

    def _reset(self) -> None:
        super()._reset()
        self._scan_size = 0
