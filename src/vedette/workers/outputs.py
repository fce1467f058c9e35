"""From a worker's words to the result that users get."""

from __future__ import annotations

import numpy as np

from vedette.results import Boxes, Result
from vedette.workers.protocol import Output

__all__ = ["result_of"]


def result_of(camera: str, output: Output) -> Result:
    """A worker's words as the result that users get."""
    boxes = Boxes(
        np.frombuffer(output.xyxy, np.float32).reshape(-1, 4),
        np.frombuffer(output.confidence, np.float32),
        np.frombuffer(output.class_id, np.int32),
        tuple(output.names),
        np.frombuffer(output.track_id, np.int64),
    )
    return Result(
        camera=camera,
        epoch=output.epoch,
        seq=output.seq,
        captured_at=output.captured_at,
        emitted_at=output.emitted_at,
        age=output.age,
        width=output.width,
        height=output.height,
        boxes=boxes,
        times=output.times,
    )
