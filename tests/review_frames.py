"""Frames and reviews for tests of the review store."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vedette.quality.labels.dataset import Box
from vedette.quality.review.frames import Frame
from vedette.quality.review.rows import Final, Item, Prediction, Review, State, Verdict
from vedette.quality.review.sampling import Reason

DAY_S = 86_400.0
START = 1_700_000_000.0


def noise(seed: int = 0, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def predictions() -> tuple[Prediction, ...]:
    """A sure person, a weak car."""
    return (
        Prediction((4.0, 4.0, 24.0, 40.0), "person", 0.9, track_id=3),
        Prediction((30.0, 10.0, 60.0, 30.0), "car", 0.2),
    )


def frame(number: int = 0, reason: Reason | None = None, **changed: Any) -> Frame:
    made: dict[str, Any] = {
        "picture": noise(number),
        "camera": "gate",
        "captured_at": START + number,
        "model": "m1",
        "predictions": predictions(),
        "light": "day",
        "reason": reason,
        "probability": 0.25 if reason is None else None,
    }
    return Frame(**(made | changed))


def accepted(item: Item, **changed: Any) -> Review:
    """All that was predicted is right."""
    made: dict[str, Any] = {
        "state": State.REVIEWED,
        "boxes": tuple(Final(Box(each.xyxy, each.label), of) for of, each in enumerate(item.predictions)),
        "verdicts": (Verdict.ACCEPTED,) * len(item.predictions),
        "looked_for": ("person", "car"),
        "reviewer": "ada",
        "seconds": 4.5,
        "at": START + DAY_S,
    }
    return Review(**(made | changed))


def rejected(item: Item, **changed: Any) -> Review:
    """Nothing that was predicted is there."""
    verdicts = (Verdict.REJECTED,) * len(item.predictions)
    return accepted(item, **({"boxes": (), "verdicts": verdicts} | changed))
