"""Small results for tests of sinks."""

from __future__ import annotations

import numpy as np

from vedette.results import Boxes, Result


def result(seq: int = 0, camera: str = "gate") -> Result:
    return Result(camera, 0, seq, 1795000000.0 + seq / 25, 1795000000.1 + seq / 25, 0.1, 640, 360)


def boxes(*xyxy: tuple[float, float, float, float], tracked: bool = True) -> Boxes:
    n = len(xyxy)
    return Boxes(
        xyxy=np.array(xyxy, np.float32).reshape(n, 4),
        confidence=np.linspace(0.9, 0.5, n, dtype=np.float32),
        class_id=np.zeros(n, np.int32),
        class_name=("person",) * n,
        track_id=np.arange(n, dtype=np.int64) if tracked else np.full(n, -1, np.int64),
    )
