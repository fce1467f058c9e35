"""Which tracks are open: so that a gap can say what it cut."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["OPEN_FOR_S", "OpenTracks"]

OPEN_FOR_S = 2.0
"""A track that was not seen for so long before the last picture had ended by itself."""


class OpenTracks:
    """Ids of one camera and epoch, and when each was last seen (seconds on the scene's own time)."""

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}
        self._now = 0.0

    def seen(self, ids: npt.NDArray[np.int64], at: float) -> None:
        """The tracks of one picture; -1 stands for none."""
        self._now = at
        for each in ids:
            if each >= 0:
                # Last seen last: what has ended lies at the front.
                self._seen.pop(int(each), None)
                self._seen[int(each)] = at
        while self._seen:
            oldest = next(iter(self._seen))
            if at - self._seen[oldest] <= OPEN_FOR_S:
                return
            del self._seen[oldest]

    def end(self) -> list[int]:
        """All that are open end now; their ids, ascending."""
        ended, self._seen = sorted(self._seen), {}
        return ended
