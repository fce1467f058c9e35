"""Traces of frames, as a collector gets them over HTTP."""

from __future__ import annotations

import base64
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from patience import PATIENCE_S
from servers import free_port
from vedette.errors import ConfigError
from vedette.frame_times import STAGES, FrameTimes
from vedette.observe.traces import Tracer
from vedette.observe.traces.pace import Pace
from vedette.observe.traces.tracer import FRAMES_AT_MOST
from vedette.results import Boxes, Result

OFFSET_S = 1_700_000_000.0
TIMES = FrameTimes(
    captured=10.0,
    arrived=10.02,
    decode_began=10.021,
    decoded=10.03,
    chosen=10.05,
    converted=10.052,
    infer_began=10.06,
    inferred=10.09,
    boxes=10.095,
    returned=10.1,
    tracked=10.102,
    emitted=10.103,
)


@pytest.fixture(autouse=True)
def _sending_may_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.observe.traces.batches.TIMEOUT_S", PATIENCE_S)


class Received:
    """An OTLP receiver. ``answers``: statuses of the next requests; 200 when there are none left."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resource(self) -> dict[str, str]:
        return attributes(self.requests[0].resource_spans[0].resource)


def attributes(thing: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in thing.attributes}


@contextmanager
def receiving() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.paths.append(self.path)
            received.headers.append({name.lower(): value for name, value in self.headers.items()})
            assert received.gate.wait(PATIENCE_S)
            status = received.answers.pop(0) if received.answers else 200
            if status == 200:
                received.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield received
    finally:
        received.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector() -> Iterator[Received]:
    with receiving() as received:
        yield received


def result(seq: int = 7, camera: str = "gate", objects: int = 2) -> Result:
    boxes = Boxes(
        np.zeros((objects, 4), np.float32),
        np.ones(objects, np.float32),
        np.zeros(objects, np.int32),
        ("car",) * objects,
        np.arange(objects),
    )
    return Result(camera, 3, seq, OFFSET_S + 10.0, OFFSET_S + 10.103, 0.103, 640, 360, boxes)


def tracer(endpoint: str, said: list[str] | None = None, **more: Any) -> Tracer:
    report = (said if said is not None else []).append
    started = Tracer(endpoint, node="roof", wall_offset=lambda: OFFSET_S, report=report, **more)
    started.start()
    return started


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- the stages


def test_the_stages_lie_one_after_the_other_and_are_the_whole_way() -> None:
    stages = TIMES.stages()
    assert [name for name, _, _ in stages] == list(STAGES)
    assert stages[0] == ("lag", 10.0, 10.02)
    assert stages[8:] == [("return", 10.095, 10.1), ("track", 10.1, 10.102), ("emit", 10.102, 10.103)]


@given(st.lists(st.floats(0, 1e6), min_size=12, max_size=12))
def test_no_stage_is_ever_negative_and_none_leaves_a_hole(points: list[float]) -> None:
    times = FrameTimes(*points)
    stages = times.stages()
    assert [name for name, _, _ in stages] == list(STAGES)
    assert stages[0][1] == times.captured
    assert all(begin <= end for _, begin, end in stages)
    assert all(before[2] == after[1] for before, after in pairwise(stages))


def test_what_was_not_noted_takes_no_time_and_is_the_next_stages() -> None:
    lengths = {name: end - begin for name, begin, end in FrameTimes(1.0, 2.0, emitted=5.0).stages()}
    assert {name: took for name, took in lengths.items() if took} == {"lag": 1.0, "emit": 3.0}
    returned = msgspec.structs.replace(TIMES, returned=0.0)
    lengths = {name: end - begin for name, begin, end in returned.stages()}
    assert lengths["return"] == 0.0
    assert lengths["track"] == pytest.approx(0.007)


def test_times_travel_as_a_plain_array() -> None:
    packed = msgspec.msgpack.encode(TIMES)
    assert len(msgspec.msgpack.decode(packed)) == 12
    assert msgspec.msgpack.decode(packed, type=FrameTimes) == TIMES


# ---- a frame's trace


def test_a_frame_is_one_trace_with_a_span_for_each_stage(collector: Received) -> None:
    traces = tracer(collector.url)
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    (root,) = [span for span in collector.spans if not span.parent_span_id]
    stages = {span.name: span for span in collector.spans if span.parent_span_id}
    assert set(stages) == set(STAGES)
    assert {span.trace_id for span in collector.spans} == {root.trace_id}
    assert {span.parent_span_id for span in stages.values()} == {root.span_id}
    assert len({span.span_id for span in collector.spans}) == len(STAGES) + 1
    assert root.name == "frame"
    assert attributes(root) == {
        "camera": "gate",
        "epoch": 3,
        "seq": 7,
        "outcome": "analysed",
        "objects": 2,
        "age": 0.103,
    }
    assert (traces.sent, traces.dropped) == (1, 0)


def test_spans_lie_in_wall_time_and_touch_each_other(collector: Received) -> None:
    traces = tracer(collector.url)
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    at = {span.name: (span.start_time_unix_nano, span.end_time_unix_nano) for span in collector.spans}
    first = round(OFFSET_S * 1e9) + 10_000_000_000
    assert at["frame"] == (first, first + 103_000_000)
    assert at["infer"] == (first + 60_000_000, first + 90_000_000)
    assert [at[a][1] for a in STAGES[:-1]] == [at[b][0] for b in STAGES[1:]]
    assert (at["lag"][0], at["emit"][1]) == at["frame"]


def test_a_collector_is_told_whose_traces_they_are(collector: Received) -> None:
    traces = tracer(collector.url, headers={"X-Tenant": "north"})
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    found = collector.resource()
    assert (found["service.name"], found["service.instance.id"]) == ("vedette", "roof")
    assert collector.headers[0]["x-tenant"] == "north"
    assert collector.headers[0]["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    ("given", "asked"), [("", "/v1/traces"), ("/", "/v1/traces"), ("/otlp/here?x=1", "/otlp/here?x=1")]
)
def test_an_endpoint_without_a_path_has_the_usual_one(collector: Received, given: str, asked: str) -> None:
    traces = tracer(collector.url + given)
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    assert collector.paths == [asked]


def test_frames_leave_while_it_runs_and_all_have_traces_of_their_own(collector: Received) -> None:
    traces = tracer(collector.url)
    for seq in range(100):
        traces.frame(result(seq), TIMES)
    until(lambda: traces.sent == 100)
    traces.close(PATIENCE_S)
    roots = [span for span in collector.spans if span.name == "frame"]
    assert sorted(attributes(span)["seq"] for span in roots) == list(range(100))
    assert len({span.trace_id for span in roots}) == 100
    assert len(collector.spans) == 100 * (len(STAGES) + 1)


# ---- a collector that does not take them


def test_a_collector_that_hangs_holds_up_nobody_and_each_drop_is_counted(collector: Received) -> None:
    said: list[str] = []
    traces = tracer(collector.url, said)
    collector.gate.clear()
    began = time.monotonic()
    for seq in range(FRAMES_AT_MOST + 50):
        traces.frame(result(seq), TIMES)
    assert time.monotonic() - began < PATIENCE_S / 2, "nobody waits for the collector"
    assert traces.dropped == 50
    began = time.monotonic()
    traces.close(0.3)
    assert time.monotonic() - began < PATIENCE_S / 2
    assert (traces.sent, traces.dropped) == (0, FRAMES_AT_MOST + 50)
    assert len(said) == 1
    assert str(FRAMES_AT_MOST + 50) in said[0]


def test_a_collector_that_is_not_there_is_told_of_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.observe.traces.batches.TRY_AGAIN_S", ())
    monkeypatch.setattr("vedette.observe.traces.batches.SEND_EVERY_S", 0.05)
    said: list[str] = []
    traces = tracer(f"http://me:secret@127.0.0.1:{free_port()}/?token=hidden", said, headers={"X-Key": "s3"})
    for seq in range(5):
        traces.frame(result(seq), TIMES)
        until(lambda: traces.dropped == seq + 1)  # noqa: B023 - called before the next round
    assert len(said) == 1
    assert said[0].startswith("traces to http://127.0.0.1:")
    assert "the trace of 1 frame was not sent: it could not be reached (ConnectionRefusedError)" in said[0]
    traces.close(PATIENCE_S)
    assert len(said) == 2
    assert "the traces of 4 frames were not sent" in said[1]
    assert not any(secret in text for secret in ("secret", "hidden", "s3") for text in [*said, repr(traces)])


def test_what_a_collector_could_not_take_just_now_is_sent_again(
    collector: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette.observe.traces.batches.TRY_AGAIN_S", (0.05, 0.05))
    monkeypatch.setattr("vedette.observe.traces.batches.SEND_EVERY_S", 0.05)
    said: list[str] = []
    traces = tracer(collector.url, said)
    collector.answers = [503, 429]
    traces.frame(result(), TIMES)
    until(lambda: traces.sent == 1)
    collector.answers = [400]
    traces.frame(result(), TIMES)
    until(lambda: said)
    assert traces.dropped == 1
    assert said == [f"traces to {collector.url}: the trace of 1 frame was not sent: it answered 400"]
    collector.answers = [400]
    traces.frame(result(), TIMES)
    until(lambda: traces.dropped == 2)
    for sent in (2, 3):
        traces.frame(result(), TIMES)
        until(lambda: traces.sent == sent)  # noqa: B023 - called before the next round
    traces.close(PATIENCE_S)
    lost = "the trace of 1 frame was not sent meanwhile"
    assert said[1:] == [f"traces to {collector.url}: they are taken again; {lost}"]
    assert len(collector.paths) == 7


def test_an_observer_that_raises_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.observe.traces.batches.TRY_AGAIN_S", ())

    def raises(_: str) -> None:
        raise RuntimeError

    traces = Tracer(
        f"http://127.0.0.1:{free_port()}", node="roof", wall_offset=lambda: OFFSET_S, report=raises
    )
    traces.start()
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    assert (traces.sent, traces.dropped) == (0, 1)


def test_a_frame_that_makes_no_trace_is_dropped_and_raises_nothing(collector: Received) -> None:
    def raises() -> float:
        raise RuntimeError

    said: list[str] = []
    traces = Tracer(collector.url, node="roof", wall_offset=raises, report=said.append)
    traces.frame(result(), TIMES)
    traces.start()
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    assert (traces.sent, traces.dropped, collector.paths) == (0, 3, [])


def test_a_server_that_speaks_something_else_is_told_of() -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def babble() -> None:
            for _ in range(3):
                try:
                    visitor, _ = listening.accept()
                except OSError:
                    return
                with visitor:
                    visitor.sendall(b"220 mail.example ready\r\n" * 3)

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        traces = tracer(f"http://127.0.0.1:{listening.getsockname()[1]}", said)
        traces.frame(result(), TIMES)
        traces.close(PATIENCE_S)
    assert traces.dropped == 1
    assert len(said) == 1


def test_https_without_a_certificate_that_holds_sends_nothing(collector: Received) -> None:
    said: list[str] = []
    traces = tracer(collector.url.replace("http:", "https:"), said, headers={"X-Key": "s3cret"})
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    assert (traces.dropped, collector.paths, len(said)) == (1, [], 1)
    assert "no encrypted connection came about" in said[0]


# ---- how often it is told


def told(pace: Pace, began: float, until_s: float, every: float = 4.0) -> list[float]:
    """When a collector that is away is told of; seconds since ``began``."""
    moments = [began + step * every for step in range(int((until_s - began) / every))]
    return [moment - began for moment in moments if pace.lost(moment)]


def test_a_collector_that_is_away_is_told_of_at_once_then_seldom() -> None:
    pace = Pace()
    assert told(pace, 1000.0, 1000.0 + 3600) == [0.0, 60.0, 660.0, 1260.0, 1860.0, 2460.0, 3060.0]
    assert [pace.taken(5000.0 + second) for second in range(3)] == [True, False, False]


def test_one_that_is_well_for_long_is_told_of_at_once_when_it_goes_again() -> None:
    pace = Pace()
    assert not pace.taken(0.0), "nobody heard that it was away"
    told(pace, 1.0, 100.0)
    assert pace.taken(100.0)
    assert not pace.taken(699.0)
    assert pace.lost(700.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 30.0)), max_size=300))
def test_one_that_comes_and_goes_is_told_of_no_more_often(turns: list[tuple[bool, float]]) -> None:
    pace, now, away = Pace(), 0.0, []
    for lost, pause in turns:
        now += pause
        if lost and pace.lost(now):
            away.append(now)
            assert pace.away
        elif not lost and pace.taken(now):
            assert not pace.away
    assert all(later - before >= 60.0 for before, later in pairwise(away))
    assert len(away) <= 2 + now / 600.0 + now / 600.0


# ---- what it is given


@pytest.mark.parametrize(
    "endpoint",
    ["", "collector:4318", "ftp://host", "http://", "http://host:99999", "http://h ost", "http://h\nost"],
)
def test_an_endpoint_that_is_none_is_an_error_at_once(endpoint: str) -> None:
    with pytest.raises(ConfigError):
        Tracer(endpoint, node="roof", wall_offset=lambda: 0.0, report=print)


@pytest.mark.parametrize(
    "bad", [{"X Y": "v"}, {"": "v"}, {"X-Key": "s3cret\r\nEvil: 1"}, {"X-Key": "s3crét"}]
)
def test_a_header_that_cannot_be_sent_is_an_error_that_does_not_show_it(bad: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Tracer("http://host", node="roof", wall_offset=lambda: 0.0, report=print, headers=bad)
    assert "s3cr" not in str(caught.value)


def test_a_user_and_password_in_the_endpoint_are_sent_as_a_header(collector: Received) -> None:
    traces = tracer(collector.url.replace("http://", "http://me:p%40ss@"))
    traces.frame(result(), TIMES)
    traces.close(PATIENCE_S)
    assert collector.headers[0]["authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert "p%40ss" not in repr(traces)


def test_nothing_is_imported_or_started_before_it_is_wanted() -> None:
    code = (
        "import sys, threading; from vedette.observe.traces import Tracer\n"
        "Tracer('http://127.0.0.1:1', node='n', wall_offset=lambda: 0.0, report=print)\n"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules)\n"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)


SURPRISES = {
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=meant-for-another",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,secret=1",
    "OTEL_SERVICE_NAME": "other",
    "OTEL_ATTRIBUTE_COUNT_LIMIT": "1",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1",
    "OTEL_BSP_MAX_QUEUE_SIZE": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "nonsense",
    "OTEL_PYTHON_METER_PROVIDER": "nonsense",
    "OTEL_PYTHON_TRACER_PROVIDER": "nonsense",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


def test_the_environment_changes_nothing_and_nothing_is_logged(collector: Received) -> None:
    code = (
        "import logging; logging.basicConfig(level=logging.INFO)\n"
        "from vedette.frame_times import FrameTimes\n"
        "from vedette.observe.traces import Tracer, batches\n"
        "from vedette.results import Result\n"
        f"batches.TIMEOUT_S = {PATIENCE_S}\n"
        "frame = Result('gate', 3, 7, 0.0, 0.0, 0.1, 640, 360), FrameTimes(1.0, 2.0)\n"
        f"for url in ({collector.url!r}, 'http://127.0.0.1:{free_port()}'):\n"
        "    traces = Tracer(url, node='roof', wall_offset=lambda: 0.0, report=lambda text: None)\n"
        f"    traces.start(); traces.frame(*frame); traces.close({PATIENCE_S}); traces.frame(*frame)\n"
        "    print(traces.sent, traces.dropped)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        timeout=PATIENCE_S,
        capture_output=True,
        text=True,
        env=os.environ | SURPRISES,
    )
    assert ran.stdout.split() == ["1", "1", "0", "2"]
    assert ran.stderr == ""
    assert collector.resource()["service.name"] == "vedette"
    assert "secret" not in collector.resource()
    assert "authorization" not in collector.headers[0]
    (root,) = [span for span in collector.spans if span.name == "frame"]
    assert len(attributes(root)) == 6


def test_a_full_queue_and_a_dead_collector_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        traces = tracer(f"http://127.0.0.1:{free_port()}")
        for seq in range(2 * FRAMES_AT_MOST):
            traces.frame(result(seq), TIMES)
        traces.close(PATIENCE_S)
    assert [record.name for record in caplog.records if record.name.startswith("opentelemetry")] == []
    assert traces.dropped == 2 * FRAMES_AT_MOST
