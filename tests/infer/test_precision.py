"""In which precision a network computes: asked for or not, it is said."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from quality.validate.written_sets import cars
from vedette.errors import DetectorError
from vedette.infer.load import DetectorSpec, LoadedDetector, load_detector
from vedette.infer.runtime import precision_here


def load(**settings: str) -> LoadedDetector:
    return load_detector(DetectorSpec(**{"device": "cpu", "threads": 1, **settings}))  # type: ignore[arg-type]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_what_is_quickest_here_is_known_before_anything_is_loaded(runtime: str) -> None:
    assert load(runtime=runtime).precision == precision_here(runtime, "auto")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_32_bits_are_to_be_had_everywhere(runtime: str) -> None:
    assert load(runtime=runtime, precision="f32").precision == precision_here(runtime, "f32") == "f32"


def test_in_32_bits_both_runtimes_find_the_same() -> None:
    picture = np.asarray(Image.fromarray(cars()[0]).resize((416, 256)))[np.newaxis]
    [one], [other] = (
        load(runtime=runtime, precision="f32").detect_boxes(picture)
        for runtime in ("onnxruntime", "openvino")
    )
    assert len(one)
    assert one.confidence == pytest.approx(other.confidence, abs=1e-3)
    assert one.xyxy == pytest.approx(other.xyxy, abs=0.1)


def test_what_a_runtime_cannot_do_is_said() -> None:
    with pytest.raises(DetectorError, match="precision bf16: ONNX Runtime computes as the model was saved"):
        load(runtime="onnxruntime", precision="bf16")
    with pytest.raises(DetectorError, match="precision must be one of auto, f32, bf16"):
        load(precision="f8")
    if precision_here("openvino", "auto") == "bf16":
        assert load(runtime="openvino", precision="bf16").precision == "bf16"
    else:
        with pytest.raises(DetectorError, match="precision bf16: this CPU computes in f32"):
            load(runtime="openvino", precision="bf16")
