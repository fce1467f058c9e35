"""A detector that is to take over looks at some of the newest pictures first: one that breaks on them, or
gives numbers that mean nothing, never gets to be the detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from vedette.errors import DetectorError, redact
from vedette.workers.protocol import Channel, Filled, Tried
from vedette.workers.slots import Slots

__all__ = ["Trial", "nonsense"]

OUTSIDE = 0.5
"""Of the picture's size: boxes may reach beyond its edge, but not by more than that."""


class Trial:
    """``asked``: tickets of the pictures that were asked for, with their camera and slot."""

    def __init__(self, detector: Any, slots: Slots, node: Channel) -> None:
        self._detector, self._slots, self._node = detector, slots, node
        self.asked: dict[int, tuple[int, int]] = {}
        self._pictures = self._found = 0
        self._failed = ""

    def answered(self, answer: Filled) -> None:
        """A picture is there, or there is none of that camera."""
        _, slot = self.asked.pop(answer.ticket)
        if answer.filled and not self._failed:
            self._look(slot)
        self.conclude_if_complete()

    def conclude_if_complete(self) -> None:
        """Tell the node, once all answers are there."""
        if not self.asked:
            self._node.send(Tried(self._pictures, self._found, self._failed))

    def _look(self, slot: int) -> None:
        height, width = self._detector.input_size
        try:
            [found] = self._detector.detect_boxes(self._slots.sized(slot, height, width)[np.newaxis])
        except Exception as err:  # whatever a model does wrong, it does it here and not to the cameras
            message = str(err) if isinstance(err, DetectorError) else f"{type(err).__name__}: {err}"
            self._failed = redact(message)[:500]
            return
        self._pictures += 1
        if isinstance(found, str):
            self._failed = found[:500]
            return
        self._found += len(found.xyxy)
        self._failed = nonsense(found, height, width)


def nonsense(found: Any, height: int, width: int) -> str:
    """What cannot be meant of these boxes; empty where all can."""
    xyxy, confidence = np.asarray(found.xyxy, np.float64), np.asarray(found.confidence, np.float64)
    if not (np.isfinite(xyxy).all() and np.isfinite(confidence).all()):
        return "it gives numbers that are none"
    if len(confidence) and not (confidence.min() >= 0.0 and confidence.max() <= 1.0):
        return f"it gives confidences of {confidence.min():g} to {confidence.max():g}"
    far = np.array([width, height, width, height]) * OUTSIDE
    size = np.array([width, height, width, height])
    if ((xyxy < -far) | (xyxy > size + far)).any():
        return "it gives boxes far outside of the picture"
    return ""
