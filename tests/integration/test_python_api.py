"""``vedette.run`` from Python."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import supervision as sv

import vedette
from integration.harness import CALM, Cameras, fake, gone, wait_until, workers_of
from patience import PATIENCE_S


def config_of(cameras: Cameras, **more: object) -> vedette.Config:
    return vedette.Config(cameras=cameras.section(), **{"detector": fake(), "defaults": CALM, **more})


def test_a_file_is_run_and_its_results_are_iterated_over(cameras: Cameras, tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(
        f"cameras: {{gate: {{url: '{cameras.url(0)}'}}}}\n"
        "detector: {python: 'vedette.testing:FakeDetector', options: {input_size: [192, 320]}}\n"
        f"defaults: {CALM}\n"
    )
    with vedette.run(path) as node:
        for result in node.results():
            if result.detections.tracker_id is not None:
                break
    assert not node.running
    assert (result.camera, result.epoch) == ("gate", 0)
    assert 0 <= result.age < 1
    assert result.captured_at == pytest.approx(time.time(), abs=PATIENCE_S)
    detections = result.detections
    assert isinstance(detections, sv.Detections)
    # Twice as large a picture at the detector: boxes come back in pixels of the source.
    assert detections.xyxy.tolist() == [[5.0, 10.0, 25.0, 40.0]]
    assert detections.tracker_id.tolist() == [1]
    assert detections.class_id.tolist() == [0]
    assert list(detections.data["class_name"]) == ["thing"]
    assert detections.confidence.tolist() == pytest.approx([0.9])
    assert (result.width, result.height) == (160, 96)


def test_a_callback_gets_results_on_a_thread_of_its_own(cameras: Cameras) -> None:
    threads = set()
    seen = set()

    def note(result: vedette.Result) -> None:
        threads.add(threading.get_ident())
        seen.add(result.camera)

    with vedette.run(config_of(cameras), on_result=note):
        wait_until(lambda: len(seen) == 4, "each camera had a result")
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_callback_that_raises_does_not_stop_the_node(cameras: Cameras) -> None:
    calls = []

    def fails(result: vedette.Result) -> None:
        calls.append(result)
        raise ValueError("the callback's own trouble")

    facts: list[object] = []
    with vedette.run(config_of(cameras), on_result=fails, on_fact=facts.append) as node:
        wait_until(lambda: len(calls) > 50, "it was called again and again")
        assert node.running
    assert any("the callback's own trouble" in getattr(fact, "message", "") for fact in facts)


def test_leaving_the_block_by_an_exception_stops_the_node(cameras: Cameras) -> None:
    with pytest.raises(KeyError, match="mine"), vedette.run(config_of(cameras)) as node:  # noqa: PT012
        wait_until(lambda: workers_of(psutil.Process().pid, "camera"), "workers were there")
        workers = psutil.Process().children(recursive=True)
        raise KeyError("mine")
    assert not node.running
    assert gone([each for each in workers if "vedette.workers" in _command(each)])


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_two_nodes_run_side_by_side(cameras: Cameras) -> None:
    with vedette.run(config_of(cameras)) as one, vedette.run(config_of(cameras)) as other:
        first, second = next(one.results()), next(other.results())
        assert first.camera in cameras.section()
        assert second.camera in cameras.section()


def test_stopping_twice_and_joining_after_it_does_no_harm(cameras: Cameras) -> None:
    node = vedette.run(config_of(cameras))
    assert not node.join(0.01)
    node.stop()
    node.stop()
    assert node.join(1)
    assert list(node.results()) == []


def test_an_error_comes_out_of_the_loop_over_results() -> None:
    detector = {"python": "nowhere:Detector"}
    config = vedette.Config(cameras={"cam": {"url": "rtsp://127.0.0.1:9/x"}}, detector=detector)
    with pytest.raises(vedette.DetectorError, match="nowhere"), vedette.run(config) as node:
        list(node.results())


def test_an_error_comes_out_of_the_end_of_the_block() -> None:
    detector = {"python": "nowhere:Detector"}
    config = vedette.Config(cameras={"cam": {"url": "rtsp://127.0.0.1:9/x"}}, detector=detector)
    with pytest.raises(vedette.DetectorError, match="nowhere"), vedette.run(config) as node:
        wait_until(lambda: not node.running, "it gave up")


def test_a_missing_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(vedette.ConfigError, match=r"none\.yaml"):
        vedette.run(tmp_path / "none.yaml")


def test_a_script_that_forgets_to_stop_its_node_can_still_end(cameras: Cameras, tmp_path: Path) -> None:
    script = tmp_path / "forgets.py"
    script.write_text(
        "import vedette\n"
        f"config = vedette.Config(cameras={cameras.section()!r}, detector={fake()!r})\n"
        "node = vedette.run(config)\n"
        "print(next(node.results()).camera)\n"
    )
    command = [sys.executable, script]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cam")
