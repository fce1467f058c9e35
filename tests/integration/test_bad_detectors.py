"""Detectors that cannot be used, or break their contract while they run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from integration.harness import Cameras, Run, adds_up, fake
from networks import constant_network
from patience import NEVER_S


def test_of_a_detector_that_raises_now_and_then_only_those_frames_fail(
    cameras: Cameras, tmp_path: Path
) -> None:
    detector = {**fake(raises_every=3, seconds=0.01), "batch": 1}
    # A frame that is too old when its call fails would count as that.
    config = {"cameras": cameras.section(), "detector": detector, "max_age": NEVER_S}
    with Run(tmp_path, config) as run:
        run.until_all_analysed(cameras.section(), 10)
        assert run.interrupt() == 0
        frames = [camera["frames"] for camera in run.report["cameras"].values()]
        assert all(adds_up(each, in_flight=0) for each in frames)
        failed, analysed, lost = (
            sum(each[name] for each in frames) for name in ("failed", "analysed", "orphaned")
        )
        # Two of three calls are well; what comes of them may come too late for the end.
        assert analysed / 2 - 3 <= failed <= (analysed + lost) / 2 + 3
        assert len(run.results) == analysed
        assert "fails on purpose" in run.saw("trouble", where="detector")[0]["message"]
        assert not run.saw("worker lost")


def test_a_detector_that_returns_too_many_results_fails_frames_with_a_clear_word(
    cameras: Cameras, tmp_path: Path
) -> None:
    # Right when it is tried out with one picture at the start, wrong from the third call on.
    (tmp_path / "wrong.py").write_text(
        "from vedette.testing import FakeDetector\n"
        "class Wrong(FakeDetector):\n"
        "    def detect(self, images):\n"
        "        found = super().detect(images)\n"
        "        return found if self._calls < 5 else found * 2\n"
    )
    config = {"cameras": cameras.section(), "detector": {"python": "wrong:Wrong"}}
    with Run(tmp_path, config) as run:
        run.until(lambda run: run.saw("trouble", where="detector"), "it was told of")
        run.interrupt()
        message = run.saw("trouble", where="detector")[0]["message"]
        assert "2" in message
        assert "1" in message
        assert "Wrong" in message or "detector" in message
        frames = [camera["frames"] for camera in run.report["cameras"].values()]
        assert sum(each["failed"] for each in frames) > 0
        assert all(adds_up(each, in_flight=0) for each in frames)


@pytest.fixture
def bad_models(tmp_path: Path) -> dict[str, dict[str, Any]]:
    (tmp_path / "none.onnx").write_bytes(b"this is no model at all" * 100)
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "refuses.py").write_text(
        "class Refuses:\n"
        "    def __init__(self):\n"
        "        raise ValueError('no licence for this machine')\n"
        "class Sizeless:\n"
        "    def detect(self, images):\n"
        "        return []\n"
        "class Exits:\n"
        "    def __init__(self):\n"
        "        raise SystemExit(7)\n"
    )
    (tmp_path / "broken.py").write_text("def detect(:\n")
    return {
        "no_onnx": {"model": "none.onnx"},
        "empty_onnx": {"model": "empty.onnx"},
        "no_module": {"python": "nowhere.to.be.found:Detector"},
        "no_class": {"python": "refuses:Missing"},
        "broken_module": {"python": "broken:Detector"},
        "raises": {"python": "refuses:Refuses"},
        "exits": {"python": "refuses:Exits"},
        "sizeless": {"python": "refuses:Sizeless"},
        "unknown_option": {"python": "vedette.testing:FakeDetector", "options": {"colour": "red"}},
        "wrong_at_once": fake(returns=3),
    }


SAYS = {
    "no_onnx": "none.onnx",
    "empty_onnx": "empty.onnx",
    "no_module": "nowhere",
    "no_class": "Missing",
    "broken_module": "broken",
    "raises": "no licence for this machine",
    "sizeless": "input_size",
    "unknown_option": "colour",
    "wrong_at_once": "3",
}


@pytest.mark.parametrize("kind", SAYS)
def test_a_detector_that_cannot_be_used_ends_the_run_with_3_and_one_line(
    kind: str, bad_models: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    config = {"cameras": {"cam": {"url": "rtsp://127.0.0.1:9/x"}}, "detector": bad_models[kind]}
    with Run(tmp_path, config) as run:
        assert run.wait() == 3, run.stderr
        plain = [line for line in run.log if set(line) == {"event", "level", "timestamp"}]
        errors = [line["event"] for line in plain if line["level"] == "error"]
        assert len(errors) == 1, run.stderr
        assert SAYS[kind] in errors[0]
        assert "Traceback" not in run.stderr


def test_a_detector_that_ends_its_process_is_not_tried_for_ever(
    bad_models: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    config = {"cameras": {"cam": {"url": "rtsp://127.0.0.1:9/x"}}, "detector": bad_models["exits"]}
    with Run(tmp_path, config) as run:
        assert run.wait() == 5, run.stderr
        # None: it took longer to die than the node waits to learn how.
        last = r"worker inference-0 dies while it starts \(exit code (7|None)\)"
        assert re.fullmatch(last, run.log[-1]["event"])
        assert "Traceback" not in run.stderr


def test_a_model_whose_outputs_fit_no_head_is_refused_with_what_they_are(tmp_path: Path) -> None:
    constant_network(tmp_path / "odd.onnx", {"mystery": np.zeros((1, 2, 3), np.float32)})
    config = {"cameras": {"cam": {"url": "rtsp://127.0.0.1:9/x"}}, "detector": {"model": "odd.onnx"}}
    with Run(tmp_path, config) as run:
        assert run.wait() == 3, run.stderr
        assert "mystery" in run.stderr
        assert "Traceback" not in run.stderr


def test_tracker_options_that_do_not_exist_are_a_mistake_in_the_configuration(
    clips: Path, tmp_path: Path
) -> None:
    config = {
        "cameras": {"clip": {"url": str(clips / "h264.mp4")}},
        "detector": fake(),
        "tracker": {"type": "bytetrack", "options": {"colour": "red"}},
    }
    with Run(tmp_path, config) as run:
        assert run.wait() == 2, run.stderr
        assert "colour" in run.stderr
        assert "Traceback" not in run.stderr
