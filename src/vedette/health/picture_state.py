"""All that is known of one camera's pictures: plain values that can be written down and handed on."""

from __future__ import annotations

import msgspec

from vedette.causes import Cause
from vedette.health.view import LIGHTS, Reference

__all__ = ["PictureState", "Watch"]


class Watch(msgspec.Struct, frozen=True):
    """A condition that shows, told or not.

    ``held``: seconds in which it did, since it was told if it was; ``clear``: did not, lately.
    """

    cause: Cause
    since: float
    held: float = 0.0
    looks: int = 1
    keyframes: int | None = None
    told: bool = False
    clear: float = 0.0
    clear_looks: int = 0


class PictureState(msgspec.Struct, frozen=True):
    """All that is known of one camera's pictures: plain values, at most 30 kB, mostly references.

    Times are monotonic seconds: another process of this machine can go on with it.
    """

    last: float = 0.0
    interval: float = 0.0
    """Usual seconds between looks; 0 = not known yet."""
    size: tuple[int, int] = (0, 0)
    watches: tuple[Watch, ...] = ()
    references: tuple[Reference | None, ...] = (None,) * LIGHTS
    recent: bytes = b""
    """Texture of each region over the last half minute, float32 [12]."""
    candidate: Reference | None = None
    """The new view of a camera that seems to have moved."""
    refreshed: float = 0.0
    lived: bool = False
    """Whether a picture was ever seen to change."""
    innocent: float = 0.0
    """The longest this camera stood still and went on by itself, in seconds."""
