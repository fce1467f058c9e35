"""What waits to be looked at by somebody slow: of each camera the newest, and no camera more than others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Newest"]

T = TypeVar("T")


class Newest(Generic[T]):
    """At most one thing of each camera. Pure; not thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[int, T] = {}
        self._taken: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, camera: int, thing: T) -> T | None:
        """It is the newest of its camera; returns the one that gives way to it."""
        before = self._waiting.get(camera)
        self._waiting[camera] = thing  # at the place of the one before: it has waited since then
        return before

    def take(self) -> T | None:
        """That of the camera that had the fewest turns; of several, the one that has waited longest."""
        if not self._waiting:
            return None
        camera = min(self._waiting, key=lambda each: self._taken.get(each, 0))
        # A camera that comes late is not owed what the others had before it came.
        least = min((turns for each, turns in self._taken.items() if each != camera), default=0)
        self._taken[camera] = max(self._taken.get(camera, 0) + 1, least)
        return self._waiting.pop(camera)

    def forget(self, gone: Callable[[T], bool]) -> None:
        """Those are not to be looked at any more."""
        self._waiting = {camera: thing for camera, thing in self._waiting.items() if not gone(thing)}
