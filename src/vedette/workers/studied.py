"""What a camera's worker sends on of a frame that is studied."""

from __future__ import annotations

import numpy as np

from vedette.found import Found
from vedette.workers.protocol import Seen, Studied

__all__ = ["studied_of"]


def studied_of(index: int, found: Found, seen: Seen | None, chance: float) -> Studied:
    """``index``: of the camera. ``chance``: see :class:`~vedette.workers.protocol.Studied`."""
    left, top, right, bottom = found.xyxy.T
    area = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    return Studied(
        index,
        found.captured,
        found.confidence.tobytes(),
        found.class_id.tobytes(),
        (area / np.float32(found.width * found.height)).tobytes(),
        found.weak_known,
        seen,
        chance,
        found.detector,
        found.process,
    )
