"""Servers that err or mean harm end their own session, with a reason, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtsp.rtsp_replay import FIXTURES, Collector, packets_of, parse, scripted, split_replies
from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.frame import EncodedFrame
from vedette.ingest.rtsp.client import RtspSource
from vedette.ingest.rtsp.message import MessageError
from vedette.ingest.rtsp.rtp import RtpError

RECORDINGS = {path.stem: path.read_bytes() for path in FIXTURES}
DESCRIBE, SETUP, PLAY, MEDIA = split_replies(RECORDINGS["gstreamer-h264"])
PATIENT = {"connect_timeout": PATIENCE_S, "first_frame_timeout": PATIENCE_S, "stall_after": PATIENCE_S}
QUICK = {"connect_timeout": 1.0, "first_frame_timeout": 0.5, "stall_after": 0.5}
HASTY = {"connect_timeout": 0.1, "first_frame_timeout": 0.1, "stall_after": 0.1}


async def ending(
    parts: list[bytes], collector: Collector | None = None, limits: dict[str, float] = PATIENT, **script: Any
) -> SessionEnd:
    async with scripted(parts, **script) as url, asyncio.timeout(PATIENCE_S):
        return await RtspSource(url, clock=SystemClock(), **limits).run(collector or Collector())


def reply(status: str, *headers: str, body: bytes = b"", number: int = 1) -> bytes:
    lines = [f"RTSP/1.0 {status}", f"CSeq: {number}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def sdp(*lines: str) -> bytes:
    return reply("200 OK", body="\r\n".join(["v=0", *lines, ""]).encode())


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([reply("404 Not Found")], EndReason.REFUSED),
        ([reply("503 Service Unavailable")], EndReason.REFUSED),
        ([reply("403 Forbidden")], EndReason.REFUSED),
        ([reply("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')], EndReason.UNAUTHORISED),
        ([sdp("m=audio 0 RTP/AVP 0")], EndReason.UNSUPPORTED),
        ([sdp("m=video 0 RTP/AVP 96", "a=rtpmap:96 VP8/90000")], EndReason.UNSUPPORTED),
        ([sdp()], EndReason.UNSUPPORTED),
        ([DESCRIBE, reply("461 Unsupported Transport", number=2)], EndReason.UNSUPPORTED),
        ([DESCRIBE, reply("200 OK", "Transport: RTP/AVP;unicast", number=2)], EndReason.UNSUPPORTED),
        ([DESCRIBE, SETUP, reply("455 Method Not Valid", number=3)], EndReason.REFUSED),
        ([b""], EndReason.REFUSED),
        ([DESCRIBE], EndReason.CONNECTION_LOST),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], EndReason.CORRUPT),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], EndReason.CORRUPT),
        ([b"\x16\x03\x01\x02\x00\x01\x00"], EndReason.CORRUPT),
        ([b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n"], EndReason.CORRUPT),
        ([b"RTSP/1.0 200 OK\r\nX: " + b"y" * 70_000], EndReason.CORRUPT),
        ([DESCRIBE, SETUP, PLAY, MEDIA, b"junk and nothing else\r\n"], EndReason.CORRUPT),
        ([DESCRIBE, SETUP, PLAY, b"$\0\0\x0c" + bytes(12)], EndReason.CORRUPT),
        ([DESCRIBE, SETUP, PLAY, MEDIA], EndReason.CONNECTION_LOST),
    ],
)
async def test_each_kind_of_trouble_has_its_reason(parts: list[bytes], reason: EndReason) -> None:
    end = await ending(parts)
    assert end.reason is reason
    assert end.detail


async def test_silence_after_play_is_a_stall() -> None:
    limits = QUICK | {"connect_timeout": PATIENCE_S}
    end = await ending([DESCRIBE, SETUP, PLAY], limits=limits, linger=PATIENCE_S)
    assert end.reason is EndReason.STALLED


async def test_a_server_that_never_answers_is_unreachable() -> None:
    end = await ending([b""], limits=QUICK, linger=PATIENCE_S)
    assert end.reason is EndReason.UNREACHABLE


@pytest.mark.parametrize("last", ["bye", "teardown"])
async def test_a_goodbye_ends_the_session_while_the_socket_is_open(last: str) -> None:
    ssrc = packets_of(RECORDINGS["gstreamer-h264"])[0][8:12]
    goodbye = {
        "bye": b"$\x01\x00\x08" + bytes([0x81, 203, 0, 1]) + ssrc,
        "teardown": b"TEARDOWN rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\n\r\n",
    }[last]
    # The recording may end inside a packet.
    media = b"".join(b"$\0" + len(p).to_bytes(2, "big") + p for p in packets_of(RECORDINGS["gstreamer-h264"]))
    end = await ending([DESCRIBE, SETUP, PLAY, media + goodbye], linger=5)
    assert end.reason is EndReason.ENDED


async def test_channels_are_those_that_the_server_chose() -> None:
    setup = SETUP.replace(b"interleaved=0-1", b"interleaved=6-9")
    media = b"".join(b"$\6" + len(p).to_bytes(2, "big") + p for p in packets_of(RECORDINGS["gstreamer-h264"]))
    collector = Collector()
    assert (await ending([DESCRIBE, setup, PLAY, media], collector)).reason is EndReason.CONNECTION_LOST
    assert len(collector.frames) > 80


async def test_redirects_are_followed() -> None:
    collector = Collector()
    async with scripted([DESCRIBE, SETUP, PLAY, MEDIA]) as there:
        end = await ending([reply("302 Found", f"Location: {there}")], collector)
    assert end.reason is EndReason.CONNECTION_LOST
    assert collector.frames


@pytest.mark.parametrize(
    "there", ["169.254.169.254:80", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200"]
)
async def test_a_redirect_leads_to_nothing_that_only_this_machine_may_ask(there: str) -> None:
    end = await ending([reply("302 Found", f"Location: rtsp://{there}/latest")], Collector())
    assert (end.reason, "redirects to a link-local" in end.detail) == (EndReason.REFUSED, True)


async def test_redirects_in_a_circle_are_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply("301 Moved", f"Location: {url}"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
    async with server:
        end = await RtspSource(url, clock=SystemClock(), **PATIENT).run(Collector())
    assert (end.reason, "redirects" in end.detail) == (EndReason.REFUSED, True)


async def test_requests_of_the_server_are_answered() -> None:
    heard = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in (DESCRIBE, SETUP, PLAY):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(part)
        for number, method in enumerate(("OPTIONS", "GET_PARAMETER", "PLAY_NOTIFY")):
            writer.write(f"{method} * RTSP/1.0\r\nCSeq: {70 + number}\r\n\r\n".encode())
            heard.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
        await RtspSource(url, clock=SystemClock(), **PATIENT).run(Collector())
    assert heard.count(b"RTSP/1.0 200 OK") == 2
    assert b"RTSP/1.0 501" in heard
    assert all(f"CSeq: {number}".encode() in heard for number in (70, 71, 72))


async def test_what_the_receiver_raises_is_not_blamed_on_the_stream() -> None:
    class Failing(Collector):
        def frame(self, frame: EncodedFrame) -> None:
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        await ending([DESCRIBE, SETUP, PLAY, MEDIA], Failing(), linger=1)


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "rtsp://", "rtsp://127.0.0.1:port/", "nonsense", ""])
async def test_what_is_no_rtsp_address_is_refused(url: str) -> None:
    assert (await RtspSource(url, clock=SystemClock()).run(Collector())).reason is EndReason.REFUSED


def test_a_source_shows_no_credentials() -> None:
    assert "secret" not in repr(RtspSource("rtsp://me:secret@host/x", clock=SystemClock()))


mutations = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 255), st.sampled_from(["set", "drop", "insert"])),
    min_size=1,
    max_size=40,
)


def mutated(data: bytes, changes: list[tuple[int, int, str]]) -> bytes:
    changed = bytearray(data)
    for place, value, kind in changes:
        at = place % max(1, len(changed))
        if kind == "set":
            changed[at : at + 1] = bytes([value])
        elif kind == "drop":
            del changed[at : at + value]
        else:
            changed[at:at] = bytes([value])
    return bytes(changed)


@pytest.mark.parametrize("name", sorted(RECORDINGS))
@given(changes=mutations)
@settings(max_examples=60, deadline=None)
def test_mutated_media_raises_only_what_ends_the_session(
    name: str, changes: list[tuple[int, int, str]]
) -> None:
    collector = Collector()
    try:
        parse(
            RECORDINGS[name], collector, [mutated(split_replies(RECORDINGS[name])[3][:20_000], changes)]
        ).close()
    except (MessageError, RtpError):
        pass
    assert all(len(frame.data) < 100_000 for frame in collector.frames)


@given(
    name=st.sampled_from(sorted(RECORDINGS)),
    part=st.integers(0, 3),
    changes=mutations,
)
@settings(max_examples=60, deadline=None)
def test_a_mutated_server_always_comes_to_an_end(
    name: str, part: int, changes: list[tuple[int, int, str]]
) -> None:
    parts = split_replies(RECORDINGS[name])
    parts[3] = parts[3][:8000]
    parts[part] = mutated(parts[part], changes)
    assert isinstance(asyncio.run(ending(parts, limits=HASTY)), SessionEnd)
