from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from vedette.sim import rtp

u16, u32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
payload_lists = st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8)


@given(payload_lists, st.integers(0, 255), u16, u32, u32)
def test_interleaved_packets_are_the_datagrams_in_frames(
    payloads: list[bytes], channel: int, sequence: int, timestamp: int, ssrc: int
) -> None:
    datagrams = list(rtp.packets(payloads, sequence, timestamp, ssrc))
    assert rtp.interleaved(payloads, channel, sequence, timestamp, ssrc) == b"".join(
        rtp.framed(channel, each) for each in datagrams
    )


@given(payload_lists, u16, u32, u32)
def test_headers_number_the_packets_and_mark_the_last(
    payloads: list[bytes], sequence: int, timestamp: int, ssrc: int
) -> None:
    for index, packet in enumerate(rtp.packets(payloads, sequence, timestamp, ssrc)):
        version, flags, number, stamp, source = struct.unpack("!BBHII", packet[:12])
        assert (version, stamp, source, packet[12:]) == (0x80, timestamp, ssrc, payloads[index])
        assert number == (sequence + index) % 65536
        assert (flags & 0x7F, flags >= 0x80) == (rtp.PAYLOAD_TYPE, index == len(payloads) - 1)


@given(st.floats(0, 2**32 - 1), u32, u32, st.text(max_size=100))
def test_sender_reports_are_whole_compound_packets(wall: float, timestamp: int, ssrc: int, name: str) -> None:
    report = rtp.sender_report(
        ssrc=ssrc, wall=wall, timestamp=timestamp, packet_count=7, octet_count=2**32 + 5, name=name
    )
    assert struct.unpack("!BBHI", report[:8]) == (0x80, 200, 6, ssrc)
    seconds, fraction, stamp, packets, octets = struct.unpack("!IIIII", report[8:28])
    assert abs((seconds - 2_208_988_800) % 2**32 + fraction / 2**32 - wall) < 1e-5
    assert (stamp, packets, octets) == (timestamp, 7, 5)
    # The rest is one SDES packet, as long as it says.
    assert report[28:30] == bytes((0x81, 202))
    assert len(report) - 28 == 4 * (int.from_bytes(report[30:32], "big") + 1)


def test_goodbye_is_a_compound_packet_that_ends_in_bye() -> None:
    data = rtp.goodbye(77)
    assert len(data) % 4 == 0
    assert data[8:] == struct.pack("!BBHI", 0x81, 203, 1, 77)
