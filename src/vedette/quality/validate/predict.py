"""What the pipeline would say of a picture: its converter, its detector, its way back to the picture."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from vedette.errors import LabelError
from vedette.infer.detector import WEAK_FROM, Boxes
from vedette.infer.letterbox import fit, to_source
from vedette.infer.load import DetectorSpec, LoadedDetector, load_detector
from vedette.ingest.convert import Converter, ConvertFailed

__all__ = ["FLOOR", "Predictor", "load"]

FLOOR = WEAK_FROM
"""Average precision needs the weak boxes too: what a threshold cuts off, it takes for not found."""


def load(spec: DetectorSpec) -> LoadedDetector:
    """The detector as it is configured, but with its threshold lowered to ``FLOOR``: what was above it stays
    the same, because a weak box never takes the place of a stronger one. Detectors written in Python keep
    whatever threshold they have. Raises DetectorError."""
    return load_detector(msgspec.structs.replace(spec, confidence=min(spec.confidence, FLOOR)))


class Predictor:
    """Takes decoded pictures. At the detector's full size: the ladder's smaller ones are not what is held to
    labels."""

    def __init__(self, detector: LoadedDetector) -> None:
        self.detector = detector
        self._converter = Converter()
        self._input = np.zeros((1, *detector.input_size, 3), np.uint8)

    def boxes_in(self, image: Any) -> Boxes:
        """``image``: an ``av.VideoFrame``. Boxes are in its pixels. Raises DetectorError, LabelError."""
        size = (image.height, image.width)
        placement = fit(size, self.detector.input_size)
        try:
            self._converter.into(image, self._input[0], placement)
        except ConvertFailed as err:
            raise LabelError(str(err)) from err
        [found] = self.detector.detect_boxes(self._input)
        xyxy = to_source(found.xyxy, placement, size)
        return Boxes(xyxy, found.confidence, found.class_id, found.class_name)
