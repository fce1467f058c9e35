from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.sim.messages import MAX_HEAD, BadRequestError, Request, RequestParser, Response

ONE = b"SETUP rtsp://h/cam0 RTSP/1.0\r\nCSeq: 1\r\nTransport: a;b\r\n\r\n"
WITH_BODY = b"SET_PARAMETER rtsp://h/cam0 RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nbody"
INTERLEAVED = b"$\x01\x00\x05\r\n$\r\n"


@given(st.lists(st.integers(1, 40), max_size=60))
def test_requests_are_found_however_the_bytes_are_cut(cuts: list[int]) -> None:
    data, parser, found = ONE + INTERLEAVED + WITH_BODY + INTERLEAVED + ONE, RequestParser(), []
    for cut in cuts:
        found += list(parser.feed(data[:cut]))
        data = data[cut:]
    found += list(parser.feed(data))
    assert [request.method for request in found] == ["SETUP", "SET_PARAMETER", "SETUP"]
    assert found[1] == Request(
        "SET_PARAMETER", "rtsp://h/cam0", {"cseq": "2", "content-length": "4"}, b"body"
    )


@given(st.binary(max_size=2000))
def test_any_bytes_are_requests_or_refused(data: bytes) -> None:
    try:
        for request in RequestParser().feed(data):
            assert isinstance(request, Request)
    except BadRequestError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"A" * MAX_HEAD,
        b"PLAY u RTSP/1.0\r\nContent-Length: 99999999999\r\n\r\n",
        b"PLAY u RTSP/1.0\r\nContent-Length: 00000000000099999999\r\n\r\n",
        b"PLAY u RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_too_much_or_no_rtsp_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequestError):
        list(RequestParser().feed(data))


def test_a_response_carries_its_number_and_length() -> None:
    assert Response(200, [("Session", "1")], b"xy").encode("7") == (
        b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nSession: 1\r\nContent-Length: 2\r\n\r\nxy"
    )
