"""What the ladder knows of one camera: the step it is on, why, and what it cost before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from vedette.frame import Rung
from vedette.ladder.steps import CameraLoad, Load, Step

__all__ = [
    "KEYFRAMES_APART_MOST_S",
    "NEVER_SLOW",
    "NEVER_SPARSE",
    "PLAIN",
    "Known",
    "Slow",
    "Sparse",
    "Standing",
    "contention",
    "down_from",
    "has_keyframes",
    "known",
    "up_from",
]

CONTENTION_AT_MOST = 4.0
"""A loop that got no core for three quarters of its time says little more about how much worse it can get."""

KEYFRAMES_APART_MOST_S = 12.0

FEWEST_FPS = 1.0
"""The ladder asks for no less than one look a second for the sake of ``fewer``."""


@dataclass(frozen=True, slots=True)
class Known:
    """A camera when it was first thinned: frames that arrived and results, each per second; seconds of a core
    per decoded frame; the share of its frames that others are predicted from, None = never seen."""

    fps: float
    analysed: float
    decode: float
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class Slow:
    """Whether its decoder keeps up. Moments in monotonic seconds, None = not now or never.

    ``trouble``: since when it does not, ``well``: since when it would again one step higher. ``tried``: the
    share of a core that was foretold when it last went up. Not to be tried again before ``until``.
    """

    step: Step = Step.FULL
    trouble: float | None = None
    well: float | None = None
    lowered: float | None = None
    raised: float | None = None
    tried: float = 0.0
    hold: float = 0.0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Sparse:
    """Whether it is looked at less often than its keyframes come. ``settings``: because of ``max_fps``."""

    on: bool = False
    settings: bool = False
    trouble: float | None = None
    well: float | None = None
    left: float | None = None
    hold: float = 0.0
    until: float = 0.0


NEVER_SLOW = Slow()
NEVER_SPARSE = Sparse()


@dataclass(frozen=True)
class Standing:
    """``thin``: the step that the node's load put it on, ``limit``: the frames a second that go with it, 0 =
    none. ``slow`` and ``sparse``: its own affairs."""

    thin: Step = Step.FULL
    limit: float = 0.0
    slow: Slow = NEVER_SLOW
    sparse: Sparse = NEVER_SPARSE
    known: Known | None = None

    @cached_property
    def step(self) -> Step:
        """The one it is on, all reasons together."""
        own = max(self.slow.step, Step.KEYFRAMES if self.sparse.on else Step.FULL)
        return max(self.thin, own)

    @property
    def plain(self) -> bool:
        """Whether there is nothing to remember."""
        return self.thin is Step.FULL and self.slow == NEVER_SLOW and self.sparse == NEVER_SPARSE


PLAIN = Standing()


def contention(load: Load, worker: int) -> float:
    """How many times longer work takes in this camera worker for want of a core; at least 1."""
    if worker >= len(load.busy) or worker >= len(load.waited):
        return 1.0
    busy = load.busy[worker]
    ran = max(busy - load.waited[worker], busy / CONTENTION_AT_MOST)
    return max(1.0, busy / ran) if ran > 0 else 1.0


def known(camera: CameraLoad, load: Load) -> Known:
    """What to remember of a camera that is about to be thinned for the first time."""
    # Decoding is timed by the wall clock: what it waited for a core is no cost of the camera's own.
    decode = camera.decode / contention(load, camera.worker)
    return Known(camera.fps_in, camera.analysed, decode)


def down_from(camera: CameraLoad, standing: Standing) -> Step | None:
    """The next step down that takes something from this camera, KEYFRAMES at most."""
    now = standing.step
    if now < Step.FEWER and _worth_limiting(camera.analysed):
        return Step.FEWER
    if now < Step.REFERENCE and camera.rung < Rung.REFERENCE:
        return Step.REFERENCE
    if now < Step.KEYFRAMES and camera.rung < Rung.KEYFRAMES and has_keyframes(camera):
        return Step.KEYFRAMES
    return None


def has_keyframes(camera: CameraLoad) -> bool:
    """Whether its keyframes alone show anything: streams with a gradual refresh have none, others one in
    minutes."""
    return 0 < camera.keyframe_every <= KEYFRAMES_APART_MOST_S


def up_from(camera: CameraLoad, standing: Standing) -> Standing:
    """With the node's hold on it loosened by one step that gives something back, or altogether."""
    step, before = standing.thin, standing.step
    while step > Step.FULL:
        step = Step(step - 1)
        if _meant(camera, standing, step):
            break
    higher = replace(standing, thin=step, limit=standing.limit if step else 0.0)
    # Where its own affairs hold it on its step, nothing is left of the node's.
    return replace(higher, thin=Step.FULL, limit=0.0) if higher.step == before else higher


def _meant(camera: CameraLoad, standing: Standing, step: Step) -> bool:
    """Whether this step takes anything from the camera."""
    if step is Step.FEWER:
        return standing.known is None or _worth_limiting(standing.known.analysed)
    return step is Step.FULL or camera.rung < step.rung


def _worth_limiting(analysed: float) -> bool:
    return analysed > FEWEST_FPS
