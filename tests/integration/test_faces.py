"""What a running node shows to other programs, all at once: metrics, traces, and answers on its socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import vedette
from integration.harness import CALM, Cameras, Run, fake, wait_until
from observe.test_traces import Received, attributes, receiving
from patience import PATIENCE_S
from servers import free_port
from vedette.errors import ConfigError
from vedette.facts import AnyFact, Trouble
from vedette.frame_times import STAGES

SECRET = "geheim-0815"


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
        return bytes(answer.read()).decode()


def top(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vedette.cli", "top", *arguments]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def top_in_time(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """It gives up a node that does not answer within five seconds: then it is asked again."""
    found: list[subprocess.CompletedProcess[str]] = []

    def answered() -> bool:
        found[:] = [top(env, *arguments)]
        return found[0].returncode == 0

    wait_until(answered, lambda: f"top {arguments} shows something: {found[0].stderr}")
    return found[0]


@pytest.fixture(scope="module")
def collector() -> Iterator[Received]:
    with receiving() as received:
        yield received


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    return {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}


def sockets(env: dict[str, str]) -> list[Path]:
    return [path for path in Path(env["XDG_RUNTIME_DIR"]).rglob("*") if path.is_socket()]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def run(
    cameras: Cameras,
    port: int,
    collector: Received,
    env: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Run]:
    section = cameras.section()
    section["cam0"]["url"] = cameras.url(0, f"me:{SECRET}")
    config = {
        "cameras": section,
        "detector": fake(),
        "workers": 2,
        "metrics": f"127.0.0.1:{port}",
        "traces": {"to": collector.url, "sample": 0.2, "options": {"x-token": SECRET}},
        "ledger": {"url": "site.db", "node": "south-1"},
    }
    with Run(tmp_path_factory.mktemp("node"), config, env=env) as run:
        run.until_all_analysed(section, results=10)
        yield run


def test_all_of_them_at_once(run: Run, port: int, collector: Received, env: dict[str, str]) -> None:
    wait_until(lambda: 'vedette_camera_live{camera="cam0"} 1' in page(port), "cam0 is live")
    found = top_in_time(env, "--once")
    for name in ("cam0", "cam1", "cam2", "cam3"):
        assert name in found.stdout
    wait_until(lambda: collector.spans, "spans arrive")
    assert SECRET not in found.stdout + found.stderr + page(port) + run.stderr


def test_a_trace_is_of_a_result_that_left_and_its_stages_lie_in_order(run: Run, collector: Received) -> None:
    wait_until(lambda: len(collector.spans) > 100, "spans arrive")
    spans = list(collector.spans)
    children: dict[bytes, list[str]] = {}
    for span in spans:
        assert span.end_time_unix_nano >= span.start_time_unix_nano
        children.setdefault(span.parent_span_id, []).append(span.name)
    roots = [span for span in spans if not span.parent_span_id]
    assert roots
    whole = [root for root in roots if len(children.get(root.span_id, [])) == len(STAGES)]
    assert whole, "each stage of a frame is there"
    assert abs(whole[0].start_time_unix_nano / 1e9 - time.time()) < 120
    known = [attributes(root) for root in whole]
    traced = {(each["camera"], each["epoch"], each["seq"]) for each in known}

    def left() -> set[tuple[str, int, int]]:
        return {(result["camera"], result["epoch"], result["seq"]) for result in run.results}

    wait_until(lambda: traced <= left(), "each of them left")
    # Spans come in lumps: of what left by the last that has come.
    last = {name: max((seq for of, _, seq in traced if of == name), default=-1) for name, *_ in traced}
    sure = [each for each in left() if each[2] <= last.get(each[0], -1)]
    assert 0.05 < len(traced) / len(sure) < 0.5, "a fifth of them was asked for"
    assert collector.headers[0]["x-token"] == SECRET


def test_top_finds_it_by_name_and_by_pid(run: Run, env: dict[str, str]) -> None:
    for node in ("south-1", str(run.process.pid)):
        found = top_in_time(env, node, "--once", "--filter", "cam3")
        rows = [line.split()[0] for line in found.stdout.splitlines() if line.startswith("cam")]
        assert [row for row in rows if row[3:].isdecimal()] == ["cam3"]
    wrong = top(env, "nobody", "--once")
    assert wrong.returncode != 0
    assert "Traceback" not in wrong.stderr


def test_a_second_node_whose_address_is_taken_does_not_start_and_leaves_nothing_behind(
    run: Run, cameras: Cameras, port: int, env: dict[str, str], tmp_path: Path
) -> None:
    before = sockets(env)
    assert len(before) == 1
    config = {"cameras": cameras.section(), "detector": fake(), "metrics": f"127.0.0.1:{port}"}
    with Run(tmp_path, config, env=env) as other:
        assert other.wait() == 2
    assert f"127.0.0.1:{port}: Address already in use" in other.stderr
    assert "Traceback" not in other.stderr
    assert sockets(env) == before
    assert not other.report_file.exists()
    wait_until(lambda: 'vedette_camera_live{camera="cam0"} 1' in page(port), "the first one is as it was")


def test_at_the_end_nothing_is_left(run: Run, port: int, collector: Received, env: dict[str, str]) -> None:
    assert run.interrupt() == 0, run.stderr
    assert sockets(env) == []
    with pytest.raises(OSError, match="refused"):
        page(port)
    assert "Traceback" not in run.stderr
    found = top(env, "--once")
    assert found.returncode != 0
    assert "Traceback" not in found.stderr


def test_the_log_says_which_port_metrics_came_to(
    cameras: Cameras, env: dict[str, str], tmp_path: Path
) -> None:
    config = {"cameras": {"cam0": {"url": cameras.url(0)}}, "detector": fake(), "workers": 1}
    with Run(tmp_path, config, "--metrics", "127.0.0.1:0", env=env) as run:
        wait_until(lambda: run.saw("metrics served"), "it says where")
        (said,) = run.saw("metrics served", level="info", path="/metrics")
        assert "vedette_camera_live" in page(int(said["address"].removeprefix("127.0.0.1:")))
        assert run.interrupt() in (0, 1), run.stderr


# ---- from Python


def test_in_python_an_address_that_is_taken_raises_and_leaves_nothing_behind(cameras: Cameras) -> None:
    threads = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = vedette.Config(
            cameras=cameras.section(),
            detector=fake(),
            defaults=CALM,
            metrics=f"127.0.0.1:{taken.getsockname()[1]}",
            traces={"to": "http://127.0.0.1:9"},
        )
        with pytest.raises(ConfigError, match="Address already in use"):
            vedette.run(config)
    wait_until(lambda: set(threading.enumerate()) <= threads, "no thread is left")


def test_a_collector_that_is_not_there_is_told_of_and_costs_nothing(cameras: Cameras) -> None:
    facts: list[AnyFact] = []
    seen: list[int] = []
    config = vedette.Config(
        cameras={"gate": {"url": cameras.url(0)}},
        detector=fake(),
        defaults=CALM,
        workers=1,
        traces={"to": f"http://127.0.0.1:{free_port()}", "sample": 1},
    )
    with vedette.run(config, on_result=lambda result: seen.append(result.seq), on_fact=facts.append) as node:
        wait_until(
            lambda: [fact for fact in list(facts) if isinstance(fact, Trouble) and fact.where == "traces"],
            "it is told",
        )
        at = len(seen) + 20
        wait_until(lambda: len(seen) > at, "it goes on")
        began = time.monotonic()
        node.stop()
        # OpenTelemetry's own exporters would try again for a minute.
        assert time.monotonic() - began < 55
