"""From a network's output arrays to boxes: one pure function per output head.

Each takes the arrays in the order its matcher names them (``guess.py``), the input's (height, width) and
the lowest confidence wanted, and returns one :class:`Candidates` per picture, not yet suppressed. The
threshold always comes first, so that the rest is done for the few boxes that pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Candidates", "anchor_count", "detr", "picodet", "rows", "ssd", "ssd_yxyx", "yolov5", "yolov8"]
__all__ += ["PICODET_STRIDES", "YOLO_STRIDES", "yolov10", "yolox"]

Arrays = Sequence[NDArray[Any]]
Size = tuple[int, int]

PICODET_STRIDES = (8, 16, 32, 64)
YOLO_STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes of one picture: ``xyxy`` float32 [n, 4] in input pixels, ``confidence`` [n], ``class_id`` [n]."""

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]


def anchor_count(size: Size, strides: Sequence[int]) -> int:
    """Cells of all the grids that ``strides`` lay over an input of (height, width)."""
    return sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in strides)


@lru_cache(maxsize=16)
def anchors(
    size: Size, strides: tuple[int, ...], offset: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points [A, 2] (x, y in pixels) at ``offset`` of each grid cell, and the cells' strides [A, 1]."""
    points, widths = [], []
    for stride in strides:
        rows_, columns = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.mgrid[0:rows_, 0:columns]
        points.append((np.stack([x, y], axis=-1).reshape(-1, 2) + offset) * stride)
        widths.append(np.full((rows_ * columns, 1), stride))
    return np.concatenate(points).astype(np.float32), np.concatenate(widths).astype(np.float32)


@lru_cache(maxsize=16)
def _picodet_boxes(size: Size) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each cell what the sides of its box are multiplied by, and then added to, [A, 4]: minus and plus the
    stride, and the centre twice."""
    centres, strides = anchors(size, PICODET_STRIDES, 0.5)
    return np.concatenate([-strides, -strides, strides, strides], axis=1), np.tile(centres, 2)


def picodet(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """``scores`` [N, C, A] in 0..1 and ``dist`` [N, A, 4]: left, top, right, bottom in strides."""
    scores, dist = arrays
    strides, centres = _picodet_boxes(size)
    found = []
    for score, sides in zip(scores, dist, strict=True):
        best = score.max(axis=0)
        keep = np.flatnonzero(best >= threshold)
        # take: several times quicker than an index where weak boxes are wanted, and hundreds pass.
        xyxy = sides.take(keep, axis=0) * strides.take(keep, axis=0) + centres.take(keep, axis=0)
        found.append(_candidates(xyxy, best.take(keep), score.take(keep, axis=1).argmax(axis=0)))
    return found


def yolox(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """[N, A, 5 + C]: cx, cy, w, h, objectness, classes; on the grid, or decoded by the export.

    Which of the two shows in the numbers: decoded centres span the picture in pixels, undecoded ones are
    offsets of a few cells.
    """
    (output,) = arrays
    if output.shape[1] and float(output[..., 0].max()) > size[1] / 2:
        return yolov5(arrays, size, threshold)
    corners, strides = anchors(size, YOLO_STRIDES, 0.0)
    found = []
    for picture in output:
        keep, confidence, class_id = _with_objectness(picture, threshold)
        kept, stride = picture[keep], strides[keep]
        centre = kept[:, :2] * stride + corners[keep]
        found.append(_candidates(_corners(centre, np.exp(kept[:, 2:4]) * stride), confidence, class_id))
    return found


def yolov5(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """[N, A, 5 + C]: cx, cy, w, h in input pixels, objectness, classes (in 0..1)."""
    found = []
    for picture in arrays[0]:
        keep, confidence, class_id = _with_objectness(picture, threshold)
        found.append(_candidates(_corners(picture[keep, :2], picture[keep, 2:4]), confidence, class_id))
    return found


def yolov8(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """[N, 4 + C, A]: cx, cy, w, h in input pixels, classes in 0..1."""
    found = []
    for picture in arrays[0]:
        best = picture[4:].max(axis=0)
        keep = np.flatnonzero(best >= threshold)
        kept = picture[:, keep].T
        found.append(_candidates(_corners(kept[:, :2], kept[:, 2:4]), best[keep], kept[:, 4:].argmax(axis=1)))
    return found


def yolov10(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """[N, M, 6]: left, top, right, bottom in input pixels, confidence, class; suppressed by the network."""
    found = []
    for picture in arrays[0]:
        kept = picture[picture[:, 4] >= threshold]
        found.append(_candidates(kept[:, :4], kept[:, 4], kept[:, 5]))
    return found


def ssd(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """Boxes left, top, right, bottom with scores and classes (see :func:`rows`)."""
    return rows(arrays, size, threshold)


def ssd_yxyx(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """As :func:`ssd`, boxes being top, left, bottom, right: TensorFlow's order."""
    boxes, *rest = arrays
    return rows([boxes[..., [1, 0, 3, 2]], *rest], size, threshold)


def rows(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """``boxes`` [N, M, 4], ``scores`` [N, M], ``classes`` [N, M] and perhaps ``count`` [N].

    Or ``boxes`` [N, M, 4] and ``scores`` [N, M, C]. The batch axis may be missing for one picture. Boxes
    are in input pixels, or in 0..1 of the input: then none of them reaches beyond 2.
    """
    boxes, scores, *rest = arrays
    if boxes.ndim == 2:
        boxes, scores, rest = boxes[None], scores[None], [entry[None] for entry in rest]
    found = []
    for index, (box, score) in enumerate(zip(boxes, scores, strict=True)):
        best = score.max(axis=1) if score.ndim == 2 else score
        passes = best >= threshold
        if len(rest) > 1:
            passes[int(np.asarray(rest[1]).reshape(-1)[index]) :] = False
        keep = np.flatnonzero(passes)
        class_id = score[keep].argmax(axis=1) if score.ndim == 2 else rest[0][index][keep]
        found.append(_candidates(_in_pixels(box[keep], size), best[keep], class_id))
    return found


def detr(arrays: Arrays, size: Size, threshold: float) -> list[Candidates]:
    """``boxes`` [N, Q, 4] cx, cy, w, h in 0..1 and ``logits`` [N, Q, C]; or what :func:`rows` takes.

    The second is what RT-DETR and D-FINE exports with an input ``orig_target_sizes`` give.
    """
    boxes, logits, *rest = arrays
    if rest:
        return rows(arrays, size, threshold)
    limit = (
        math.log(threshold / (1 - threshold))
        if 0 < threshold < 1
        else math.copysign(math.inf, threshold - 0.5)
    )
    height, width = size
    found = []
    for box, logit in zip(boxes, logits, strict=True):
        best = logit.max(axis=1)
        keep = np.flatnonzero(best >= limit)
        kept = box[keep] * np.array([width, height, width, height], np.float32)
        confidence = 1 / (1 + np.exp(-best[keep]))
        found.append(_candidates(_corners(kept[:, :2], kept[:, 2:]), confidence, logit[keep].argmax(axis=1)))
    return found


def _with_objectness(
    picture: NDArray[Any], threshold: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Rows of [A, 5 + C] whose objectness × best class passes: indices, confidence, class."""
    likely = np.flatnonzero(picture[:, 4] >= threshold)  # a class is at most 1
    classes = picture[likely, 5:]
    confidence = picture[likely, 4] * classes.max(axis=1)
    passes = confidence >= threshold
    return likely[passes], confidence[passes], classes[passes].argmax(axis=1)


def _corners(centre: NDArray[Any], extent: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)


def _in_pixels(boxes: NDArray[Any], size: Size) -> NDArray[Any]:
    if len(boxes) and float(boxes.max()) <= 2:
        return boxes * np.array([size[1], size[0], size[1], size[0]], np.float32)
    return boxes


def _candidates(xyxy: NDArray[Any], confidence: NDArray[Any], class_id: NDArray[Any]) -> Candidates:
    return Candidates(
        np.ascontiguousarray(xyxy, np.float32),
        np.asarray(confidence, np.float32),
        np.asarray(class_id).astype(np.int32),
    )
