"""What is measured of each window, and in which direction each of these numbers speaks of harm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["JUDGED", "LEARNT", "MEASURES", "OF_BOXES", "SIDES", "Floats", "Measure", "Side"]

Floats = NDArray[np.float64]


class Measure(IntEnum):
    """The columns of a window, each in 0…1, NaN where too little was seen. The first six are judged.

    Not judged, because they follow what goes on before the camera: how many boxes there are (an empty or a
    busy scene is no loss), how large they are, and how bright it is (that is what lights are for).
    """

    WEAK = 0
    """Share of the boxes from 0.2 on that are weak, below 0.5. What a detector half sees leaves the strong
    boxes and stays among these; noise adds others, fog takes them away. So it moves both ways."""
    CONFIDENCE = 1
    """Mean confidence of the strong boxes. Nearly blind to what is missed."""
    UNUSUAL = 2
    """How rare the classes of the strong boxes are in this light: mean of 1 − usual share. A mean over boxes,
    so that, other than a distance of mixes, it means the same for few boxes and for many."""
    SHARPNESS = 3
    CONTRAST = 4
    """In parts of the brightness: exposure does not move it, fog does."""
    EDGES = 5
    """Likeness of the edges to the camera's own reference: −1…1 as 0…1."""
    COUNT = 6
    """Strong boxes a frame, c as c / (c + 4)."""
    SIZE = 7
    """Mean root of the strong boxes' share of the picture."""
    LUMA = 8


MEASURES = len(Measure)
LEARNT = 6
"""Of how many of them (the first) the usual is learnt."""
OF_BOXES = 3
"""How many of these (the first) are shares and means over boxes."""


@dataclass(frozen=True, slots=True)
class Side:
    """A measure and the direction in which it is judged. ``sign``: +1 more is worse, −1 less is worse."""

    measure: Measure
    sign: int

    def __str__(self) -> str:
        return f"{self.measure.name.lower()} {'up' if self.sign > 0 else 'down'}"


JUDGED = (
    Side(Measure.WEAK, +1),
    Side(Measure.WEAK, -1),
    Side(Measure.CONFIDENCE, -1),
    Side(Measure.UNUSUAL, +1),
    Side(Measure.SHARPNESS, +1),
    Side(Measure.SHARPNESS, -1),
    Side(Measure.CONTRAST, -1),
    Side(Measure.EDGES, -1),
)
"""Noise sharpens, blur and fog do not; more contrast and a better likeness do no harm."""
SIDES = len(JUDGED)
