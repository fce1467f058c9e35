"""Which studied frames of a worker's cameras are kept: both streams together, asked from several threads.

Whether a frame is drawn for the uniform stream is fixed before anybody looks at it; so is whether its picture
is held back for the moment in which it is known whether it belongs to a targeted stream.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from weakref import WeakSet

import msgspec

from vedette.found import Asked
from vedette.quality.review.sampling import (
    Draw,
    Reason,
    Signs,
    Spent,
    Targeted,
    TargetedSettings,
    Uniform,
    UniformSettings,
)

__all__ = ["Known", "Orders", "Sampler"]

CANDIDATES_AT_MOST = 4
"""Frames whose pictures are held back until it is known whether they are kept. Each is 3 MB at 1920×1080, and
targeted frames are few: whoever finds no room now is asked again in a second."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera worker is told. ``seed``: of all workers of a node. ``per_hour``: frames of a camera for
    the uniform stream. ``expected``: frames that are studied of a camera in ten minutes, at most.
    ``by_reason``, ``camera_per_hour``: targeted ones of a camera; ``worker_per_hour``: of all cameras of the
    worker. ``redact``: classes to be made unrecognisable. ``quality``: of JPEG files. ``names``: of the
    detector's classes, by their ids; ``model``: another one for another detector. ``canary_names``: like
    ``names``, of a canary."""

    seed: int
    per_hour: float
    expected: float
    by_reason: dict[str, float]
    camera_per_hour: float
    worker_per_hour: float
    redact: list[str]
    quality: int
    names: list[str] = []
    model: bytes = b""
    canary_names: list[str] = []

    @property
    def uniform(self) -> UniformSettings:
        return UniformSettings(per_hour=self.per_hour, node_per_hour=float("inf"), expected=self.expected)

    @property
    def targeted(self) -> TargetedSettings:
        return replace(
            TargetedSettings(),
            per_hour={Reason(name): per_hour for name, per_hour in self.by_reason.items()},
            camera_per_hour=self.camera_per_hour,
            node_per_hour=self.worker_per_hour,
        )


Known = tuple[tuple[int, int, float] | None, Spent]
"""What goes on with a camera that moves to another worker."""


class Sampler:
    """Of one worker. ``at``: when a frame was captured, Unix seconds."""

    def __init__(self, orders: Orders) -> None:
        self._uniform = Uniform(orders.uniform, orders.seed)
        self._targeted = Targeted(orders.targeted)
        self._candidates: WeakSet[Asked] = WeakSet()
        """Those that nobody knows of any more make room, however their frames ended."""
        self._lock = threading.Lock()

    def follow(self, orders: Orders) -> None:
        with self._lock:
            self._uniform.follow(orders.uniform)
            self._targeted.follow(orders.targeted)

    def asks(self, camera: str, at: float) -> Asked:
        """Nobody has looked at this frame yet."""
        with self._lock:
            drawn = self._uniform.fix(camera, at)
            self._uniform.closed()  # the node counts
            candidate = (
                not drawn.taken
                and len(self._candidates) < CANDIDATES_AT_MOST
                and self._targeted.rested(camera, at)
            )
            asked = Asked(at, drawn.probability, drawn.taken, picture=drawn.taken or candidate)
            if candidate:
                self._candidates.add(asked)
        return asked

    def analysed(self, camera: str, asked: Asked, weak: int) -> bool:
        """The detector has looked at it. Returns whether it has ``many`` weak boxes for this camera."""
        with self._lock:
            self._uniform.count(camera, asked.at, Draw(asked.probability, asked.drawn))
            return self._targeted.many_weak(camera, weak)

    def choose(self, camera: str, asked: Asked, signs: Signs, *, many_weak: bool) -> Reason | None:
        """Why to keep a frame that was not drawn, or None."""
        with self._lock:
            return self._targeted.choose(camera, asked.at, signs, many_weak=many_weak)

    def left(self, camera: str) -> Known:
        """What another worker goes on with; forgotten here."""
        with self._lock:
            known = self._uniform.left(camera), self._targeted.left(camera)
        self.forget(camera)
        return known

    def go_on(self, camera: str, known: Known) -> None:
        uniform, targeted = known
        with self._lock:
            if uniform is not None:
                self._uniform.go_on(camera, uniform)
            self._targeted.go_on(camera, targeted)

    def forget(self, camera: str) -> None:
        with self._lock:
            self._uniform.forget(camera)
            self._uniform.closed()
            self._targeted.forget(camera)
