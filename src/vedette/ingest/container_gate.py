"""Which frames the rung lets through."""

from __future__ import annotations

from vedette.frame import Rung

__all__ = ["RungGate"]


class RungGate:
    """Decides frame by frame, and remembers whether a frame that others need was left out.

    After such a hole nothing can be decoded until the next keyframe, whatever the rung says by then.
    """

    def __init__(self) -> None:
        self._hole = False

    def admits(self, *, keyframe: bool, disposable: bool, rung: Rung) -> bool:
        admitted = rung < Rung.PAUSED and (keyframe or (rung < Rung.KEYFRAMES and not self._hole))
        if rung is Rung.REFERENCE and disposable and not keyframe:
            return False
        if not disposable:
            self._hole = not admitted
        return admitted
