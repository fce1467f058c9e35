"""What the cameras answer, and to whom."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import socket

import pytest

from patience import PATIENCE_S
from vedette.sim import Clip


def digest(challenge: str, method: str, url: str, user: str, password: str, *, qop: bool) -> str:
    """An Authorization header for a Digest challenge."""
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    middle = given["nonce"] + (":00000001:abc:auth" if qop else "")
    secret = md5(f"{user}:{given['realm']}:{password}")
    response = md5(f"{secret}:{middle}:{md5(f'{method}:{url}')}")
    extra = ', qop=auth, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
        f'uri="{url}", response="{response}"{extra}'
    )


async def test_describe_tells_how_to_decode(serve, connect, clip: Clip) -> None:
    server = await serve(cameras=2)
    reader = await connect(server, 1)
    status, headers, sdp = await reader.ask("DESCRIBE")
    assert (status, headers["content-type"]) == (200, "application/sdp")
    assert headers["content-base"] == server.url(1) + "/"
    sets = re.search(r"sprop-parameter-sets=(\S+)", sdp)
    assert sets is not None
    assert [base64.b64decode(each) for each in sets[1].split(",")] == [clip.sps, clip.pps]
    assert "a=rtpmap:96 H264/90000\r\n" in sdp


async def test_keep_alives_and_options_are_answered_while_it_plays(serve, connect) -> None:
    reader = await connect(await serve(cameras=1))
    await reader.play()
    for method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER"):
        assert (await reader.ask(method))[0] == 200
    await reader.frames(2)


async def test_pause_holds_the_stream_and_play_takes_it_up_with_a_keyframe(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await connect(server)
    await reader.play()
    await reader.frames(3)
    assert (await reader.ask("PAUSE"))[0] == 200
    assert server.cameras[0].readers == []
    reader.media.clear()
    assert (await reader.ask("PLAY"))[0] == 200
    assert (await reader.frames(1))[0][0].payload[0] & 0x1F == 7


async def test_teardown_says_goodbye_and_ends_the_session(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await connect(server)
    await reader.play()
    assert (await reader.ask("TEARDOWN"))[0] == 200
    assert reader.reports[-1][8:10] == bytes((0x81, 203))
    assert server.cameras[0].readers == []
    assert (await reader.ask("PLAY", Session="gone"))[0] == 455


async def test_a_reader_that_goes_is_forgotten(serve, connect) -> None:
    server = await serve(cameras=1)
    reader = await connect(server)
    await reader.play()
    reader.writer.close()
    other = await connect(server)
    while server.cameras[0].readers:
        assert (await other.ask("OPTIONS"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "/nobody", {}, 404),
        ("RECORD", "", {}, 405),
        ("DESCRIBE", "//[::", {}, 404),
        ("PLAY", "", {}, 455),
        ("SETUP", "/trackID=0", {"Transport": "RTP/AVP;multicast"}, 461),
        ("SETUP", "/trackID=0", {"Transport": "RTP/AVP;unicast;client_port=70000-70001"}, 461),
        ("SETUP", "/trackID=0", {}, 461),
    ],
)
async def test_what_is_not_offered_is_refused(serve, connect, method, path, headers, status) -> None:
    reader = await connect(await serve(cameras=1))
    assert (await reader.ask(method, reader.url + path, **headers))[0] == status


async def test_a_session_belongs_to_its_camera_and_number(serve, connect) -> None:
    server = await serve(cameras=2)
    reader = await connect(server)
    await reader.setup()
    assert (await reader.ask("PLAY", Session="another"))[0] == 454
    assert (await reader.ask("PLAY", server.url(1)))[0] == 455
    other = await reader.ask("SETUP", server.url(1) + "/trackID=0", Transport="RTP/AVP/TCP;unicast")
    assert other[0] == 459


async def test_udp_comes_from_the_ports_it_names(serve, connect) -> None:
    reader = await connect(await serve(cameras=1))
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        media, control = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2))
        for each in (media, control):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        ports = f"{media.getsockname()[1]}-{control.getsockname()[1]}"
        headers = await reader.setup(f"RTP/AVP;unicast;client_port={ports}")
        assert (await reader.ask("PLAY"))[0] == 200
        async with asyncio.timeout(PATIENCE_S):
            (packet, sender), (report, _) = await asyncio.gather(
                loop.sock_recvfrom(media, 2048), loop.sock_recvfrom(control, 2048)
            )
    assert f"server_port={sender[1]}-{sender[1] + 1}" in headers["transport"]
    assert (packet[12] & 0x1F, report[1]) == (7, 200)
    assert packet[8:12] == report[4:8]


@pytest.mark.parametrize("qop", [False, True])
async def test_digest_lets_the_right_password_in_and_no_other(serve, connect, qop: bool) -> None:
    server = await serve(cameras=1, user="viewer", password="right")
    reader = await connect(server)
    status, headers, _ = await reader.ask("DESCRIBE")
    assert status == 401
    challenge = headers["www-authenticate"]
    for password, expected in (("wrong", 401), ("right", 200)):
        answer = digest(challenge, "DESCRIBE", reader.url, "viewer", password, qop=qop)
        assert (await reader.ask("DESCRIBE", Authorization=answer))[0] == expected
    # A response is good for its method and for this connection's nonce only.
    assert (await reader.ask("SETUP", Authorization=answer, Transport="RTP/AVP/TCP"))[0] == 401
    assert (await (await connect(server)).ask("DESCRIBE", Authorization=answer))[0] == 401


async def test_basic_lets_the_right_password_in_and_no_other(serve, connect) -> None:
    reader = await connect(await serve(cameras=1, user="viewer", password="ri:ght", auth="basic"))
    assert (await reader.ask("DESCRIBE"))[1]["www-authenticate"].startswith("Basic ")
    for password, expected in (("wrong", 401), ("ri:ght", 200)):
        answer = "Basic " + base64.b64encode(f"viewer:{password}".encode()).decode()
        assert (await reader.ask("DESCRIBE", Authorization=answer))[0] == expected


async def test_what_is_no_rtsp_ends_its_own_connection_only(serve, connect) -> None:
    server = await serve(cameras=1)
    good, bad = await connect(server), await connect(server)
    await good.play()
    bad.writer.write(b"\x16\x03\x01 not rtsp\r\n\r\n")
    assert (await bad.answer())[0] == 400
    assert await bad.reader.read() == b""
    await good.frames(5)
