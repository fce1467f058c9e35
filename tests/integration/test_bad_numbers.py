"""Numbers that make no sense cost the frames they belong to, are told of, and nothing more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from integration.harness import Cameras, Run, adds_up, assert_in_order, fake
from networks import constant_network
from patience import NEVER_S

BAD = {
    "NaN in a box": "found.xyxy[0, 1] = np.nan",
    "infinity in a box": "found.xyxy[0, 2] = np.inf",
}
DETECTOR = """
import numpy as np
from vedette.testing import FakeDetector
class Odd(FakeDetector):
    # Right when it is tried out at the start; then every third call is wrong.
    def detect(self, images):
        results = super().detect(images)
        if self._calls > 3 and self._calls % 3 == 0:
            for found in results:
                {}
        return results
"""


@pytest.mark.parametrize("kind", BAD)
def test_frames_with_bad_boxes_fail_and_all_others_are_analysed(
    kind: str, cameras: Cameras, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(DETECTOR.format(BAD[kind]))
    section = {"cam0": cameras.section()["cam0"]}
    # A frame that is too old when its call fails would count as that.
    config = {"cameras": section, "detector": {"python": "odd:Odd"}, "workers": 1, "max_age": NEVER_S}
    with Run(tmp_path, config) as run:
        run.until_all_analysed(section, 10)
        assert run.interrupt() == 0
        frames = run.report["cameras"]["cam0"]["frames"]
        assert adds_up(frames, in_flight=0)
        assert frames["failed"] >= 3
        assert frames["analysed"] == len(run.results) >= 10
        trouble = run.saw("trouble", where="detector")
        assert trouble
        assert len(trouble) <= 2 + run.report["duration_s"] / 5, "told of now and then, not with each frame"
        assert not run.saw("worker lost")
        assert_in_order(run.results)
        numbers = [
            number for result in run.results for each in result["detections"] for number in each["xyxy"]
        ]
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_of_a_model_that_gives_bad_numbers_none_leaves(
    number: float, cameras: Cameras, tmp_path: Path
) -> None:
    # YOLOv8's shape: four of a box and three classes for each of 84 places.
    raw = np.full((1, 7, 84), number, np.float32)
    constant_network(tmp_path / "odd.onnx", {"output0": raw})
    section = {"cam0": cameras.section()["cam0"]}
    detector = {"model": "odd.onnx", "head": "yolov8", "runtime": "onnxruntime"}
    with Run(tmp_path, {"cameras": section, "detector": detector, "workers": 1}) as run:

        def enough(run: Run) -> bool:
            return len(run.results) >= 5 or bool(run.saw("trouble"))

        run.until(enough, "there were results, or trouble")
        assert run.interrupt() == 0, run.stderr
        assert "Traceback" not in run.stderr
        assert not run.saw("worker lost")
        frames = run.report["cameras"]["cam0"]["frames"]
        assert adds_up(frames, in_flight=0)
        assert frames["analysed"] == len(run.results)
        assert frames["failed"] or frames["analysed"]
        for result in run.results:
            for each in result["detections"]:
                assert np.isfinite(each["xyxy"]).all()
                assert np.isfinite(each["confidence"])


def test_frames_on_which_the_tracker_raises_fail_and_the_node_goes_on(
    cameras: Cameras, tmp_path: Path
) -> None:
    # The library takes any option of this name at first, and trips over it with the first boxes.
    section = cameras.section()
    section["cam0"]["tracker"] = {"type": "bytetrack", "options": {"minimum_iou_threshold": "high"}}
    config = {"cameras": section, "detector": fake(seconds=0.005), "workers": 1}
    with Run(tmp_path, config) as run:
        run.until_all_analysed(set(section) - {"cam0"}, 10)
        run.until(lambda run: run.saw("trouble", camera="cam0"), "it was told of")
        assert run.interrupt() == 0
        (trouble, *more) = run.saw("trouble", camera="cam0")
        assert "tracking failed" in trouble["message"]
        assert len(more) <= 2 + run.report["duration_s"] / 5
        assert not run.saw("worker lost")
        for name, camera in run.report["cameras"].items():
            assert adds_up(camera["frames"], in_flight=0)
            failed, analysed = camera["frames"]["failed"], camera["frames"]["analysed"]
            assert (failed == 0) == (name != "cam0")
            assert analysed == len(run.results_of(name))
