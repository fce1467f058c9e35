"""Which output head a network has: by name, or told by the names and shapes of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vedette.errors import DetectorError
from vedette.infer import heads
from vedette.infer.heads import PICODET_STRIDES, YOLO_STRIDES, Arrays, Candidates, anchor_count
from vedette.infer.pixels import IMAGENET, SIZES_INPUT, Pixels, TensorInfo

__all__ = ["HEADS", "Head", "find_head"]

Seen = Sequence[TensorInfo]
Size = tuple[int, int]
Order = tuple[int, ...]

RGB_0_TO_1 = Pixels()
MOST_QUERIES = 1000
"""DETRs ask a few hundred queries; grids of anchors have thousands of cells."""


@dataclass(frozen=True, slots=True)
class Head:
    """An output head: how to know it, what pixels its networks usually take, how to read it."""

    name: str
    wants: str
    fits: Callable[[Seen, Size, bool], Order | None]
    """(outputs, input size, has the input ``orig_target_sizes``) → the outputs it reads, in order."""
    read: Callable[[Arrays, Size, float], list[Candidates]]
    pixels: Pixels = RGB_0_TO_1


def find_head(name: str, outputs: Seen, inputs: Seen, size: Size) -> tuple[Head, Order]:
    """The head called ``name``, or with ``auto`` the only one that fits; and which outputs it reads.

    Raises DetectorError, saying what the network has, where the named head does not fit, or none or
    several do.
    """
    sizes = any(entry.name == SIZES_INPUT for entry in inputs)
    seen = "; ".join(str(entry) for entry in outputs)
    if name != "auto":
        head = HEADS.get(name)
        if head is None:
            raise DetectorError(f"there is no output head {name!r}; there are: auto, {', '.join(HEADS)}")
        order = head.fits(outputs, size, sizes)
        if order is None:
            raise DetectorError(f"head {name} does not fit: it wants {head.wants}; the model has {seen}")
        return head, order
    fitting = [(head, order) for head in HEADS.values() if (order := head.fits(outputs, size, sizes))]
    fitting = _clear(fitting, outputs, sizes)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " or ".join(head.name for head, _ in fitting)
        raise DetectorError(f"the model's outputs fit more than one head; set head: {names}. It has {seen}")
    known = "; ".join(f"{head.name}: {head.wants}" for head in HEADS.values())
    raise DetectorError(
        f"no output head fits this model at {size[0]}x{size[1]}. It has {seen}. Known: {known}"
    )


def _clear(fitting: list[tuple[Head, Order]], outputs: Seen, sizes: bool) -> list[tuple[Head, Order]]:
    """Leave out what the names of the outputs speak against."""
    names = {head.name for head, _ in fitting}
    text = " ".join(entry.name.lower() for entry in outputs)
    tensorflow = "detection_boxes" in text
    against = {"ssd"} if tensorflow else {"ssd_yxyx"}
    if names & {"detr", "ssd"} and not tensorflow:
        as_scores = any(word in text for word in _SCORES) and not sizes
        as_logits = sizes or "logit" in text or "rfdetr" in names
        against |= {"detr"} if as_scores else {"ssd"} if as_logits else set()
    if "rfdetr" in names:
        against |= {"detr"}
    return [(head, order) for head, order in fitting if head.name not in against]


_SCORES = ("score", "conf", "prob")
_CLASSES = ("class", "label", "cls")
_BOXES = ("box", "dets", "dist")


def _called(entry: TensorInfo, words: Sequence[str]) -> bool:
    return any(word in entry.name.lower() for word in words)


def _lone(outputs: Seen) -> tuple[int | None, int | None] | None:
    """The last two axes of the only output [N, ?, ?]."""
    if len(outputs) != 1 or len(outputs[0].shape) != 3:
        return None
    return outputs[0].shape[1], outputs[0].shape[2]


def _pair(outputs: Seen) -> Order | None:
    """Two outputs of three axes, one of them [N, ?, 4]: that one first."""
    if len(outputs) != 2 or any(len(entry.shape) != 3 for entry in outputs):
        return None
    fours = [index for index, entry in enumerate(outputs) if entry.shape[2] == 4]
    if len(fours) == 2:
        fours = [index for index in fours if _called(outputs[index], _BOXES)]
    return (fours[0], 1 - fours[0]) if len(fours) == 1 else None


def _picodet(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    pair = _pair(outputs)
    if pair is None:
        return None
    (dist, scores), count = pair, anchor_count(size, PICODET_STRIDES)
    fits = outputs[dist].shape[1] in (None, count) and outputs[scores].shape[2] in (None, count)
    return (scores, dist) if fits else None


def _yolox(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    axes = _lone(outputs)
    if axes is None or axes[0] != anchor_count(size, YOLO_STRIDES) or not axes[1] or axes[1] < 6:
        return None
    return (0,)


def _yolov5(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    axes = _lone(outputs)
    if axes is None or _yolox(outputs, size, sizes) or _yolov10(outputs, size, sizes):
        return None
    return (0,) if axes[0] and axes[1] and 6 <= axes[1] < axes[0] else None


def _yolov8(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    axes = _lone(outputs)
    return (0,) if axes and axes[0] and axes[1] and 5 <= axes[0] < axes[1] else None


def _yolov10(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    axes = _lone(outputs)
    if axes is None or axes[1] != 6 or _yolox(outputs, size, sizes):
        return None
    return (0,) if (axes[0] or 0) <= MOST_QUERIES else None


def _rows(outputs: Seen) -> Order | None:
    """Boxes [N, M, 4] or [M, 4], scores and classes with one axis fewer, perhaps a count: in that order."""
    named = {entry.name.lower().split(":")[0]: index for index, entry in enumerate(outputs)}
    wanted = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    if all(name in named for name in wanted[:3]):
        return tuple(named[name] for name in wanted if name in named)
    counts = [index for index, entry in enumerate(outputs) if _called(entry, ("num", "count"))]
    rest = [index for index in range(len(outputs)) if index not in counts]
    boxes = max(rest, key=lambda index: len(outputs[index].shape), default=None)
    if boxes is None or len(rest) != 3 or len(counts) > 1:
        return None
    axes, flat = outputs[boxes].shape, [index for index in rest if index != boxes]
    if axes[-1:] != (4,) or len(axes) not in (2, 3):
        return None
    if any(len(outputs[index].shape) != len(axes) - 1 for index in flat):
        return None
    classes = _classes(outputs, flat)
    if classes is None:
        return None
    return (boxes, next(index for index in flat if index != classes), classes, *counts)


def _classes(outputs: Seen, flat: list[int]) -> int | None:
    """Which of the two columns holds the classes: its name tells, or its being whole numbers."""
    for words, other in ((_CLASSES, False), (_SCORES, True)):
        called = [index for index in flat if _called(outputs[index], words)]
        if len(called) == 1:
            return next(index for index in flat if (index in called) != other)
    whole = [index for index in flat if "int" in outputs[index].dtype]
    return whole[0] if len(whole) == 1 else None


def _same_length(outputs: Seen, pair: Order | None) -> Order | None:
    return pair if pair and outputs[pair[0]].shape[1] == outputs[pair[1]].shape[1] else None


def _ssd(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    return _rows(outputs) or _same_length(outputs, _pair(outputs))


def _detr(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    if order := _rows(outputs):
        return order if sizes else None
    order = _same_length(outputs, _pair(outputs))
    return order if order and (outputs[order[0]].shape[1] or 0) <= MOST_QUERIES else None


def _rfdetr(outputs: Seen, size: Size, sizes: bool) -> Order | None:
    order = _detr(outputs, size, sizes)
    return order if order and {"dets", "labels"} <= {entry.name.lower() for entry in outputs} else None


_ROWS = "boxes [N, M, 4], scores [N, M] and classes [N, M] (and a count [N])"
HEADS: dict[str, Head] = {
    head.name: head
    for head in (
        Head("picodet", "scores [N, C, A] and dist [N, A, 4]", _picodet, heads.picodet, IMAGENET),
        Head(
            "yolox", "one output [N, A, 5+C], A cells of 8, 16, 32", _yolox, heads.yolox, Pixels(1, bgr=True)
        ),
        Head("yolov5", "one output [N, A, 5+C], decoded", _yolov5, heads.yolov5),
        Head("yolov8", "one output [N, 4+C, A]", _yolov8, heads.yolov8),
        Head("yolov10", "one output [N, M, 6]", _yolov10, heads.yolov10),
        Head("ssd", f"{_ROWS}, or boxes [N, M, 4] and scores [N, M, C]", _ssd, heads.ssd),
        Head("ssd_yxyx", "what ssd wants, boxes top, left, bottom, right", _ssd, heads.ssd_yxyx),
        Head("detr", f"boxes [N, Q, 4] and logits [N, Q, C], or {_ROWS}", _detr, heads.detr),
        Head("rfdetr", "dets [N, Q, 4] and labels [N, Q, C]", _rfdetr, heads.detr, IMAGENET),
    )
}
