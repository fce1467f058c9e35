"""Detectors that cost a known time and no CPU."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.barcode import UNREADABLE, read_index
from benchmarks.index_clip import HEIGHT, WIDTH
from vedette.infer.detector import Boxes, Images

__all__ = ["SleepingDetector"]


class SleepingDetector:
    """Sleeps ``ms`` for each picture and finds one object, whose class id is the frame's own number."""

    def __init__(self, ms: float = 5.0) -> None:
        self.input_size = (HEIGHT, WIDTH)
        self._seconds = ms / 1000

    def detect(self, images: Images) -> list[Boxes]:
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Images) -> Boxes:
        if self._seconds:
            time.sleep(self._seconds)
        index = read_index(image)
        return Boxes(
            xyxy=np.array([[300, 150, 340, 210]], np.float32),
            confidence=np.array([0.9], np.float32),
            class_id=np.array([UNREADABLE if index is None else index], np.int32),
            class_name=("frame",),
        )
