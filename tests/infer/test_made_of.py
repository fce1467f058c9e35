"""What is loaded is what was judged, and whoever loads it says what that is."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from quality.validate.models import ELSEWHERE, HERE, SIDE, always
from vedette.errors import DetectorError
from vedette.infer.load import BUNDLED, DetectorSpec, LoadedDetector, load_detector
from vedette.infer.made_of import ModelFile

GREY = np.full((1, SIDE, SIDE, 3), 114, np.uint8)


def load(model: Path, judged: str = "") -> LoadedDetector:
    return load_detector(
        DetectorSpec(model=str(model), runtime="onnxruntime", device="cpu", threads=1), judged
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_detector_says_what_it_was_loaded_from() -> None:
    for runtime in ("onnxruntime", "openvino"):
        detector = load_detector(DetectorSpec(runtime=runtime, device="cpu", threads=1))
        assert detector.made_of == sha256(BUNDLED)
        assert detector.resized(detector.smaller[0]).made_of == detector.made_of


def test_another_file_than_the_one_that_was_judged_is_not_loaded(tmp_path: Path) -> None:
    model = always(tmp_path / "new.onnx")
    judged = load(model).made_of
    assert load(model, judged).made_of == judged
    always(model, ELSEWHERE)
    with pytest.raises(DetectorError, match=r"new\.onnx is not what was judged: it was replaced"):
        load(model, judged)


def test_a_detector_in_python_is_held_to_its_module(tmp_path: Path) -> None:
    module = tmp_path / "held_to_its_module.py"
    module.write_text("class One:\n    input_size = (8, 8)\n    def detect(self, images): return []\n")
    spec = DetectorSpec(python="held_to_its_module:One", folder=str(tmp_path))
    judged = load_detector(spec).made_of
    assert load_detector(spec, judged).made_of == judged
    module.write_text(module.read_text() + "# another\n")
    with pytest.raises(DetectorError, match="held_to_its_module:One is not what was judged"):
        load_detector(spec, judged)


def test_whatever_is_done_to_a_file_it_is_not_untouched(tmp_path: Path) -> None:
    model, other = always(tmp_path / "new.onnx"), always(tmp_path / "other.onnx", ELSEWHERE)
    times = model.stat()

    def written_and_set_back() -> None:
        model.write_bytes(model.read_bytes())
        os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))

    def moved_away_and_back() -> None:
        away = model.rename(tmp_path / "away")
        shutil.copy(other, model)
        away.replace(model)

    for disturb in (written_and_set_back, moved_away_and_back, lambda: other.replace(model), model.unlink):
        file = ModelFile.at(model)
        assert file.untouched
        disturb()
        assert not file.untouched


def test_what_it_says_is_true_while_the_file_is_being_replaced_again_and_again(tmp_path: Path) -> None:
    there = {HERE: always(tmp_path / "here.onnx"), ELSEWHERE: always(tmp_path / "elsewhere.onnx", ELSEWHERE)}
    finds = {sha256(path): box for box, path in there.items()}
    model, over = tmp_path / "model.onnx", threading.Event()
    shutil.copy(there[HERE], model)

    def replace() -> None:
        while not over.is_set():
            for path in there.values():
                shutil.copy(path, tmp_path / "next")
                (tmp_path / "next").replace(model)
                over.wait(0.02)

    thread = threading.Thread(target=replace)
    thread.start()
    loaded = 0
    try:
        for _ in range(30):
            try:
                detector = load(model)
            except DetectorError:
                continue  # it was disturbed three times
            [found] = detector.detect_boxes(GREY)
            assert found.xyxy[0].tolist() == pytest.approx(list(finds[detector.made_of]), abs=0.01)
            loaded += 1
    finally:
        over.set()
        thread.join()
    assert loaded
