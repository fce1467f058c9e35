"""Gathers what was seen of one camera in ten seconds into a few numbers, each between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.drift.light import UNKNOWN, light_of
from vedette.quality.drift.measured import MEASURES, Floats, Measure
from vedette.quality.drift.scores import Mix, Scores

__all__ = ["WINDOW_S", "Observer", "Picture", "Window"]

WINDOW_S = 10.0

FRAMES_LEAST = 3
"""Of a second each, for a window to be looked at."""
BOXES_LEAST, STRONG_LEAST = 5, 3
"""Boxes of which a share or a mean says anything."""
HELD_MOST = 512
FRAMES_MOST = 128
"""Boxes and frames that are held until they are counted, together: one frame at a time costs 20 times as
much."""
STRONG = 0.5
HALF_SEEN = 0.2
"""From here to ``STRONG`` a box is weak. Most of those below are background, whether somebody is there or
not: of 93 boxes in a frame of a campus 73, of 96 in the same one without people 90."""
BOXES_A_FRAME = 4.0
"""So many strong boxes a frame are 0.5 of :attr:`Measure.COUNT`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A look at a picture, at most one a second, as :class:`vedette.health.picture.Features` has it.

    ``luma``, ``contrast``: 0…255. ``sharpness``: in parts of the contrast. ``likeness``: correlation of the
    edges with the camera's own reference, −1…1; NaN while it has none. ``infrared``: without colour.
    """

    luma: float
    contrast: float
    sharpness: float
    likeness: float
    infrared: bool


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Ten seconds of one camera. ``number``: Unix seconds / 10. ``values``, ``counts`` [9] by
    :class:`Measure`: NaN where too little was seen, and how many boxes, looks or frames each is a mean of."""

    number: int
    light: int
    hour: int
    values: Floats
    counts: Floats


class _Held:
    """Boxes of frames that are still to be counted; copies, for whoever feeds them may reuse the memory."""

    def __init__(self) -> None:
        self.confidence = np.zeros(HELD_MOST, np.float32)
        self.class_id = np.zeros(HELD_MOST, np.int32)
        self.area = np.zeros(HELD_MOST, np.float32)
        self.per_frame = np.zeros(FRAMES_MOST, np.int64)
        self.taken = np.zeros(FRAMES_MOST, bool)
        self.boxes = self.frames = 0

    @property
    def nbytes(self) -> int:
        boxes = self.confidence.nbytes + self.class_id.nbytes + self.area.nbytes
        return boxes + self.per_frame.nbytes + self.taken.nbytes

    def room(self, boxes: int) -> bool:
        return self.boxes + boxes <= HELD_MOST and self.frames < FRAMES_MOST

    def add(
        self,
        confidence: NDArray[np.float32],
        class_id: NDArray[np.int32],
        area: NDArray[np.float32],
        taken: bool,
    ) -> None:
        first, self.boxes = self.boxes, self.boxes + len(confidence)
        self.confidence[first : self.boxes] = confidence
        self.class_id[first : self.boxes] = class_id
        self.area[first : self.boxes] = area
        self.per_frame[self.frames] = len(confidence)
        self.taken[self.frames] = taken
        self.frames += 1


class Observer:
    """Of one camera and model. ``scores``: everything that was seen, but for ``unlit`` boxes, which came
    before anybody had looked at a picture. Times are Unix seconds."""

    def __init__(self, scores: Scores | None = None, utc_offset_s: float = 0.0) -> None:
        self.scores = scores or Scores()
        self.light = UNKNOWN
        self.unlit = 0
        self._offset = utc_offset_s
        self._held = _Held()
        self._second = -1
        """Of the last frame. The first of each second enters the window: so a camera's numbers vary as much
        as before when it is analysed more often."""
        self._boxes = np.zeros(3)
        """Weak and strong boxes of the window together, strong and weak ones, of frames that count."""
        self._sums = np.zeros(4)
        """Over the strong ones: confidence, rarity of the class, root of the area; and frames that count."""
        self._looks: list[Picture] = []
        self._mix: tuple[int, Mix] | None = None

    @property
    def nbytes(self) -> int:
        """In numpy's arrays."""
        return self.scores.nbytes + self._held.nbytes + self._boxes.nbytes + self._sums.nbytes

    def frame(
        self,
        at: float,
        confidence: NDArray[np.float32],
        class_id: NDArray[np.int32],
        area: NDArray[np.float32],
        mix: Mix | None = None,
    ) -> None:
        """All raw boxes of at least 0.05 of one frame that was analysed. ``area``: share of the picture."""
        second = int(at)
        taken, self._second = second != self._second, second
        if not self._held.room(len(confidence)):
            self._count(at, mix)
        if len(confidence) <= HELD_MOST:
            self._held.add(confidence, class_id, area, taken)
            return
        alone = np.array([len(confidence)]), np.array([taken])
        self._add_up(at, mix, confidence, class_id, area, *alone)

    def look(self, at: float, picture: Picture) -> None:
        """At most once a second."""
        if len(self._looks) < 2 * WINDOW_S:
            self._looks.append(picture)

    def close(self, number: int, mix: Mix | None = None) -> Window | None:
        """End the window of this number. ``mix``: which classes are usual in this light; None = as counted.

        None where there is nothing to say: hardly any frame, or nobody has looked at a picture yet.
        """
        at = number * WINDOW_S
        self._see()
        self._count(at, mix)
        boxes, sums, looks = self._boxes, self._sums, self._looks
        self._mix = None
        self._boxes, self._sums, self._looks = np.zeros(3), np.zeros(4), []
        if sums[3] < FRAMES_LEAST or self.light == UNKNOWN:
            return None
        values, counts = _of_boxes(boxes, sums)
        _of_looks(looks, values, counts)
        return Window(number, self.light, self._hour(at), values, counts)

    def _so_far(self) -> Mix:
        """The mix as counted when it was first asked for in this window."""
        if self._mix is None or self._mix[0] != self.light:
            self._mix = self.light, self.scores.mix(self.light)
        return self._mix[1]

    def _see(self) -> None:
        """Which light it is."""
        if self._looks:
            luma = _middle([look.luma for look in self._looks])
            infrared = 2 * sum(look.infrared for look in self._looks) > len(self._looks)
            self.light = light_of(luma, infrared, self.light)

    def _hour(self, at: float) -> int:
        return int((at + self._offset) // 3600 % 24)

    def _count(self, at: float, mix: Mix | None) -> None:
        """What is held, into the scores and into the window."""
        if self.light == UNKNOWN:
            self._see()
        held = self._held
        if held.frames:
            confidence, class_id = held.confidence[: held.boxes], held.class_id[: held.boxes]
            frames = held.per_frame[: held.frames], held.taken[: held.frames]
            self._add_up(at, mix, confidence, class_id, held.area[: held.boxes], *frames)
            held.boxes = held.frames = 0

    def _add_up(
        self,
        at: float,
        mix: Mix | None,
        confidence: NDArray[np.float32],
        class_id: NDArray[np.int32],
        area: NDArray[np.float32],
        per_frame: NDArray[np.int64],
        taken: NDArray[np.bool_],
    ) -> None:
        if self.light != UNKNOWN:
            self.scores.add(self.light, self._hour(at), confidence, class_id, area, per_frame)
        else:
            self.unlit += len(confidence)
        counting = np.repeat(taken, per_frame)
        strong = counting & (confidence >= STRONG)
        seen, sure = np.count_nonzero(counting & (confidence >= HALF_SEEN)), np.count_nonzero(strong)
        self._boxes += seen, sure, seen - sure
        usual = (mix or self._so_far()).of(class_id[strong])
        root = float(np.sqrt(area[strong]).sum())
        frames_taken = float(np.count_nonzero(taken))
        self._sums += np.array([confidence[strong].sum(), (1 - usual).sum(), root, frames_taken], np.float64)


def _middle(numbers: list[float]) -> float:
    """The median: of ten numbers thirty times quicker than numpy's."""
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _of_boxes(boxes: Floats, sums: Floats) -> tuple[Floats, Floats]:
    values, counts = np.full(MEASURES, np.nan), np.ones(MEASURES)
    seen, strong, weak = boxes
    confidence, rarity, root, frames = sums
    if seen >= BOXES_LEAST:
        values[Measure.WEAK], counts[Measure.WEAK] = weak / seen, seen
    if strong >= STRONG_LEAST:
        means = (Measure.CONFIDENCE, confidence), (Measure.UNUSUAL, rarity), (Measure.SIZE, root)
        for measure, total in means:
            values[measure], counts[measure] = total / strong, strong
    a_frame = strong / frames
    values[Measure.COUNT], counts[Measure.COUNT] = a_frame / (a_frame + BOXES_A_FRAME), frames
    return values, counts


def _of_looks(looks: list[Picture], values: Floats, counts: Floats) -> None:
    if not looks:
        return
    rows = np.array([(look.sharpness, look.contrast, look.luma, look.likeness) for look in looks])
    sharpness, contrast, luma, likeness = rows.mean(axis=0)
    values[Measure.SHARPNESS] = sharpness / (sharpness + 1)
    values[Measure.CONTRAST] = contrast / (contrast + luma + 1)
    values[Measure.LUMA] = luma / 255
    values[Measure.EDGES] = (1 + likeness) / 2
    counts[[Measure.SHARPNESS, Measure.CONTRAST, Measure.LUMA, Measure.EDGES]] = len(looks)
