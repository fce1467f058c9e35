"""The endpoint of the metrics: what it answers, and what it puts up with."""

from __future__ import annotations

import contextlib
import errno
import gzip
import http.client
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from observe.metric_views import SECRET, histograms, node
from patience import NEVER_S, PATIENCE_S
from vedette.errors import ConfigError
from vedette.observe.metrics import Exporter, endpoint, parse_address
from vedette.observe.metrics.address import spell
from vedette.observe.views import Histograms, NodeView


@pytest.fixture(autouse=True)
def _clients_may_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are clients themselves."""
    monkeypatch.setattr(endpoint, "CLIENT_WITHIN_S", NEVER_S)


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    serving = Exporter("127.0.0.1:0", node, histograms, version="1.2.3")
    serving.start()
    yield serving
    serving.close()


def ask(
    port: int, path: str = "/metrics", method: str = "GET", host: str = "127.0.0.1", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def send(port: int, text: bytes) -> bytes:
    """What comes back for these bytes, until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        try:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            got = b""
            while piece := connection.recv(65536):
                got += piece
        except OSError as err:
            if not isinstance(err, ConnectionError) and err.errno != errno.ENOTCONN:
                raise
            return b""  # it hung up on us, which is an answer too
        return got


# ---- what it answers


def test_the_metrics_are_plain_text_for_who_asks_for_nothing_else(exporter: Exporter) -> None:
    status, headers, body = ask(exporter.port)
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'\nvedette_build_info{version="1.2.3"} 1\n' in body
    assert not body.endswith(b"# EOF\n")


def test_the_metrics_are_openmetrics_for_who_asks_for_that(exporter: Exporter) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    status, headers, body = ask(exporter.port, Accept=accept)
    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")


def test_the_metrics_are_packed_for_who_can_unpack_them(exporter: Exporter) -> None:
    _, headers, body = ask(exporter.port, Accept_Encoding="deflate, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert b"vedette_build_info" in gzip.decompress(body)
    _, headers, body = ask(exporter.port, Accept_Encoding="gzip;q=0, identity")
    assert "Content-Encoding" not in headers
    assert b"vedette_build_info" in body


def test_the_root_leads_to_the_metrics_and_there_is_nothing_else(exporter: Exporter) -> None:
    status, _, body = ask(exporter.port, "/")
    assert status == 200
    assert b'href="/metrics"' in body
    for path in ("/metrics/", "/favicon.ico", "/../etc/passwd", "/metrics%00"):
        assert ask(exporter.port, path)[0] == 404, path


def test_a_query_behind_the_path_does_not_matter(exporter: Exporter) -> None:
    assert ask(exporter.port, "/metrics?name[]=x")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_there_is_nothing_to_do_but_get(exporter: Exporter, method: str) -> None:
    status, headers, _ = ask(exporter.port, method=method)
    assert status == 405
    assert headers["Allow"] == "GET"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /metrics HTTP/x\r\n\r\n",
        b"\xff" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    ],
)
def test_garbage_is_answered_shortly_or_not_at_all(exporter: Exporter, garbage: bytes) -> None:
    send(exporter.port, garbage)
    assert ask(exporter.port)[0] == 200


def test_what_is_asked_for_is_not_repeated_in_an_error(exporter: Exporter) -> None:
    answer = send(exporter.port, f"GET /{SECRET} {SECRET}/1.1\r\n\r\n".encode())
    answer += send(exporter.port, f"{SECRET} / HTTP/1.1\r\n\r\n".encode())
    assert answer
    assert SECRET.encode() not in answer


# ---- what it puts up with


def test_an_error_while_collecting_is_an_answer_and_told_once() -> None:
    broken, told = [True], []

    def view() -> NodeView:
        if broken[0]:
            raise ValueError(f"rtsp://me:{SECRET}@camera/ is odd")
        return node()

    serving = Exporter("127.0.0.1:0", view, histograms, version="1", tell=told.append)
    serving.start()
    try:
        for _ in range(3):
            status, _, body = ask(serving.port)
            assert status == 500
            assert b"odd" not in body
        broken[0] = False
        assert b'vedette_metrics_requests_total{result="failed"} 3\n' in ask(serving.port)[2]
    finally:
        serving.close()
    (sentence,) = told
    assert "is odd" in sentence
    assert SECRET not in sentence


def test_silent_clients_are_hung_up_on_and_others_are_served_meanwhile(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "CLIENT_WITHIN_S", 2.0)
    silent = [
        socket.create_connection(("127.0.0.1", exporter.port), timeout=PATIENCE_S)
        for _ in range(endpoint.CONNECTIONS_AT_MOST - 1)
    ]
    silent[0].sendall(b"GET /metr")
    served = False
    while not served:
        # Where the machine stands still, this one is too slow as well.
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            served = ask(exporter.port)[0] == 200
    for client in silent:
        assert client.recv(1) == b"", "hung up"
        client.close()
    monkeypatch.setattr(endpoint, "CLIENT_WITHIN_S", NEVER_S)
    slow = re.search(rb'{result="slow"} (\d+)\n', fresh(exporter))
    assert slow
    assert int(slow[1]) >= len(silent)


def test_a_client_that_reads_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "CLIENT_WITHIN_S", 2.0)
    many = [f"camera-{number}" for number in range(1000)]
    big = Exporter("127.0.0.1:0", node, lambda: histograms(many), version="1" * 8_000_000)
    big.start()
    try:
        with socket.create_connection(("127.0.0.1", big.port), timeout=PATIENCE_S) as deaf:
            deaf.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            deadline = time.monotonic() + PATIENCE_S
            while big._requests()["slow"] == 0:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        big.close()


def test_more_clients_than_there_are_connections_are_sent_away(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "SLOT_WITHIN_S", 0.05)
    before = threading.active_count()
    silent = [
        socket.create_connection(("127.0.0.1", exporter.port), timeout=PATIENCE_S)
        for _ in range(endpoint.CONNECTIONS_AT_MOST)
    ]
    assert ask(exporter.port)[0] == 503
    # Each has a thread, and another that hangs up on it.
    assert threading.active_count() <= before + 2 * endpoint.CONNECTIONS_AT_MOST
    for client in silent:
        client.close()
    deadline = time.monotonic() + PATIENCE_S
    while ask(exporter.port)[0] != 200:
        assert time.monotonic() < deadline
    assert b'{result="refused"} 0\n' not in fresh(exporter)


def test_many_at_a_time_are_all_served(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SLOT_WITHIN_S", PATIENCE_S)
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: ask(exporter.port)[0], range(100)))
    assert statuses == [200] * 100


def test_closing_waits_for_no_client() -> None:
    serving = Exporter("127.0.0.1:0", node, histograms, version="1")
    serving.start()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE_S) as silent:
        time.sleep(0.1)
        serving.close()
        serving.close()
        with pytest.raises(OSError, match="refused"):
            ask(serving.port)
        silent.close()


def test_nothing_listens_before_the_start_and_closing_without_one_is_fine() -> None:
    serving = Exporter("127.0.0.1:0", node, histograms, version="1")
    assert serving.port == 0
    serving.close()


def fresh(exporter: Exporter) -> bytes:
    """The metrics of now and not of half a second ago."""
    time.sleep(0.6)
    return ask(exporter.port)[2]


# ---- where it listens


def test_an_address_that_is_taken_is_one_clear_sentence(exporter: Exporter) -> None:
    second = Exporter(f"127.0.0.1:{exporter.port}", node, histograms, version="1")
    with pytest.raises(ConfigError) as error:
        second.start()
    assert str(error.value) == f"metrics: cannot listen on 127.0.0.1:{exporter.port}: Address already in use"


def test_an_address_of_another_machine_is_one_clear_sentence() -> None:
    for address in ("203.0.113.7:9464", "no..name:9464"):
        with pytest.raises(ConfigError, match=r"^metrics: cannot listen on .+: [^\n]+$"):
            Exporter(address, node, histograms, version="1").start()


def test_a_port_is_free_again_at_once() -> None:
    port = 0
    for _ in range(3):
        serving = Exporter(f"127.0.0.1:{port}", node, histograms, version="1")
        serving.start()
        port = serving.port
        assert ask(port)[0] == 200
        serving.close()


def test_without_a_host_it_listens_everywhere() -> None:
    serving = Exporter(":0", node, lambda: Histograms.none(()), version="1")
    serving.start()
    try:
        assert ask(serving.port)[0] == 200
        if socket.has_dualstack_ipv6():
            assert ask(serving.port, host="::1")[0] == 200
    finally:
        serving.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":9464", ("", 9464)),
        (" 127.0.0.1:9464 ", ("127.0.0.1", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("[::]:0", ("::", 0)),
        ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
        ("node-7.example:65535", ("node-7.example", 65535)),
    ],
)
def test_an_address_is_read(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert spell(*address) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "9464",
        "host",
        "host:",
        "host:http",
        "::1:9464",
        ":-1",
        ":65536",
        ":123456",
        "a b:1",
        "http://h:1",
        ":1/",
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    said = (
        r"write an address to listen on as :9464, 127\.0\.0\.1:9464 or \[::1\]:9464|a port is at most 65535"
    )
    with pytest.raises(ValueError, match=f"^({said})$"):
        parse_address(text)


def test_a_password_where_an_address_belongs_is_not_repeated() -> None:
    for text in (f"http://me:{SECRET}@host:1", f"me:{SECRET}@host:1"):
        with pytest.raises(ValueError, match="write an address") as error:
            parse_address(text)
        assert SECRET not in str(error.value)


def test_reading_an_address_imports_nothing_heavy() -> None:
    code = (
        "import sys; import vedette.observe.metrics.address; print({'numpy', 'http.server'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
