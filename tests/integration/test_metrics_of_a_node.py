"""`vedette run --metrics`: what a real node tells a real Prometheus while it runs."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.harness import Cameras, Run, fake
from observe.metric_tools import Prometheus, prometheus, promtool
from patience import PATIENCE_S
from servers import free_port

SECRET = "geheim-4711"
NAMES = ("cam0", "cam1", "cam2", "cam3")


def page(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def run(cameras: Cameras, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Four simulated cameras, and one that nobody answers for."""
    away = {"url": f"rtsp://me:{SECRET}@127.0.0.1:{free_port()}/nowhere"}
    config = {"cameras": {**cameras.section(), "away": away}, "detector": fake(), "workers": 2}
    with Run(tmp_path_factory.mktemp("run"), config, "--metrics", f"127.0.0.1:{port}") as run:
        run.until_all_analysed(NAMES, results=10)
        yield run


@pytest.fixture(scope="module")
def server(run: Run, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), port) as server:
        server.until("min(changes(vedette_frames_received_total{camera!='away'}[1m])) > 3")
        yield server


def test_promtool_finds_nothing_to_complain_of(run: Run, port: int) -> None:
    checked = promtool("check", "metrics", text=page(port))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_no_password_is_on_the_page(run: Run, port: int) -> None:
    assert SECRET.encode() not in page(port)


def test_prometheus_sees_who_is_seen_and_who_is_not(server: Prometheus) -> None:
    server.until("sum(vedette_camera_live) == 4")
    (blind,) = server.until('vedette_camera_blind{camera="away", cause="refused"}')
    assert blind["metric"]["blame"]
    server.until('increase(vedette_camera_blind_seconds_total{camera="away"}[1m]) > 0')


def test_what_was_received_is_the_sum_of_what_became_of_it(server: Prometheus) -> None:
    off = (
        "sum by (camera) (vedette_frames_received_total) - sum by (camera) (vedette_frames_total)"
        ' - sum by (camera) (vedette_frames_in_flight) and vedette_frames_received_total{camera!="away"}'
    )
    # Prometheus joins by all labels: the sums have but the camera's.
    off = off.replace(" and vedette", " and on (camera) vedette")
    found = server.until(off)
    assert len(found) == len(NAMES)
    assert all(abs(float(each["value"][1])) <= 1 for each in found), found


def test_ages_and_stages_are_measured(server: Prometheus) -> None:
    age = server.value("histogram_quantile(0.5, sum by (le) (vedette_frame_age_seconds_bucket))")
    assert 0.001 < age < 1.0
    for stage in ("decode", "wait", "convert", "infer", "track", "emit"):
        server.until(f'vedette_stage_seconds_count{{stage="{stage}"}} > 0')
        server.until(f'count(vedette_camera_stage_seconds_count{{stage="{stage}"}} > 0) == 4')


def test_every_worker_is_there(server: Prometheus) -> None:
    kinds = {
        each["metric"]["kind"]: each["value"][1]
        for each in server.until("count by (kind) (vedette_worker_outbox)")
    }
    assert kinds == {"camera": "2", "inference": "1"}
    server.until("sum(vedette_worker_cameras) == 5")
    assert server.value("vedette_memory_pss_bytes") > 20e6
    server.until("vedette_cpu_seconds_total > 0")
    groups = server.until('vedette_worker_cpu_seconds_total{worker=~"cameras-.", group="loop"} > 0')
    assert {each["metric"]["worker"] for each in groups} == {"cameras-0", "cameras-1"}
    assert server.value('vedette_worker_memory_bytes{worker="node", kind="pss"}') > 10e6
    server.until("count(vedette_worker_open_fds > 3) == 4")
    assert server.value("vedette_node_memory_available_bytes") > 0


def test_the_sink_is_there(server: Prometheus) -> None:
    server.until('vedette_sink_results_total{outcome="written"} > 10')


# These two stop the node: they come last.


def test_at_the_end_the_report_says_no_less_than_the_metrics_did(run: Run, port: int) -> None:
    before = page(port).decode()
    run.interrupt()
    for name in NAMES:
        (line,) = [
            line
            for line in before.splitlines()
            if line.startswith(f'vedette_frames_total{{camera="{name}",outcome="analysed"')
        ]
        counted = int(line.rpartition(" ")[2])
        assert 10 <= counted <= run.report["cameras"][name]["frames"]["analysed"]


def test_after_the_end_nobody_answers(run: Run, port: int) -> None:
    assert run.process.poll() == 0
    with pytest.raises(OSError, match="refused"):
        page(port)


def test_a_port_that_is_taken_is_one_sentence_and_no_start(cameras: Cameras, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config = {"cameras": cameras.section(), "detector": fake()}
        with Run(tmp_path, config, "--metrics", address) as run:
            assert run.wait() == 2
    assert f"cannot listen on {address}: Address already in use" in run.stderr
    assert "Traceback" not in run.stderr
