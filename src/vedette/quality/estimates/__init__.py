"""How accurate a detector is, from the few frames that people have reviewed, with intervals that hold."""

from vedette.quality.estimates.emitted import Emitted
from vedette.quality.estimates.frames import (
    BoxSeen,
    Judged,
    ObjectThere,
    judged,
    of_boxes,
    of_label,
    of_objects,
)
from vedette.quality.estimates.intervals import Estimate, Method
from vedette.quality.estimates.loss import ConfirmedLoss, Floor, confirmed_loss
from vedette.quality.estimates.matching import Matched, Prediction, matched
from vedette.quality.estimates.narrowing import Narrowing, narrowing
from vedette.quality.estimates.now import LEVEL, SIZES, TooFew, grouped, more_frames, precision, recall

__all__ = [
    "LEVEL",
    "SIZES",
    "BoxSeen",
    "ConfirmedLoss",
    "Emitted",
    "Estimate",
    "Floor",
    "Judged",
    "Matched",
    "Method",
    "Narrowing",
    "ObjectThere",
    "Prediction",
    "TooFew",
    "confirmed_loss",
    "grouped",
    "judged",
    "matched",
    "more_frames",
    "narrowing",
    "of_boxes",
    "of_label",
    "of_objects",
    "precision",
    "recall",
]
