"""Models that are known to be good or bad on a set, and sets to show it with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from networks import constant_network
from quality.validate.written_sets import cars, png, written
from vedette.infer.load import BUNDLED, DetectorSpec
from vedette.quality.labels.formats import read
from vedette.quality.validate.pictures import decode
from vedette.quality.validate.predict import Predictor, load

SIDE = 64
HERE, ELSEWHERE = (16.0, 16.0, 48.0, 48.0), (0.0, 0.0, 12.0, 12.0)


def always(path: Path, box: tuple[float, ...] = HERE, *, sure: float = 0.9, note: str = "") -> Path:
    """A model that finds one square in any picture: there. ``note``: makes it another file."""
    left, top, right, bottom = box
    output = np.zeros((1, 5, 84), np.float32)
    output[0, :, 0] = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top, sure]
    metadata = {"names": "{0: 'square'}", "note": note}
    return constant_network(path, {"output0": output}, (1, 3, SIDE, SIDE), metadata=metadata)


def squares_here(folder: Path, count: int = 12) -> Path:
    """A set with a square ``HERE`` in each picture, all of them different."""
    folder.mkdir(parents=True, exist_ok=True)
    left, top, right, bottom = (int(edge) for edge in HERE)
    pictures = []
    for number in range(count):
        pixels = np.full((SIDE, SIDE, 3), 60, np.uint8)
        pixels[top:bottom, left:right] = 200
        pixels[0, 0] = number
        box = [left, top, right - left, bottom - top]
        pictures.append((f"{number:03}.png", png(pixels), [("square", box)]))
    return written(folder, pictures)


def damaged(path: Path, noise: float) -> Path:
    """The bundled model, its weights off by so much of what they are."""
    model = onnx.load(str(BUNDLED))
    rng = np.random.default_rng(4)
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype == np.float32 and weights.ndim == 4:
            off = weights * (1 + rng.normal(0, noise, weights.shape).astype(np.float32))
            tensor.CopyFrom(numpy_helper.from_array(off.astype(np.float32), tensor.name))
    onnx.save(model, str(path))
    return path


def cars_labelled_by(spec: DetectorSpec, folder: Path) -> Path:
    """Labelled by a model itself: good for showing that another one differs, and for no more."""
    folder.mkdir(parents=True, exist_ok=True)
    predictor = Predictor(load(spec))
    pictures = []
    for number, pixels in enumerate(cars()):
        data = png(pixels)
        [empty] = read(written(folder, [("one.png", data, [])], name="one.json")).pictures
        boxes = predictor.boxes_in(decode(data, empty))
        sure = [
            (name, [left, top, right - left, bottom - top])
            for name, (left, top, right, bottom), score in zip(
                boxes.class_name, boxes.xyxy.astype(float).tolist(), boxes.confidence, strict=True
            )
            if score >= spec.confidence
        ]
        pictures.append((f"{number:02}.png", data, sure))
    return written(folder, pictures)
