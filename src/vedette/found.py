"""What a detector found in one picture, weak boxes included: for those who judge the detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found"]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """``xyxy`` float32 [n, 4] in pixels of the source frame, ``confidence`` float32 [n], ``class_id`` int32
    [n], most confident first. ``sure``: so many of them, from the first on, are detections; the others lie
    below the detector's threshold, and are there only where ``weak_known``. ``captured``: monotonic seconds.
    ``width``, ``height``: of the frame."""

    captured: float
    width: int
    height: int
    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]
    sure: int
    weak_known: bool
