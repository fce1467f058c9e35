from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.ingest.rtsp.message import MessageError, build_request, parse_head
from vedette.ingest.rtsp.sdp import Track, aggregate_control, find_video, resolve_control


def video(*lines: str) -> Track:
    track, _ = find_video("\r\n".join(["v=0", "a=control:*", *lines]).encode())
    assert track is not None
    return track


def test_the_first_decodable_video_track_is_found() -> None:
    track = video(
        *("m=audio 0 RTP/AVP 0", "a=control:audio", "m=video 0 RTP/AVP 97", "a=rtpmap:97 VP8/90000"),
        *("m=video 0 RTP/AVP 98 99", "a=rtpmap:98 rtx/90000", "a=rtpmap:99 H265/90000", "a=control:third"),
    )
    assert (track.codec, track.payload_type, track.control) == ("hevc", 99, "third")


def test_parameter_sets_become_annex_b() -> None:
    h264 = video("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 sprop-parameter-sets=Z0I=,aM4=")
    assert h264.parameter_sets == b"\0\0\0\1\x67\x42\0\0\0\1\x68\xce"
    h265 = video(
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H265/90000",
        "a=fmtp:96 sprop-pps=RAE=; sprop-sps=QgE=; sprop-vps=QAE",
    )
    assert h265.parameter_sets == b"\0\0\0\1\x40\1\0\0\0\1\x42\1\0\0\0\1\x44\1"


def test_parameter_sets_that_are_no_base64_are_none() -> None:
    broken = video("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 sprop-parameter-sets=*,%")
    assert broken.parameter_sets is None


def test_jpeg_needs_no_rtpmap_and_may_say_its_size() -> None:
    track = video("m=video 0 RTP/AVP 26", "a=framesize:26 2560-1440")
    assert (track.codec, track.clock_rate, track.width, track.height) == ("mjpeg", 90000, 2560, 1440)
    assert video("m=video 0 RTP/AVP 26", "a=x-dimensions:640,480").height == 480


def test_interleaved_packetisation_is_known_to_be_unsupported() -> None:
    assert video(
        "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=2"
    ).unsupported
    assert video(
        "m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-max-don-diff=2"
    ).unsupported


@pytest.mark.parametrize(
    ("base", "control", "resolved"),
    [
        ("rtsp://h/cam", "", "rtsp://h/cam"),
        ("rtsp://h/cam", "*", "rtsp://h/cam"),
        ("rtsp://h/cam/", "trackID=1", "rtsp://h/cam/trackID=1"),
        ("rtsp://h/cam", "/trackID=1", "rtsp://h/cam/trackID=1"),
        ("rtsp://h/cam?profile=1", "trackID=1", "rtsp://h/cam?profile=1/trackID=1"),
        ("rtsp://h/cam", "?ctype=video", "rtsp://h/cam?ctype=video"),
        ("rtsp://h/cam", "rtsp://other/track", "rtsp://other/track"),
    ],
)
def test_control_urls_resolve_the_way_servers_expect(base: str, control: str, resolved: str) -> None:
    assert resolve_control(base, control) == resolved


@given(st.binary(max_size=400), st.text(max_size=400))
def test_any_sdp_is_read_without_an_error(raw: bytes, text: str) -> None:
    for body in (raw, b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 " + text.encode()):
        find_video(body)
        aggregate_control(body)


def test_a_url_cannot_smuggle_in_another_header() -> None:
    request = build_request("DESCRIBE", "rtsp://h/a b\r\nX: y", {"CSeq": "1\r\nY: z"})
    assert request == b"DESCRIBE rtsp://h/a%20b%0D%0AX:%20y RTSP/1.0\r\nCSeq: 1Y: z\r\n\r\n"


def test_headers_are_read_whatever_their_case_and_however_often() -> None:
    message = parse_head(
        b"RTSP/1.0 401 Unauthorized\r\ncseq:7\r\nWWW-Authenticate: A\r\nwww-authenticate: B\r\nodd"
    )
    assert (message.status, message.phrase, message.header("cseq")) == (401, "Unauthorized", "7")
    assert message.headers["www-authenticate"] == ["A", "B"]


@pytest.mark.parametrize("size", ["-1", "x", "1048577", "1e3", "9" * 50])
def test_a_body_size_out_of_reason_is_refused(size: str) -> None:
    with pytest.raises(MessageError):
        _ = parse_head(f"RTSP/1.0 200 OK\r\nContent-Length: {size}".encode()).body_size
