"""What drift has to say of a camera: small frozen values, for those who tell facts to make facts of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "BaselineReset",
    "ChangedPicture",
    "ConditionsKnown",
    "Decision",
    "Learnt",
    "Noticed",
    "Stage",
    "SuspectedLoss",
    "SuspicionOver",
    "UnseenConditions",
    "Why",
]


class Stage(StrEnum):
    """What a camera's drift is doing; of several the first in this order that holds."""

    SUSPECTED = "suspected"
    CHANGED = "changed"
    """The picture is not as it was; of the boxes nobody can say so."""
    UNSEEN = "unseen"
    """These conditions have no baseline: nothing is noticed in them."""
    LEARNING = "learning"
    WATCHING = "watching"


class Why(StrEnum):
    """Why what was usual is so no more."""

    MODEL = "model"
    MOVED = "moved"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``at``, ``since``: Unix seconds."""

    camera: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt(Decision):
    """What is usual is known in these lights; in others it is not (:mod:`~vedette.quality.drift.light`)."""

    lights: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineReset(Decision):
    """It is learnt anew."""

    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenConditions(Decision):
    """For so long now it has been a light, or a light at an hour, that was not met while learning."""

    since: float
    light: int
    hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsKnown(Decision):
    """That is over."""

    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed(Decision):
    """What is seen of a camera is worse than usual.

    ``since``: when it most likely began. ``measure``, ``direction``: what says so most, like ``weak`` and
    ``up``. ``usual``: its mean in this light, ``lately``: in the last window, NaN where that had none.
    ``deviations``: how far the last block was beyond the tolerance. ``evidence``: in camera-days; it is the
    ARL at which this would have been told just so.
    """

    since: float
    measure: str
    direction: str
    usual: float
    lately: float
    deviations: float
    light: int
    evidence: float


class SuspectedLoss(Noticed):
    """The detector probably does worse: worth a review batch, never a page."""

    __slots__ = ()


class ChangedPicture(Noticed):
    """By sharpness, contrast or edges alone. It may cost nothing: worth a look at some frames."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspicionOver(Decision):
    """It has looked as usual again for a while, or what is usual was reset (``reset``). Of a picture that had
    changed, too."""

    since: float
    reset: bool
