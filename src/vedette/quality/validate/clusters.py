"""Pictures that are nearly the same one: of one camera within an hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vedette.quality.labels.dataset import Picture

__all__ = ["clusters_of"]

HOUR_S = 3600


def clusters_of(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """The camera and the hour of each; empty where any has no time, since it may belong to any of them."""
    if any(picture.captured_at is None for picture in pictures):
        return ()
    return tuple(f"{picture.camera} {int(picture.captured_at or 0) // HOUR_S}" for picture in pictures)
