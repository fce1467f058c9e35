"""Results as users and files get them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

from vedette.results import UNTRACKED, Boxes, Result


def result(*tracks: int, **changes: object) -> Result:
    n = len(tracks)
    boxes = Boxes(
        xyxy=np.arange(4 * n, dtype=np.float32).reshape(n, 4) * np.float32(1.001),
        confidence=np.full(n, 0.91237, np.float32),
        class_id=np.arange(n, dtype=np.int32),
        class_name=tuple(f"class {index}" for index in range(n)),
        track_id=np.array(tracks, np.int64),
    )
    fields: dict[str, object] = {
        "camera": "gate_north",
        "epoch": 0,
        "seq": 1234,
        "captured_at": 1795000000.123,
        "emitted_at": 1795000000.171,
        "age": 0.048,
        "width": 640,
        "height": 360,
        "boxes": boxes,
    }
    return Result(**(fields | changes))  # type: ignore[arg-type]


def test_the_result_line_is_exactly_the_documented_one() -> None:
    boxes = Boxes(
        xyxy=np.array([[10, 20, 50, 80]], np.float32),
        confidence=np.array([0.91], np.float32),
        class_id=np.array([0], np.int32),
        class_name=("person",),
        track_id=np.array([7], np.int64),
    )
    assert result(boxes=boxes).to_json() == (
        b'{"camera":"gate_north","epoch":0,"seq":1234,"captured_at":1795000000.123,"emitted_at":1795000000.171,'
        b'"age_ms":48.0,"detections":[{"xyxy":[10.0,20.0,50.0,80.0],"confidence":0.91,"class_id":0,'
        b'"class_name":"person","track_id":7}]}'
    )


def test_an_untracked_box_has_a_null_track_id() -> None:
    line = json.loads(result(UNTRACKED, 3).to_json())
    assert [found["track_id"] for found in line["detections"]] == [None, 3]


def test_numbers_are_rounded_to_what_means_something() -> None:
    line = json.loads(result(0, 1, age=0.0481237).to_json())
    assert line["age_ms"] == 48.1
    assert line["detections"][1]["xyxy"] == [4.0, 5.01, 6.01, 7.01]
    assert line["detections"][1]["confidence"] == 0.9124


def test_a_frame_with_nothing_in_it_has_an_empty_list() -> None:
    assert json.loads(result().to_json())["detections"] == []
    assert len(result().detections) == 0


def test_detections_are_supervision_ones_and_built_once() -> None:
    found = result(5, UNTRACKED)
    detections = found.detections
    assert detections is found.detections
    assert detections.tracker_id is not None
    assert detections.tracker_id.tolist() == [5, UNTRACKED]
    assert detections.data["class_name"].tolist() == ["class 0", "class 1"]
    assert detections.xyxy.shape == (2, 4)


def test_detections_that_nobody_tracks_have_no_tracker_ids() -> None:
    assert result(UNTRACKED, UNTRACKED).detections.tracker_id is None


def test_importing_results_does_not_bring_supervision() -> None:
    code = "import vedette.results, sys; print('supervision' in sys.modules, 'cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
