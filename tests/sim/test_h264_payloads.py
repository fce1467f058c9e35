from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.sim.h264 import fragment, packetise, split_annexb

# A NAL unit: no start code inside, no zero byte at its end, a first byte that is a single-NAL type.
nal_units = st.builds(
    lambda ref, kind, body: bytes([ref << 5 | kind]) + body.replace(b"\x00", b"\x03") + b"\x80",
    st.integers(0, 3),
    st.integers(1, 23),
    st.binary(max_size=4000),
)


def reassemble(payloads: tuple[bytes, ...]) -> list[bytes]:
    """RFC 6184, written anew from the receiving side."""
    nals: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            nals.append(payload)
        elif payload[1] & 0x80:
            nals.append(bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) + payload[2:])
        else:
            nals[-1] += payload[2:]
    return nals


@given(st.lists(nal_units, min_size=1, max_size=5), st.integers(3, 2000))
def test_payloads_reassemble_to_the_access_unit(nals: list[bytes], limit: int) -> None:
    payloads = packetise(nals, limit)
    assert reassemble(payloads) == nals
    assert all(len(payload) <= limit for payload in payloads)


@given(nal_units, st.integers(3, 200))
def test_a_fragmented_nal_unit_has_one_start_and_one_end(nal: bytes, limit: int) -> None:
    fragments = list(fragment(nal, limit))
    if len(fragments) > 1:
        assert [bool(each[1] & 0x80) for each in fragments] == [True] + [False] * (len(fragments) - 1)
        assert [bool(each[1] & 0x40) for each in fragments] == [False] * (len(fragments) - 1) + [True]


@given(st.lists(nal_units, max_size=5), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_byte_stream_splits_into_its_nal_units(nals: list[bytes], long_codes: list[bool]) -> None:
    codes = [b"\x00\x00\x00\x01" if long else b"\x00\x00\x01" for long in long_codes]
    stream = b"".join(code + nal for code, nal in zip(codes, nals, strict=False))
    assert list(split_annexb(stream)) == nals
