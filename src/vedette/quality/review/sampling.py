"""Which analysed frames are kept for review. Pure.

**Uniform**: every frame has a probability that is fixed before anybody looks at it, and is stored with
those that are kept. So whatever is counted in reviewed frames, each weighed by 1 / probability, is right on
average for all frames (Horvitz and Thompson 1952), whatever was in them. The n-th frame of a period has the
probability ``per period / max(expected, n)``: the number of frames expected in it, by those before, keeps
to the budget; where many more come, the later ones become rarer, by a rule that was known in advance.
Nothing is dropped afterwards.

**Targeted**: frames that promise to teach something, with the reason. They say nothing about the camera as
a whole. Here a budget may simply run out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vedette.infer.detector import WEAK_FROM
from vedette.quality.review.chance import chance

__all__ = [
    "Draw",
    "Part",
    "Period",
    "Reason",
    "Signs",
    "Spent",
    "Targeted",
    "TargetedSettings",
    "Uniform",
    "UniformSettings",
    "flickers",
    "weak_boxes",
]

HOUR_S = 3600.0
WEAK_BELOW = 0.5
"""Scores between which a box is weak: the share of these moves where accuracy falls, the mean score hardly
does."""


# ---- uniform


@dataclass(frozen=True, slots=True)
class UniformSettings:
    """``per_hour``: frames of a camera, on average. ``node_per_hour``: of all cameras; they share it."""

    per_hour: float = 2.0
    node_per_hour: float = 400.0
    period: float = 600.0
    """Seconds. The rate of frames is learnt anew for each: long enough to count some, short against dusk."""
    least: float = 1e-7
    """No probability is lower: 1 / probability would be all that an estimate shows."""
    expected: float = 0.0
    """Frames that a camera is taken to have in its first period; 0 = nobody knows. With it, many cameras that
    begin together do not all keep their first frames."""


@dataclass(frozen=True, slots=True)
class Period:
    """What became of a camera's frames from ``start`` for so many ``seconds``. Stored, so that estimates
    know of how many frames theirs are a part. ``expected``: the sum of the probabilities; ``kept`` varies
    around it."""

    camera: str
    start: float
    seconds: float
    frames: int
    kept: int
    expected: float


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn for a frame: ``taken`` with this ``probability``, or left with the rest of it."""

    probability: float
    taken: bool


@dataclass(slots=True)
class _Counted:
    number: int
    share: float
    """Frames of this camera that may be kept in the period."""
    usual: float = 0.0
    before: int = 0
    """Frames of the same period that another process counted."""
    frames: int = 0
    kept: int = 0
    expected: float = 0.0


class Uniform:
    """Decides for each analysed frame of any camera, before it is looked at."""

    def __init__(self, settings: UniformSettings, seed: int) -> None:
        self._settings, self._seed = settings, seed
        self._cameras: dict[str, _Counted] = {}
        self._closed: list[Period] = []

    def draw(self, camera: str, at: float) -> float | None:
        """The probability this frame had, if it is to be kept. ``at``: its capture, Unix seconds."""
        drawn = self.fix(camera, at)
        self.count(camera, at, drawn)
        return drawn.probability if drawn.taken else None

    def fix(self, camera: str, at: float) -> Draw:
        """Decide about a frame that may yet come to nothing; it counts once ``count`` is called."""
        probability = self._probability(self._current(camera, at))
        return Draw(probability, chance(self._seed, camera, round(at * 1e6)) < probability)

    def count(self, camera: str, at: float, drawn: Draw) -> None:
        """The frame was analysed."""
        counted = self._current(camera, at)
        counted.frames += 1
        counted.expected += drawn.probability
        counted.kept += drawn.taken

    def follow(self, settings: UniformSettings) -> None:
        """Go by other settings, from each camera's next period on."""
        self._settings = settings

    def left(self, camera: str) -> tuple[int, int, float] | None:
        """What whoever goes on with this camera needs to know; see ``go_on``."""
        counted = self._cameras.get(camera)
        if counted is None:
            return None
        return counted.number, counted.before + counted.frames, counted.usual

    def go_on(self, camera: str, known: tuple[int, int, float]) -> None:
        """Another process had this camera, and counts what it had; only the rate is of interest here."""
        number, frames, usual = known
        counted = self._cameras[camera] = _Counted(number, 0.0, usual, before=frames)
        counted.share = self._share()

    def closed(self) -> list[Period]:
        """Periods that are over, once each."""
        closed, self._closed = self._closed, []
        return closed

    def end(self) -> None:
        """The node stops: all that was begun counts as periods."""
        for camera in list(self._cameras):
            self.forget(camera)

    def forget(self, camera: str) -> None:
        """It was removed. What it began counts as a period."""
        counted = self._cameras.pop(camera, None)
        if counted is not None:
            self._close(camera, counted)

    def _probability(self, counted: _Counted) -> float:
        the_next = counted.before + counted.frames + 1
        return min(1.0, max(self._settings.least, counted.share / max(counted.usual, the_next)))

    def _current(self, camera: str, at: float) -> _Counted:
        number = int(at // self._settings.period)
        counted = self._cameras.get(camera)
        if counted is None:
            counted = self._cameras[camera] = _Counted(number, 0.0, self._settings.expected)
            counted.share = self._share()
        elif number > counted.number or number < counted.number - 1:  # a clock set back a little stays in it
            self._close(camera, counted)
            # Halfway to what was counted, so that an outage does not make the frames after it seem rare.
            frames = float(counted.before + counted.frames)
            usual = (counted.usual + frames) / 2 if counted.usual else frames
            counted = self._cameras[camera] = _Counted(number, self._share(), usual)
        return counted

    def _share(self) -> float:
        a_camera = min(self._settings.per_hour, self._settings.node_per_hour / max(1, len(self._cameras)))
        return a_camera * self._settings.period / HOUR_S

    def _close(self, camera: str, counted: _Counted) -> None:
        seconds = self._settings.period
        self._closed.append(
            Period(camera, counted.number * seconds, seconds, counted.frames, counted.kept, counted.expected)
        )


# ---- targeted


class Reason(StrEnum):
    """Why a frame was chosen. What matters most first: a frame with several reasons counts for the first."""

    SUSPECTED_LOSS = "suspected_loss"
    """Drift says that this camera finds less than before."""
    UNSEEN_CONDITIONS = "unseen_conditions"
    """A light for which there is no baseline."""
    NEW_OBJECTS = "new_objects"
    """Weak boxes that are alike, and unlike what was there before."""
    MODEL_DISAGREES = "model_disagrees"
    """A second model finds something else."""
    TRACK_DISAGREES = "track_disagrees"
    """A track was there in the frames before and after, and not in this one; or under another class."""
    WEAK_BOXES = "weak_boxes"
    """Many more weak boxes than this camera usually has."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a frame. Numbers are of boxes."""

    suspected: bool = False
    unseen: bool = False
    new_objects: int = 0
    disagreements: int = 0
    flickers: int = 0
    weak: int = 0


@dataclass(frozen=True, slots=True)
class TargetedSettings:
    """``per_hour``: frames of a camera, for each reason. ``camera_per_hour``, ``node_per_hour``: for all of
    them."""

    per_hour: Mapping[Reason, float] = field(
        default_factory=lambda: {
            Reason.SUSPECTED_LOSS: 12.0,
            Reason.UNSEEN_CONDITIONS: 4.0,
            Reason.NEW_OBJECTS: 2.0,
            Reason.MODEL_DISAGREES: 2.0,
            Reason.TRACK_DISAGREES: 1.0,
            Reason.WEAK_BOXES: 1.0,
        }
    )
    camera_per_hour: float = 12.0
    node_per_hour: float = 200.0
    apart: float = 20.0
    """Seconds between two frames of a camera: two of the same second teach the same."""
    weak_at_least: int = 3


@dataclass(frozen=True, slots=True)
class Part:
    """Of a budget that fills up by ``per_hour``: so much was ``left`` at that second."""

    per_hour: float
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What whoever goes on with a camera needs to know of its targeted frames. ``last``: when the latest was
    captured; ``weak``: the usual number of weak boxes. ``budgets``: of the camera by reason, empty = of all;
    those that are missing are full. ``share``: of the worker's own budget."""

    last: float | None
    weak: float | None
    budgets: Mapping[str, Part]
    share: Part


WEAK_QUANTILE = 0.99
"""More weak boxes than in this share of the camera's frames are many."""
LEARNING_STEP = 0.05


class Targeted:
    """Decides for each analysed frame that the uniform stream leaves."""

    def __init__(self, settings: TargetedSettings) -> None:
        self._settings = settings
        self._budgets: dict[tuple[str, ...], _Budget] = {}
        self._last: dict[str, float] = {}
        self._weak: dict[str, float] = {}

    def reason(self, camera: str, at: float, signs: Signs) -> Reason | None:
        """Why to keep this frame, or None. ``at``: its capture, seconds."""
        return self.choose(camera, at, signs, many_weak=self.many_weak(camera, signs.weak))

    def rested(self, camera: str, at: float) -> bool:
        """Whether the last one that was kept is long enough ago."""
        # Either way: a clock that was far ahead must not put everything off until then.
        return abs(at - self._last.get(camera, -math.inf)) >= self._settings.apart

    def choose(self, camera: str, at: float, signs: Signs, *, many_weak: bool) -> Reason | None:
        """Why to keep this frame, or None. ``many_weak``: what was said of it when it was looked at."""
        if not self.rested(camera, at):
            return None
        for reason in _reasons(signs, many_weak):
            if self._afford(camera, reason, at):
                self._last[camera] = at
                return reason
        return None

    def forget(self, camera: str) -> None:
        self._last.pop(camera, None)
        self._weak.pop(camera, None)
        self._budgets = {key: budget for key, budget in self._budgets.items() if key[:1] != (camera,)}

    def follow(self, settings: TargetedSettings) -> None:
        """Go by other settings. What was spent stays spent."""
        self._settings = settings
        for key, budget in self._budgets.items():
            budget.change(self._wanted(key))

    def left(self, camera: str) -> Spent:
        """What whoever goes on with this camera needs to know; see ``go_on``. It takes its part of the
        worker's budget along, for it takes its part of the work."""
        budgets = {
            "".join(key[1:]): budget.part() for key, budget in self._budgets.items() if key[:1] == (camera,)
        }
        share = self._of_worker().split(max(1, len(self._weak)))
        return Spent(self._last.get(camera), self._weak.get(camera), budgets, share)

    def go_on(self, camera: str, known: Spent) -> None:
        """Another process had this camera."""
        if self._weak:
            self._of_worker().join(known.share)
        else:  # whoever has no camera has no budget, whatever it was told that it would have
            self._budgets[()] = _Budget.of(known.share)
        for reason, part in known.budgets.items():
            key = (camera, reason) if reason else (camera,)
            budget = self._budgets[key] = _Budget.of(part)
            budget.change(self._wanted(key))
        if known.last is not None:
            self._last[camera] = known.last
        if known.weak is not None:
            self._weak[camera] = known.weak

    def _of_worker(self) -> _Budget:
        return self._budgets.setdefault((), _Budget(self._wanted(()), 0.0))

    def many_weak(self, camera: str, weak: int) -> bool:
        """Whether these are many weak boxes for this camera; to be asked of each frame, once.

        A running quantile: up by much for the few that are above, down by little for the many below.
        """
        usual = self._weak.get(camera, float(weak))
        step = LEARNING_STEP * max(1.0, usual)
        above = weak > usual
        self._weak[camera] = max(0.0, usual + step * (WEAK_QUANTILE if above else WEAK_QUANTILE - 1))
        return weak >= self._settings.weak_at_least and weak > max(usual, 1.0)

    def _afford(self, camera: str, reason: Reason, at: float) -> bool:
        keys = ((), (camera,), (camera, reason.value))
        budgets = [self._budgets.setdefault(key, _Budget(self._wanted(key), at)) for key in keys]
        # All or none: what one would pay, another one may not have.
        if not all(budget.has(at) for budget in budgets):
            return False
        for budget in budgets:
            budget.left -= 1
        return True

    def _wanted(self, key: tuple[str, ...]) -> float:
        settings = self._settings
        if len(key) < 2:
            return settings.camera_per_hour if key else settings.node_per_hour
        return settings.per_hour.get(Reason(key[1]), 0.0)


class _Budget:
    """Fills up steadily, and holds what an hour brings, but at least one."""

    def __init__(self, per_hour: float, at: float) -> None:
        self.per_hour = per_hour
        self.left, self._at = self._most, at

    @classmethod
    def of(cls, part: Part) -> _Budget:
        budget = cls(part.per_hour, part.at)
        budget.left = part.left
        return budget

    @property
    def _most(self) -> float:
        return max(1.0, self.per_hour) if self.per_hour > 0 else 0.0

    def change(self, per_hour: float) -> None:
        self.per_hour = per_hour
        self.left = min(self.left, self._most)

    def part(self, of: int = 1) -> Part:
        return Part(self.per_hour / of, self.left / of, self._at)

    def split(self, of: int) -> Part:
        """Let one of so many equal parts go."""
        part = self.part(of)
        self.per_hour -= part.per_hour
        self.left -= part.left
        return part

    def join(self, part: Part) -> None:
        """Take what another one let go."""
        self.per_hour += part.per_hour
        self.left += part.left

    def has(self, at: float) -> bool:
        passed = at - self._at
        if -HOUR_S < passed < 0:
            return self.left >= 1  # a clock that was set back a little
        self.left = min(self._most, self.left + max(0.0, passed) * self.per_hour / HOUR_S)
        self._at = at
        return self.left >= 1


def _reasons(signs: Signs, many_weak: bool) -> Iterable[Reason]:
    holds = {
        Reason.SUSPECTED_LOSS: signs.suspected,
        Reason.UNSEEN_CONDITIONS: signs.unseen,
        Reason.NEW_OBJECTS: signs.new_objects > 0,
        Reason.MODEL_DISAGREES: signs.disagreements > 0,
        Reason.TRACK_DISAGREES: signs.flickers > 0,
        Reason.WEAK_BOXES: many_weak,
    }
    return (reason for reason in Reason if holds[reason])


def weak_boxes(scores: Iterable[float]) -> int:
    """How many of these are weak."""
    return sum(WEAK_FROM <= score < WEAK_BELOW for score in scores)


def flickers(before: Mapping[int, str], now: Mapping[int, str], after: Mapping[int, str]) -> int:
    """Tracks that were the same before and after a frame, and are missing in it or of another class.

    Each maps the ids of the tracks of a frame to their classes. Frames must be neighbours of one epoch.
    """
    steady = (track for track, label in before.items() if after.get(track) == label)
    return sum(now.get(track) != before[track] for track in steady)
