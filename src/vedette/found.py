"""What a detector found in one picture, weak boxes included: for those who judge the detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Asked", "Found"]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Asked:
    """What was fixed about a frame before anybody looked at it, by whoever keeps frames for review.

    ``at``: when it was captured, Unix seconds. ``probability``: with which it is ``drawn``. ``picture``:
    whether its picture is wanted with what is found in it.
    """

    at: float
    probability: float
    drawn: bool
    picture: bool


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """``xyxy`` float32 [n, 4] in pixels of the source frame, ``confidence`` float32 [n], ``class_id`` int32
    [n], most confident first. ``sure``: so many of them, from the first on, are detections; the others lie
    below the detector's threshold, and are there only where ``weak_known``. ``captured``: monotonic seconds.
    ``width``, ``height``: of the frame. Of the detections also ``names`` and ``track_id``, int64 [sure].

    ``asked``: None where nobody keeps frames. ``image``: as the decoder gave it, None unless it was wanted.
    ``detector``: whose it is, 0 = the detector's, 1 = a canary's; ``process``: of which process that detects.
    """

    captured: float
    width: int
    height: int
    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]
    sure: int
    weak_known: bool
    epoch: int
    seq: int
    names: list[str]
    track_id: NDArray[np.int64]
    asked: Asked | None = None
    image: Any = None
    detector: int = 0
    process: int = 0
