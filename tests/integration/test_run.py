"""`vedette run`: what it writes, and that the numbers add up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.harness import (
    OUTCOMES,
    Cameras,
    Run,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    has_one_session,
    track_ids,
)
from servers import MediaMTX
from vedette.workers.table import STAGES

NAMES = {"cam0", "cam1", "cam2", "cam3", "gate"}


@pytest.fixture(scope="module")
def run(cameras: Cameras, mediamtx: MediaMTX, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Four simulated cameras and one of MediaMTX, watched for some seconds."""
    config = {
        "cameras": {**cameras.section(), "gate": {"url": mediamtx.url("gate")}},
        "detector": fake(),
        "workers": 2,
    }
    with Run(tmp_path_factory.mktemp("run"), config) as run:
        run.until_all_analysed(NAMES, 60)
        run.interrupt()
        yield run


def test_a_run_ends_with_0(run: Run) -> None:
    assert run.process.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


def test_a_run_for_some_seconds_ends_by_itself(cameras: Cameras, tmp_path: Path) -> None:
    with Run(tmp_path, {"cameras": cameras.section(), "detector": fake()}, "--for", "4s") as run:
        code = run.wait()
        assert run.report["duration_s"] >= 4
        seen = any(camera["frames"]["received"] for camera in run.report["cameras"].values())
        assert code == (0 if seen else 1), run.stderr
        assert "Traceback" not in run.stderr


def test_every_camera_is_analysed(run: Run) -> None:
    assert {result["camera"] for result in run.results} == NAMES
    assert all(camera["frames"]["analysed"] >= 60 for camera in run.report["cameras"].values())


def test_frame_outcomes_sum_to_received_and_nothing_is_in_flight_at_the_end(run: Run) -> None:
    for camera in run.report["cameras"].values():
        assert adds_up(camera["frames"], in_flight=0), camera["frames"]


def test_there_is_one_result_line_for_each_analysed_frame(run: Run) -> None:
    for name, camera in run.report["cameras"].items():
        assert len(run.results_of(name)) == camera["frames"]["analysed"]


def test_result_lines_have_the_keys_of_the_contract_in_its_order(run: Run) -> None:
    for result in run.results:
        assert list(result) == [
            "camera",
            "epoch",
            "seq",
            "captured_at",
            "emitted_at",
            "age_ms",
            "detections",
        ]
        for detection in result["detections"]:
            assert list(detection) == ["xyxy", "confidence", "class_id", "class_name", "track_id"]


def test_values_of_result_lines_mean_what_the_contract_says(run: Run) -> None:
    began, ended = run.config_file.stat().st_mtime, run.report_file.stat().st_mtime
    for result in run.results:
        assert began <= result["captured_at"] <= result["emitted_at"] <= ended
        age_ms = (result["emitted_at"] - result["captured_at"]) * 1000
        assert result["age_ms"] == pytest.approx(age_ms, abs=1)
        assert 0 <= result["age_ms"] <= 1000
        (detection,) = result["detections"]
        # The source has the very size of the detector's input, so boxes stay as they are.
        assert detection["xyxy"] == [10.0, 20.0, 50.0, 80.0]
        assert (detection["confidence"], detection["class_id"]) == (0.9, 0)
        assert detection["class_name"] == "thing"


def test_an_object_that_stays_keeps_one_track_id(run: Run) -> None:
    for name in NAMES:
        results = run.results_of(name)
        assert_in_order(results)
        assert_no_track_id_in_two_epochs(results)
        assert [len(ids) for ids in track_ids(results).values()] == [1]


def test_the_report_has_exactly_the_keys_of_the_contract(run: Run) -> None:
    report = run.report
    assert list(report) == ["duration_s", "cameras", "stages_ms", "stages_s", "node"]
    assert set(report["cameras"]) == NAMES
    for camera in report["cameras"].values():
        assert set(camera) == {
            "frames",
            "endings",
            "age_ms",
            "lag_ms",
            "fps_in",
            "fps_analysed",
            "step",
            "decodes",
            "stages_ms",
            "sessions",
            "epoch",
            "last_end_reason",
            "gaps",
            "blind_s",
            "review",
        }
        assert set(camera["frames"]) == {"received", *OUTCOMES, "in_flight"}
        assert set(camera["age_ms"]) == {"p50", "p95", "p99", "max"}
    assert list(report["stages_ms"]) == list(STAGES)
    assert all(set(stage) == {"p50", "p95", "p99"} for stage in report["stages_ms"].values())
    # What the processes have is told once it was measured.
    assert set(report["node"]) - {"machine", "usage"} == {
        "analysed_per_s",
        "cpu_s",
        "cpu_busy",
        "pss_peak_mb",
        "detector",
        "precision",
        "input_size",
        "bottleneck",
        "workers",
        "sinks",
    }


def test_numbers_of_the_report_fit_together(run: Run) -> None:
    report = run.report
    for name, camera in report["cameras"].items():
        ages = camera["age_ms"]
        assert 0 < ages["p50"] <= ages["p95"] <= ages["p99"] <= ages["max"] <= 1000
        assert ages["max"] == pytest.approx(max(each["age_ms"] for each in run.results_of(name)), abs=0.2)
        received = camera["frames"]["received"]
        assert camera["fps_in"] == pytest.approx(received / report["duration_s"], rel=0.05)
        assert has_one_session(camera)
    assert report["node"]["cpu_s"] > 0
    assert report["node"]["pss_peak_mb"] > 20
    for stage in report["stages_ms"].values():
        assert 0 <= stage["p50"] <= stage["p95"] <= stage["p99"]
    assert report["stages_ms"]["decode"]["p50"] > 0


def test_results_on_standard_output_are_nothing_but_result_lines(cameras: Cameras, tmp_path: Path) -> None:
    config = {
        "cameras": {"cam0": {"url": cameras.url(0)}},
        "detector": {"python": "chatty:Chatty"},
        "sinks": [{"type": "jsonl", "path": "-"}],
    }
    (tmp_path / "chatty.py").write_text(
        "from vedette.testing import FakeDetector\n"
        "class Chatty(FakeDetector):\n"
        "    def detect(self, images):\n"
        "        print('said by the detector', flush=True)\n"
        "        return super().detect(images)\n"
    )
    with Run(tmp_path, config) as run:
        run.until(lambda run: run.stdout.count("\n") > 10, "there were ten lines")
        assert run.interrupt() == 0
        assert all(line.startswith('{"camera":"cam0"') for line in run.stdout.splitlines())
        assert "said by the detector" in run.stderr
