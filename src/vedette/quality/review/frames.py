"""A frame on its way into the store: checked, made unrecognisable in parts, encoded, and given a name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from vedette.errors import ReviewError
from vedette.quality.labels.check import box_problem
from vedette.quality.review import pictures
from vedette.quality.review.encoding import item_id, microseconds
from vedette.quality.review.matching import XYXY
from vedette.quality.review.rows import SCORE_FROM, Item, Prediction, State
from vedette.quality.review.sampling import Reason

__all__ = ["Encoded", "Frame", "StoreSettings", "prepared"]


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """``budget``: bytes of pictures. ``redact``: classes whose boxes are made unrecognisable before
    anything is written, such as faces and plates. ``quality``: of the JPEG files. ``drop_reviewed``:
    whether reviewed pictures may go as well when the budget is spent; what was said of them stays."""

    budget: int = 2 * 2**30
    redact: tuple[str, ...] = ()
    quality: int = 90
    drop_reviewed: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to keep. ``picture``: uint8 [H, W, 3], RGB. ``captured_at``: Unix seconds. ``predictions``:
    in its pixels; those below 0.05 are left out. ``reason``: None for the uniform stream, which needs
    ``probability``. ``redact``: boxes to be made unrecognisable beyond those of the settings' classes."""

    picture: NDArray[np.uint8]
    camera: str
    captured_at: float
    model: str
    predictions: tuple[Prediction, ...] = ()
    light: str = ""
    reason: Reason | None = None
    probability: float | None = None
    redact: tuple[XYXY, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoded:
    """The same, of which another process has made a JPEG file. What is to be unrecognisable in it is. An
    empty ``jpeg``: that was lost on the way. ``width``, ``height``: of the picture, in pixels."""

    jpeg: bytes
    width: int
    height: int
    camera: str
    captured_at: float
    model: str
    predictions: tuple[Prediction, ...] = ()
    light: str = ""
    reason: Reason | None = None
    probability: float | None = None


def prepared(frame: Frame | Encoded, settings: StoreSettings) -> tuple[Item, bytes]:
    """The item it becomes, and its JPEG file. Raises ReviewError."""
    _check(frame)
    kept = tuple(each for each in frame.predictions if each.score >= SCORE_FROM)
    if isinstance(frame, Encoded):
        data, width, height = frame.jpeg, frame.width, frame.height
    else:
        hidden = [each.xyxy for each in frame.predictions if each.label in settings.redact]
        data = pictures.encode(frame.picture, settings.quality, hidden + list(frame.redact))
        height, width = frame.picture.shape[:2]
    captured = microseconds(frame.captured_at)
    id = item_id(frame.camera, captured, frame.model)
    item = Item(
        id=id,
        file=_file(frame.camera, frame.captured_at, id),
        camera=frame.camera,
        captured_at=captured / 1e6,
        width=width,
        height=height,
        light=frame.light,
        model=frame.model,
        predictions=kept,
        reason=frame.reason,
        probability=frame.probability,
        state=State.WAITING,
        bytes=len(data),
        sha256=sha256(data).hexdigest(),
    )
    return item, data


def _file(camera: str, at: float, id: str) -> str:
    """Day and time in UTC, so that people find it; the id, so that it is one of its kind."""
    moment = datetime.fromtimestamp(at, UTC)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", camera)[:40].strip("-") or "camera"
    return f"{moment:%Y-%m-%d}/{name}_{moment:%H%M%S}_{id}.jpg"


def _check(frame: Frame | Encoded) -> None:
    if not frame.camera:
        raise ReviewError("a frame without a camera cannot be kept")
    if not 0 <= frame.captured_at < 4e9:
        raise ReviewError(f"a frame cannot be captured at {frame.captured_at}")
    probability = frame.probability
    if frame.reason is None and (probability is None or not 0 < probability <= 1):
        raise ReviewError(f"a frame of the uniform stream needs a probability in (0, 1], not {probability}")
    for each in frame.predictions:
        if not math.isfinite(each.score):
            raise ReviewError(f"a score is {each.score}")
        if problem := box_problem(*each.xyxy):
            raise ReviewError(f"a predicted box: {problem}")
