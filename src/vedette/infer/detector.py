"""What a detector is, and what it finds.

``supervision`` brings matplotlib, scipy and OpenCV along (140 MB, over a second), so the inference worker
never imports it for our own detectors: they hand out :class:`Boxes`, which becomes ``sv.Detections`` only
where somebody asks for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.errors import DetectorError
from vedette.infer.letterbox import PADDING

if TYPE_CHECKING:
    import supervision as sv

__all__ = [
    "WEAK_FROM",
    "Boxes",
    "Detector",
    "Images",
    "Loaded",
    "Weak",
    "as_boxes",
    "name_of",
    "names_of",
    "no_such_size",
]

Images = NDArray[np.uint8]
"""Pictures [N, H, W, 3], RGB, 0..255."""

BOXES_AT_MOST, NAME_AT_MOST = 2000, 64
"""Per picture, and characters. What is found travels between processes in one message."""

NO_CLASS = -1


class Detector(Protocol):
    """Anything that finds objects in pictures of one size.

    One that can do with smaller pictures, when there is more to look at than time, may also have ``smaller``,
    a list of (height, width), largest first, and a method ``resized(size)`` that returns such a detector for
    one of them. It is called in another thread than ``detect``, which may be running.
    """

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) in pixels of the pictures that ``detect`` is given."""
        ...

    def detect(self, images: Images) -> list[sv.Detections]:
        """One ``sv.Detections`` for each of the N pictures, boxes in pixels of these pictures."""
        ...


WEAK_FROM = 0.05
"""The lowest confidence at which a box is worth a look: below it networks answer to anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Weak:
    """Boxes that were not sure enough to be detections. They never compete with those that were.

    ``xyxy`` float32 [n, 4] in pixels of the detector's input; ``confidence`` float32 [n], from
    :data:`WEAK_FROM` to the detector's threshold; ``class_id`` int32 [n].
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """What was found in one picture, n objects.

    ``xyxy`` float32 [n, 4] in pixels of the detector's input; ``confidence`` float32 [n], 0..1;
    ``class_id`` int32 [n], -1 where the detector knows no classes; ``class_name`` n strings.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]
    class_name: tuple[str, ...]
    weak: Weak | None = None
    """Those below the detector's threshold, where they were asked for and it knows them."""

    def __len__(self) -> int:
        return len(self.xyxy)

    def to_supervision(self) -> sv.Detections:
        """The same as ``sv.Detections``, with ``data["class_name"]``."""
        import supervision as sv

        return sv.Detections(
            xyxy=self.xyxy,
            confidence=self.confidence,
            class_id=self.class_id.astype(int),
            data={"class_name": np.array(self.class_name, dtype=str)},
        )


class Loaded:
    """What detectors that are ready to run do alike, whatever they are made of."""

    input_size: tuple[int, int]
    post_s = 0.0
    made_of = ""
    precision = ""

    def detect_boxes(self, images: Images, weak: Sequence[bool] = ()) -> list[Boxes]:
        """``weak``: for each picture whether its weak boxes are wanted, too; empty = of none."""
        raise NotImplementedError

    def detect(self, images: Images) -> list[sv.Detections]:
        return [boxes.to_supervision() for boxes in self.detect_boxes(images)]

    def warm_up(self) -> None:
        self.detect_boxes(np.full((1, *self.input_size, 3), PADDING, np.uint8))


def no_such_size(who: str, size: tuple[int, int], sizes: Sequence[tuple[int, int]]) -> str:
    """The message of a detector that is asked for a size it cannot have."""
    known = ", ".join(f"{height}x{width}" for height, width in sizes)
    return f"{who} cannot be made for pictures of {size[0]}x{size[1]}; it can for {known}"


def name_of(class_id: int, names: Sequence[str]) -> str:
    """The class's name; ``class_<id>`` where none is known, ``object`` where there is no class."""
    if class_id == NO_CLASS:
        return "object"
    return names[class_id] if 0 <= class_id < len(names) else f"class_{class_id}"


def names_of(class_ids: NDArray[np.int32], names: Sequence[str]) -> tuple[str, ...]:
    """:func:`name_of` for many."""
    return tuple(name_of(class_id, names) for class_id in class_ids.tolist())


def as_boxes(result: Any, expected: int, names: Sequence[str] = ()) -> list[Boxes]:
    """Check what a user's detector returned for ``expected`` pictures, and make it ours.

    Each entry is read like ``sv.Detections``: ``.xyxy``, and where they are there ``.confidence`` (else 1),
    ``.class_id`` (else -1) and ``.data["class_name"]`` (else from ``names``).
    Raises DetectorError for a wrong number of results, wrong shapes, NaN, infinity or boxes inside out.
    """
    if not isinstance(result, (list, tuple)):
        raise DetectorError(
            f"detect() must return a list with one sv.Detections per picture, not {type(result).__name__}"
        )
    if len(result) != expected:
        raise DetectorError(f"detect() returned {len(result)} results for {expected} pictures")
    return [_checked(found, names, f"detect() result {index}") for index, found in enumerate(result)]


def _checked(found: Any, names: Sequence[str], where: str) -> Boxes:
    if not hasattr(found, "xyxy"):
        raise DetectorError(f"{where} is {type(found).__name__}, not sv.Detections")
    xyxy = _numbers(found.xyxy, where, "xyxy")
    if xyxy.size == 0:
        xyxy = xyxy.reshape(0, 4)
    if xyxy.ndim != 2 or xyxy.shape[1] != 4:
        raise DetectorError(f"{where}: xyxy has shape {list(xyxy.shape)}, it must be [n, 4]")
    if (xyxy[:, 2:] < xyxy[:, :2]).any():
        raise DetectorError(
            f"{where}: a box ends before it starts; xyxy is left, top, right, bottom in pixels"
        )
    count = len(xyxy)
    if count > BOXES_AT_MOST:
        raise DetectorError(f"{where}: {count} boxes; at most {BOXES_AT_MOST} can be handed on")
    confidence = _column(getattr(found, "confidence", None), 1.0, count, where, "confidence")
    raw_ids = _column(getattr(found, "class_id", None), NO_CLASS, count, where, "class_id")
    class_id = raw_ids.astype(np.int32)
    if (class_id != raw_ids).any():
        raise DetectorError(f"{where}: class_id must be whole numbers")
    given = (getattr(found, "data", None) or {}).get("class_name")
    if given is not None and len(given) != count:
        raise DetectorError(f"{where}: {len(given)} class names for {count} boxes")
    class_name = (
        names_of(class_id, names) if given is None else tuple(str(name)[:NAME_AT_MOST] for name in given)
    )
    return Boxes(xyxy, confidence.astype(np.float32), class_id, class_name)


def _numbers(values: Any, where: str, what: str) -> NDArray[np.float32]:
    try:
        numbers = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as err:
        raise DetectorError(f"{where}: {what} is not an array of numbers ({err})") from err
    if not np.isfinite(numbers).all():
        raise DetectorError(f"{where}: {what} holds NaN or infinity")
    return numbers


def _column(values: Any, default: float, count: int, where: str, what: str) -> NDArray[np.float32]:
    if values is None:
        return np.full(count, default, np.float32)
    numbers = _numbers(values, where, what)
    if numbers.shape != (count,):
        raise DetectorError(f"{where}: {what} has shape {list(numbers.shape)} for {count} boxes")
    return numbers
