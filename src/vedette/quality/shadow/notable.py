"""Which of the frames that two detectors see differently are worth a look. Pure.

Where a candidate finds more on each frame, each frame differs: a person is shown those that differ most. What
is much is learnt of each camera, as a running quantile: up by much for the few above, down by little for the
many below.
"""

from __future__ import annotations

__all__ = ["Notable"]

QUANTILE = 0.9
"""Frames that differ by more than this share of those that differ at all."""

STEP = 0.1


class Notable:
    """Decides for each frame that both have seen."""

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}

    def offers(self, camera: str, differing: int) -> bool:
        """Whether to offer it; ``differing``: boxes that only one of the two has."""
        if not differing:
            return False
        usual = self._usual.get(camera, 0.0)
        step = STEP * max(1.0, usual)
        above = differing > usual
        self._usual[camera] = max(0.0, usual + step * (QUANTILE if above else QUANTILE - 1))
        return differing >= max(1.0, usual)
