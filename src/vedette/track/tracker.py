"""Track ids for detections: an adapter around the `trackers` library, one instance per camera and epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vedette.errors import ConfigError

__all__ = ["KINDS", "Tracker", "make_tracker"]

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

KINDS = ("bytetrack", "ocsort", "botsort", "none")
UNTRACKED = -1

SHORTEST_STEP_S = 0.001
"""Capture times step back when the first frames of a session were held up more than the next. The library
leaves out an update whose time is not later than the last one's, and with it the ids of that frame."""

LONGEST_STEP_S = 0.25
"""The library forgets what it has not seen for a second; at a keyframe every two seconds that is everything,
and nothing would ever get an id. A pause counts as this much at most, so four missed frames are survived."""

PAUSE_S = 10.0
"""After a pause longer than this, what stands in the same place need not be the same object."""

REMEMBERED = 4096


class Tracker(Protocol):
    """Follows objects from frame to frame within one epoch."""

    def go_on(self, before: Tracker) -> None:
        """Be what ``before`` was, which comes from another process and is of the same kind."""
        ...

    def update(
        self, xyxy: Floats, confidence: Floats, class_id: npt.NDArray[np.int32], captured: float
    ) -> Ids:
        """Ids int64 [n] in the order of the boxes; -1 where none is confirmed (yet).

        ``xyxy`` float32 [n,4] in pixels; ``captured`` in seconds, growing from call to call.
        """
        ...


class NoTracker:
    """Every object is a stranger."""

    def go_on(self, before: Tracker) -> None:
        pass

    def update(
        self, xyxy: Floats, confidence: Floats, class_id: npt.NDArray[np.int32], captured: float
    ) -> Ids:
        return np.full(len(xyxy), UNTRACKED, np.int64)


class _LibraryTracker:
    """One tracker of the library. Its ids start anew with each instance, so they are given ours instead:
    ``next_id`` draws from a counter of the camera that never goes back."""

    def __init__(self, inner: Any, next_id: Callable[[], int]) -> None:
        self._inner = inner
        self._next_id = next_id
        self._ids: dict[int, int] = {}
        """Theirs → ours, the ones seen longest ago first."""
        self._captured = self._time = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """All but where ids are drawn from: that is the camera's, wherever it is."""
        return {name: value for name, value in self.__dict__.items() if name != "_next_id"}

    def go_on(self, before: Tracker) -> None:
        if isinstance(before, _LibraryTracker):
            self.__dict__.update(before.__getstate__())

    def update(
        self, xyxy: Floats, confidence: Floats, class_id: npt.NDArray[np.int32], captured: float
    ) -> Ids:
        import supervision as sv

        rows = np.arange(len(xyxy))
        detections = sv.Detections(
            xyxy=xyxy, confidence=confidence, class_id=class_id.astype(int), data={"row": rows}
        )
        tracked = self._inner.update(detections, timestamp=self._time_of(captured))
        ids = np.full(len(xyxy), UNTRACKED, np.int64)
        if len(tracked):
            # The library may change the order of the boxes; the row says where each came from.
            for row, theirs in zip(tracked.data["row"], tracked.tracker_id, strict=True):
                if theirs >= 0:
                    ids[row] = self._ours(int(theirs))
        return ids

    def _time_of(self, captured: float) -> float:
        """The library's time of a frame: grows with every frame, and by small steps."""
        step = max(SHORTEST_STEP_S, captured - self._captured)
        self._captured = max(captured, self._captured)
        self._time += step if step > PAUSE_S else min(step, LONGEST_STEP_S)
        return self._time

    def _ours(self, theirs: int) -> int:
        found = self._ids.pop(theirs, None)
        if found is None:
            if len(self._ids) >= REMEMBERED:
                # Bounded memory: the half that was not seen for longest is long gone.
                for old in list(self._ids)[: REMEMBERED // 2]:
                    del self._ids[old]
            found = self._next_id()
        self._ids[theirs] = found
        return found


def make_tracker(
    kind: str, options: Mapping[str, Any], confidence: float, next_id: Callable[[], int]
) -> Tracker:
    """A new tracker with no memory.

    ``confidence`` is the detector's threshold: what is only just detected may continue a track, and what is
    a little surer may begin one. Raises ConfigError when the library refuses the options.
    """
    if kind == "none":
        return NoTracker()
    import trackers

    begins = min(0.95, confidence + 0.1)
    defaults: dict[str, dict[str, Any]] = {
        "bytetrack": {"track_activation_threshold": begins, "high_conf_det_threshold": begins},
        "ocsort": {"high_conf_det_threshold": confidence},
        # Its compensation of camera motion wants the picture, which stays in the decoder's format here.
        "botsort": {
            "track_activation_threshold": begins,
            "high_conf_det_threshold": begins,
            "enable_cmc": False,
        },
    }
    classes = {
        "bytetrack": trackers.ByteTrackTracker,
        "ocsort": trackers.OCSORTTracker,
        "botsort": trackers.BoTSORTTracker,
    }
    try:
        return _LibraryTracker(classes[kind](**{**defaults[kind], **options}), next_id)
    except (TypeError, ValueError) as err:
        raise ConfigError(f"tracker {kind}: {err}") from err
