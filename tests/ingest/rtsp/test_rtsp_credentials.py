"""What a server says reaches people short, printable, and without the password that it was told."""

from __future__ import annotations

import asyncio
import base64
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtsp.rtsp_actors import Visit, acting
from ingest.rtsp.rtsp_replay import Collector
from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.facts import SessionEnd
from vedette.ingest.rtsp.auth import Credentials, split_credentials
from vedette.ingest.rtsp.client import RtspSource
from vedette.ingest.rtsp.wording import foreign, secrets_of

PATIENT = {"connect_timeout": PATIENCE_S, "first_frame_timeout": PATIENCE_S, "stall_after": PATIENCE_S}
PASSWORD = "p@ss wörd/ü%41&<'\""
WRITTEN = quote(PASSWORD, safe="'")


def secrets(password: str = PASSWORD) -> tuple[str, ...]:
    return secrets_of("rtsp://host/cam", Credentials("me", password, quote(password)))


async def ending(userinfo: str, *scenes: str) -> SessionEnd:
    """After a challenge each request is answered with the next scene's status line, in which
    ``{authorization}`` and ``{request}`` are what the client sent."""

    async def echo(visit: Visit) -> None:
        await visit.answer("401 No", 'WWW-Authenticate: Basic realm="r"')
        for scene in scenes:
            asked = (await visit.request()).decode()
            sent = re.search(r"Authorization: (.*)\r", asked)
            line = " ".join(asked.split())
            text = scene.format(authorization=sent[1] if sent else "", request=line)
            await visit.send(f"RTSP/1.0 {text}\r\nCSeq: 2\r\n\r\n".encode())

    async with acting(echo, userinfo=userinfo) as url, asyncio.timeout(PATIENCE_S):
        return await RtspSource(url, clock=SystemClock(), **PATIENT).run(Collector())


@pytest.mark.parametrize(
    "status",
    [
        "404 no {authorization}",
        "404 {request}",
        "404 " + PASSWORD.replace("{", ""),
        "500 rtsp://me:" + WRITTEN + "@host/cam is broken",
        "500 " + WRITTEN.lower(),
        "503 " + "x" * 110 + PASSWORD,
        "503 /cam?user=me&password=" + WRITTEN,
    ],
)
async def test_a_server_that_echoes_the_password_is_not_quoted(status: str) -> None:
    end = await ending(f"me:{WRITTEN}", status)
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, WRITTEN, WRITTEN.lower(), basic, basic.rstrip("="), PASSWORD[:6], WRITTEN[:6]):
        assert secret not in end.detail
        assert secret not in repr(end)
    assert len(end.detail) < 250


async def test_what_a_server_says_is_short_and_printable() -> None:
    end = await ending("me:pw", "404 \x1b[31m\x07evil\x00" + "y" * 5000)
    assert len(end.detail) < 250
    assert end.detail.isprintable()
    assert "evil" in end.detail


async def test_names_of_codecs_are_quoted_with_the_same_care() -> None:
    async def describes(visit: Visit) -> None:
        sdp = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 sesame-{}/90000\r\n".format("z" * 3000)
        await visit.answer("200 OK", body=sdp.encode())

    async with acting(describes, userinfo="me:sesame") as url, asyncio.timeout(PATIENCE_S):
        end = await RtspSource(url, clock=SystemClock(), **PATIENT).run(Collector())
    assert "sesame" not in end.detail
    assert "***" in end.detail
    assert len(end.detail) < 250


def test_a_secret_in_the_path_or_query_of_the_address_is_one_too() -> None:
    known = secrets_of("rtsp://host/user=admin&password=tlJwpbo6&channel=1", None)
    assert foreign("no such channel: tlJwpbo6", known) == "no such channel: ***"


def test_a_password_too_short_to_cut_out_takes_the_whole_text_with_it() -> None:
    assert foreign("a bad day", secrets("a")) == "***"
    assert foreign("tic", secrets("ab")) == "tic"


def test_a_digest_answer_is_no_less_a_secret() -> None:
    text = 'Digest username="me", response="0123456789abcdef", cnonce="77"'
    assert foreign(text) == "Digest ***"
    assert "0123" not in foreign('bad response="0123456789abcdef"')


@given(
    st.text(max_size=200),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=40),
    st.text(max_size=200),
)
def test_no_password_survives_wherever_it_stands(before: str, password: str, after: str) -> None:
    bare, credentials = split_credentials(f"rtsp://me:{quote(password, safe='')}@host/cam")
    known = secrets_of(bare, credentials)
    assert credentials is not None
    shown = foreign(f"{before}{password}{after}", known, longest=10_000)
    assert password not in shown.replace("***", "\0")
    assert shown.isprintable()


@given(st.text(max_size=6000))
def test_any_text_becomes_short_and_printable(text: str) -> None:
    shown = foreign(text, secrets())
    assert len(shown) <= 120
    assert shown.isprintable()
