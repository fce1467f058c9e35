"""Which addresses may be given from afar."""

from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.web.api.sources import check_source, problem_of_addresses, problem_of_url

LINK_LOCAL = (
    "http://169.254.169.254/latest/meta-data/",
    "rtsp://169.254.1.2/stream",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "rtsp://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://169.254.169.254./",
    "http://\uff11\uff16\uff19.254.169.254/",
    "http://169\u3002254\u3002169\u3002254/",
    "http://user:password@169.254.169.254/",
    "RTSP://169.254.169.254/",
)


@pytest.mark.parametrize("url", LINK_LOCAL)
def test_no_notation_of_a_link_local_address_is_taken(url: str) -> None:
    assert problem_of_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "/etc/passwd",
        "/dev/video0",
        "clip.mp4",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "unix:///run/docker.sock",
        "ftp://10.0.0.1/x",
        "concat:/etc/passwd",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "crypto+http://10.0.0.1/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433:8080/",
        "http://[::1]/",
        "http://0.0.0.0/",
        "https://[::]/",
        "http://10.0.0.1@169.254.169.254@x/",
        "http://10.0.0.1\\@169.254.169.254/",
        "http://10.0.0.1/ http://x",
        "http://10.0.0.1\r\nHost: x/",
        "rtsp://",
        "rtsp:///stream",
        "http://[::1",
        "rtsp://10.0.0.1:99999/",
        "",
    ],
)
def test_what_is_no_stream_elsewhere_is_not_taken(url: str) -> None:
    assert problem_of_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://user:p%40ss@10.0.0.5:554/stream1",
        "rtsps://[2001:db8::5]/1",
        "http://192.168.1.20/mjpg/video.mjpg",
        "https://cameras.example/live.m3u8",
        "rtsp://127.0.0.1:8554/gate",
        "rtmp://localhost/live",
        "srt://[::1]:9000",
        "udp://239.0.0.1:5000",
        "rtp://@:5004",
    ],
)
def test_cameras_are_taken(url: str) -> None:
    assert problem_of_url(url) == ""


@given(st.integers(0, 0xFFFF), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_link_local_networks_are_refused_whole_and_in_every_base(low: int, form: str) -> None:
    number = (169 << 24 | 254 << 16) + low
    host = form.format(number)

    assert problem_of_url(f"http://{host}/")
    assert problem_of_addresses((ipaddress.ip_address(f"::ffff:{ipaddress.IPv4Address(number)}"),), "rtsp")


async def test_all_that_a_name_resolves_to_is_looked_at() -> None:
    good, bad = ipaddress.ip_address("10.0.0.5"), ipaddress.ip_address("169.254.169.254")

    assert await check_source("http://cam.example/", resolver=lambda _: [good]) == ""
    assert await check_source("http://cam.example/", resolver=lambda _: [good, bad])
    here = ipaddress.ip_address("127.0.0.1")
    assert await check_source("http://here.example/", resolver=lambda _: [here])
    assert await check_source("rtsp://here.example/", resolver=lambda _: [here]) == ""


async def test_a_resolver_that_does_not_answer_is_not_waited_for() -> None:
    def slow(_: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        time.sleep(0.3)
        return []

    assert "in time" in await check_source("http://cam.example/", within=0.05, resolver=slow)


async def test_names_that_are_not_known_now_are_let_through() -> None:
    def unknown(_: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        raise OSError("unknown")

    assert await check_source("rtsp://cam.example/", resolver=unknown) == ""


async def test_where_it_is_allowed_everything_may_be_given() -> None:
    assert await check_source("/dev/video0", local=True) == ""
