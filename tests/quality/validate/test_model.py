"""Two runs know whether it was the same detector."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from quality.validate.written_sets import SQUARES, squares
from vedette.errors import DetectorError
from vedette.infer.load import BUNDLED, DetectorSpec
from vedette.quality.labels.formats import read
from vedette.quality.validate.model import model_of
from vedette.quality.validate.perform import run_validation
from vedette.quality.validate.run import Model


def test_a_model_is_known_by_what_is_in_its_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(BUNDLED.read_bytes())
    assert model_of(DetectorSpec(model=str(copy))).hash == model_of(DetectorSpec()).hash
    copy.write_bytes(BUNDLED.read_bytes() + b"\x12\0")  # another producer: none
    assert model_of(DetectorSpec(model=str(copy))).hash != model_of(DetectorSpec()).hash


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"gone\.onnx"):
        model_of(DetectorSpec(model="gone.onnx", folder=str(tmp_path)))


def test_a_detector_in_python_is_known_by_its_code_and_its_options(tmp_path: Path) -> None:
    def run(module: str, code: str, **options: object) -> Model:
        path = squares(tmp_path, 1)
        (tmp_path / f"{module}.py").write_text(code)
        spec = DetectorSpec(python=f"{module}:Squares", options=options, folder=str(tmp_path))
        return run_validation("one", read(path), tmp_path, spec, at=datetime.now(UTC)).run.model

    first = run("squares_a", SQUARES)
    assert run("squares_b", SQUARES).hash == first.hash
    assert run("squares_c", SQUARES, shift=1).hash != first.hash
    assert run("squares_d", SQUARES + "\n# changed\n").hash != first.hash


def test_options_are_not_kept_because_they_may_be_secrets() -> None:
    spec = DetectorSpec(python="json:JSONDecoder", options={"token": "hunter2"})
    assert "hunter2" not in repr(model_of(spec))
