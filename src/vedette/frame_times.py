"""When one frame passed each point of its way, for the few frames that are looked at that closely."""

from __future__ import annotations

from itertools import accumulate, pairwise

import msgspec

__all__ = ["STAGES", "FrameTimes"]

STAGES = (
    "lag",
    "queue",
    "decode",
    "wait",
    "convert",
    "handover",
    "infer",
    "postprocess",
    "return",
    "track",
    "emit",
)
"""What lies between the points, in the order of the frame's way: capture to arrival, arrival to the decoder,
in it, decoded to chosen by a detector, scaling and converting, to the detector, in the network, from its
output to boxes, back to who tracks, tracking, and to the moment the result leaves."""


class FrameTimes(msgspec.Struct, frozen=True, array_like=True):
    """Monotonic seconds. 0.0: not noted; the stage that ends there took no time then, the next one more.

    ``chosen``: by a detector. ``inferred``: the network's end. ``boxes``: the end of its post-processing.
    ``returned``: the boxes are back with who tracks.
    """

    captured: float
    arrived: float = 0.0
    decode_began: float = 0.0
    decoded: float = 0.0
    chosen: float = 0.0
    converted: float = 0.0
    infer_began: float = 0.0
    inferred: float = 0.0
    boxes: float = 0.0
    tracked: float = 0.0
    emitted: float = 0.0
    returned: float = 0.0

    def stages(self) -> list[tuple[str, float, float]]:
        """(name, begin, end) of each of :data:`STAGES`, from ``captured`` on.

        Each begins where the one before it ends, and none ends before it begins: a camera's clock may say
        that a frame was captured after it arrived.
        """
        points = (
            self.captured,
            self.arrived,
            self.decode_began,
            self.decoded,
            self.chosen,
            self.converted,
            self.infer_began,
            self.inferred,
            self.boxes,
            self.returned,
            self.tracked,
            self.emitted,
        )
        passed = pairwise(accumulate(points, max))
        return [(name, begin, end) for name, (begin, end) in zip(STAGES, passed, strict=True)]
