"""What leaves the pipeline: one result per analysed frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.frame_times import FrameTimes

if TYPE_CHECKING:  # heavy (it brings OpenCV and matplotlib), and most processes never need it
    import supervision as sv

__all__ = ["UNTRACKED", "Boxes", "Result"]

UNTRACKED = -1
"""Track id of a box that no tracker has confirmed."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Detections as plain arrays, all of length n.

    ``xyxy``: float32 [n, 4], left, top, right, bottom in pixels of the source frame.
    ``confidence``: float32 [n], 0..1. ``class_id``: int32 [n]. ``class_name``: n names.
    ``track_id``: int64 [n], :data:`UNTRACKED` where there is none.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]
    class_name: tuple[str, ...]
    track_id: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls) -> Boxes:
        return cls(
            np.empty((0, 4), np.float32),
            np.empty(0, np.float32),
            np.empty(0, np.int32),
            (),
            np.empty(0, np.int64),
        )


class _Detection(msgspec.Struct):
    xyxy: list[float]
    confidence: float
    class_id: int
    class_name: str
    track_id: int | None


class _Line(msgspec.Struct):
    """The result line; the order of the fields is the order in the line."""

    camera: str
    epoch: int
    seq: int
    captured_at: float
    emitted_at: float
    age_ms: float
    detections: list[_Detection]


_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, eq=False)
class Result:
    """What was seen in one frame of one camera.

    ``seq`` grows with each frame the camera gave, analysed or not. ``captured_at``, ``emitted_at``: Unix
    seconds. ``age``: seconds from capture to emission, on the monotonic clock. ``width``, ``height``: of the
    source frame in pixels. No track id lives in two epochs.
    """

    camera: str
    epoch: int
    seq: int
    captured_at: float
    emitted_at: float
    age: float
    width: int
    height: int
    boxes: Boxes = field(default_factory=Boxes.empty)
    times: FrameTimes | None = None
    """When it passed each point of its way; only where this frame is traced."""

    @cached_property
    def detections(self) -> sv.Detections:
        """As ``sv.Detections``; names in ``data["class_name"]``, ``tracker_id`` None if none is tracked."""
        import supervision as sv

        boxes = self.boxes
        tracked = bool((boxes.track_id != UNTRACKED).any())
        return sv.Detections(
            xyxy=boxes.xyxy,
            confidence=boxes.confidence,
            class_id=boxes.class_id.astype(int),
            tracker_id=boxes.track_id.astype(int) if tracked else None,
            data={"class_name": np.array(boxes.class_name, dtype=np.str_)},
        )

    def to_json(self) -> bytes:
        """The result line, without a line end. Rounded to what means something: 0.01 px, 0.1 ms."""
        return _encode(
            _Line(
                camera=self.camera,
                epoch=self.epoch,
                seq=self.seq,
                captured_at=round(self.captured_at, 4),
                emitted_at=round(self.emitted_at, 4),
                age_ms=round(self.age * 1000, 1),
                detections=self._lines(),
            )
        )

    def _lines(self) -> list[_Detection]:
        boxes = self.boxes
        columns = zip(
            boxes.xyxy.astype(np.float64).round(2).tolist(),
            boxes.confidence.astype(np.float64).round(4).tolist(),
            boxes.class_id.tolist(),
            boxes.class_name,
            boxes.track_id.tolist(),
            strict=True,
        )
        return [
            _Detection(xyxy, confidence, class_id, name, None if track == UNTRACKED else track)
            for xyxy, confidence, class_id, name, track in columns
        ]
