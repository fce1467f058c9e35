"""The detector of our arm: it costs a known time and no CPU, and finds the frame's own number."""

from __future__ import annotations

import time

from benchmarks.detectors import SleepingDetector
from benchmarks.latency.pace import Pace
from vedette.infer.detector import Boxes, Images

__all__ = ["PacedDetector"]


class PacedDetector(SleepingDetector):
    """Sleeps for as long as a :class:`~benchmarks.latency.pace.Pace` says at that moment."""

    def __init__(self, **pace: float) -> None:
        super().__init__(ms=0.0)
        self._pace = Pace(**pace)

    def _detect_one(self, image: Images) -> Boxes:
        if seconds := self._pace.seconds(time.monotonic()):
            time.sleep(seconds)
        return super()._detect_one(image)
