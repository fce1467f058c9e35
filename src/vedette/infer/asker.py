"""Asks for the next batch of frames at the right moment: late enough to be fresh, early enough to be there.

To ask too early ages the frame, to ask too late leaves the detector idle. The moment is predicted: the end of
the running batch by how long the last ones took, less how long the answers to the last requests took.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Batch", "Rhythm"]

_MARGIN_S = 0.0003
"""Scheduling noise of an idle machine."""


class Rhythm:
    """Predicts when to ask. Times in monotonic seconds; fed from one thread, read from another."""

    def __init__(self) -> None:
        self._batch_s: deque[float] = deque(maxlen=15)
        self._answer_s: deque[float] = deque(maxlen=32)

    def took(self, seconds: float) -> None:
        """A batch was at the detector for so long."""
        self._batch_s.append(seconds)

    def answered(self, seconds: float) -> None:
        """A request was answered with its last frame after so long."""
        self._answer_s.append(seconds)

    def ask_at(self, started: float) -> float:
        """When to ask for the batch after the one that started at ``started``."""
        expected = self._expected()
        answers = sorted(self._answer_s)
        # Nine of ten answers are there in time: the tenth costs the detector more than the nine cost in age.
        lead = (answers[len(answers) * 9 // 10] if answers else 0.001) + _MARGIN_S
        return started + max(0.0, expected - min(lead, expected))

    def ends_at(self, started: float) -> float:
        """When the batch that started at ``started`` will probably be done."""
        return started + self._expected()

    def _expected(self) -> float:
        # The median: one slow batch among them must not make the next ones late.
        durations = sorted(self._batch_s)
        return durations[len(durations) // 2] if durations else 0.0


@dataclass
class Batch:
    """Frames on their way to the detector. ``tickets`` are in order of choice. ``size``: which of its input
    sizes they have."""

    asked_at: float
    size: int
    tickets: dict[int, tuple[int, int]] = field(default_factory=dict)
    """ticket → (camera, slot)"""
    open: set[int] = field(default_factory=set)
    """Tickets without an answer yet."""
    deadlines: dict[int, float] = field(default_factory=dict)
    """ticket → when its frame is too old to be looked at, in monotonic seconds."""
    weak: set[int] = field(default_factory=set)
    """Tickets whose weak boxes are wanted."""
